/**
 * What a branch decides on commands. The checks stand in a fixed order:
 *
 *   command     not registered     rejections, in order                                                   else
 *   register    registered         INVALID_REQUEST (no next business date), BRANCH_EXISTS                 dates go to every partition
 *   update      BRANCH_NOT_FOUND   INVALID_REQUEST                                                        holds from the next run on
 *   cut         BRANCH_NOT_FOUND   the date: cut by the last run: accepted; not online: DATE_NOT_ONLINE;  a run to CUT
 *                                  BATCH_UNDER_WAY
 *   runBatch    BRANCH_NOT_FOUND   DATE_NOT_BATCH, DAY_NOT_CUT                                            goal BATCH
 *   begin       BRANCH_NOT_FOUND   DATE_NOT_BATCH, DAY_NOT_CUT, BATCH_NOT_WHOLE                           the batch date moves
 *   endOfDay    BRANCH_NOT_FOUND   DATE_NOT_ONLINE                                                        goal BEGIN
 *   setDates    BRANCH_NOT_FOUND   BATCH_UNDER_WAY, INVALID_REQUEST (no business date)                    dates go to every partition
 *   pause       BRANCH_NOT_FOUND   NO_BATCH_RUN                                                           stands still behind what was asked
 *   resume      BRANCH_NOT_FOUND   NO_BATCH_RUN                                                           goes on
 *
 * Timers are never rejected: where there is nothing to do, nothing is done.
 */
import type { CalendarDate } from '../day';
import type { AskedAgain, Branch, BranchCommand } from './branch';
import { dateAt, isBusinessDate, nextBusinessDate, previousBusinessDate } from './branch-calendar';
import { askOfStep, consequencesOf, cutTimerOf, datesWithoutRun, type BranchAsk, type BranchConsequences } from './branch-consequences';
import { BranchPlan } from './branch-plan';
import { isBatchDone, isCut, stepOfRun, type Run } from './branch-run';
import { furtherGoal, type BranchSettings, type RunGoal } from './branch-settings';
import type { BranchPlace } from './evolve-branch';

export type BranchRejection =
  | 'BRANCH_NOT_FOUND'
  | 'BRANCH_EXISTS'
  | 'INVALID_REQUEST'
  | 'DATE_NOT_ONLINE'
  | 'DATE_NOT_BATCH'
  | 'DAY_NOT_CUT'
  | 'BATCH_UNDER_WAY'
  | 'BATCH_NOT_WHOLE'
  | 'NO_BATCH_RUN';

export type BranchDecision =
  /** @property branch behind the decision. */
  | (BranchConsequences & { readonly accepted: true; readonly branch: Branch })
  /** @property field which the request has wrong; of INVALID_REQUEST. */
  | { readonly accepted: false; readonly rejection: BranchRejection; readonly recorded: boolean; readonly field?: string };

const US_PER_MS = 1_000;

export function decideBranch(branch: Branch, command: BranchCommand, place: BranchPlace): BranchDecision {
  switch (command.kind) {
    case 'cutDue':
      return cutDue(branch, command.date, place);
    case 'askAgain':
      return { accepted: true, branch, events: [], asks: askedAgain(branch, command.again), timers: [] };
    default:
  }
  const plan = new BranchPlan(branch, place);
  const rejection = command.kind === 'register' ? register(plan, command) : changed(plan, command);
  if (rejection !== undefined) {
    const field = rejection === 'INVALID_REQUEST' ? FIELDS[command.kind] : undefined;
    return { accepted: false, rejection, recorded: rejection !== 'BRANCH_NOT_FOUND', ...(field !== undefined && { field }) };
  }
  plan.advance();
  return { accepted: true, branch: plan.branch, ...consequencesOf(branch, plan.branch, plan.events) };
}

const FIELDS: Readonly<Record<string, string>> = { register: 'settings.holidays', update: 'settings.holidays', setDates: 'date' };

type CommandOf<Kind extends BranchCommand['kind']> = Extract<BranchCommand, { readonly kind: Kind }>;
type Changing = Exclude<BranchCommand, { readonly kind: 'register' | 'cutDue' | 'askAgain' }>;

function register(plan: BranchPlan, { settings, onlineDate }: CommandOf<'register'>): BranchRejection | undefined {
  if (plan.branch.settings !== undefined) return 'BRANCH_EXISTS';
  const { calendar } = settings;
  const date = onlineDate ?? nextBusinessDate(calendar, dateAt(calendar, plan.place.atUs / US_PER_MS) - 1);
  if (date === undefined || nextBusinessDate(calendar, date) === undefined) return 'INVALID_REQUEST';
  plan.record({ kind: 'registered', settings, date, closedDate: previousBusinessDate(calendar, date) });
  return undefined;
}

function changed(plan: BranchPlan, command: Changing): BranchRejection | undefined {
  const { branch } = plan;
  const { settings } = branch;
  if (settings === undefined) return 'BRANCH_NOT_FOUND';
  switch (command.kind) {
    case 'update':
      if (nextBusinessDate(command.settings.calendar, branch.onlineDate) === undefined) return 'INVALID_REQUEST';
      plan.record({ kind: 'updated', settings: command.settings });
      return undefined;
    case 'cut':
      return cut(plan, command.date ?? branch.onlineDate);
    case 'runBatch':
      return runBatch(plan, command.date ?? branch.batchDate);
    case 'begin':
      return begin(plan, command);
    case 'endOfDay':
      // Without a date no further day is cut than the one that is being closed.
      return endOfDay(plan, command.untilDate ?? branch.run?.date ?? branch.onlineDate);
    case 'setDates':
      return setDates(plan, settings, command);
    case 'pause':
    case 'resume':
      return pauseOrResume(plan, command.kind);
    default:
      return command satisfies never;
  }
}

function cut(plan: BranchPlan, date: CalendarDate): BranchRejection | undefined {
  const { onlineDate, onlineRun, run } = plan.branch;
  // It is cut already, or it is being cut.
  if (date === onlineRun || date === run?.date) return undefined;
  if (date !== onlineDate) return 'DATE_NOT_ONLINE';
  if (run !== undefined) return 'BATCH_UNDER_WAY';
  return plan.beginRun('CUT', date) ? undefined : 'INVALID_REQUEST';
}

function runBatch(plan: BranchPlan, date: CalendarDate): BranchRejection | undefined {
  const { batchDate, onlineDate, run } = plan.branch;
  if (date !== batchDate) return 'DATE_NOT_BATCH';
  if (run === undefined || onlineDate === batchDate) return 'DAY_NOT_CUT';
  raiseGoal(plan, run, 'BATCH', run.untilDate);
  return undefined;
}

function begin(plan: BranchPlan, { date, forcedReason }: CommandOf<'begin'>): BranchRejection | undefined {
  const { batchDate, run } = plan.branch;
  if ((date ?? batchDate) !== batchDate) return 'DATE_NOT_BATCH';
  if (run === undefined || !isCut(run)) return 'DAY_NOT_CUT';
  if (isBatchDone(run) && run.setAside === 0) {
    plan.beginDay(run, '');
    return undefined;
  }
  // The closing balances of the date must stand: only jobs can be left out.
  const mayBeForced = ['JOB', 'BEGIN'].includes(stepOfRun(run).kind);
  if (forcedReason === undefined || !mayBeForced) return 'BATCH_NOT_WHOLE';
  plan.beginDay(run, forcedReason);
  return undefined;
}

function endOfDay(plan: BranchPlan, untilDate: CalendarDate): BranchRejection | undefined {
  const { batchDate, run } = plan.branch;
  if (untilDate < batchDate) return 'DATE_NOT_ONLINE';
  if (run === undefined) return plan.beginRun('BEGIN', untilDate) ? undefined : 'INVALID_REQUEST';
  raiseGoal(plan, run, 'BEGIN', Math.max(untilDate, run.untilDate));
  return undefined;
}

function raiseGoal(plan: BranchPlan, run: Run, wanted: RunGoal, untilDate: CalendarDate): void {
  const goal = furtherGoal(run.goal, wanted);
  if (goal !== run.goal || untilDate !== run.untilDate) plan.record({ kind: 'goalRaised', date: run.date, goal, untilDate });
}

function setDates(plan: BranchPlan, { calendar }: BranchSettings, { date, reason }: CommandOf<'setDates'>): BranchRejection | undefined {
  const { run, inForce } = plan.branch;
  if (run !== undefined || !inForce) return 'BATCH_UNDER_WAY';
  if (!isBusinessDate(calendar, date) || nextBusinessDate(calendar, date) === undefined) return 'INVALID_REQUEST';
  plan.record({ kind: 'datesSet', date, closedDate: previousBusinessDate(calendar, date), reason });
  return undefined;
}

function pauseOrResume(plan: BranchPlan, kind: 'pause' | 'resume'): BranchRejection | undefined {
  const { run } = plan.branch;
  if (run === undefined) return 'NO_BATCH_RUN';
  const isPausing = kind === 'pause';
  if (run.paused !== isPausing) plan.record({ kind: isPausing ? 'paused' : 'resumed', date: run.date });
  return undefined;
}

// ---- timers ----

/** The end of day of the date is due: it begins, or the run that a caller has begun goes to its end. */
function cutDue(branch: Branch, date: CalendarDate, place: BranchPlace): BranchDecision {
  const plan = new BranchPlan(branch, place);
  const timer = cutTimerOf(branch);
  if (timer?.date !== date) return { accepted: true, branch, events: [], asks: [], timers: [] };
  // A clock went ahead and was set back.
  if (place.atUs < timer.dueAtUs) return { accepted: true, branch, events: [], asks: [], timers: [timer] };
  if (branch.run === undefined) plan.beginRun('BEGIN', date);
  else raiseGoal(plan, branch.run, 'BEGIN', branch.run.untilDate);
  plan.advance();
  return { accepted: true, branch: plan.branch, ...consequencesOf(branch, plan.branch, plan.events) };
}

function askedAgain(branch: Branch, again: AskedAgain): BranchAsk[] {
  const { run } = branch;
  switch (again.what) {
    case 'dates':
      // Never by another run: while the dates are on their way no run does a step.
      return branch.inForce || branch.onlineDate !== again.date ? [] : [datesWithoutRun(branch, again.partition)];
    case 'terms':
      return run?.date !== again.date || run.terms !== undefined ? [] : [{ kind: 'takeTerms', date: run.date }];
    case 'step': {
      const progress = run?.partitions?.[again.partition];
      if (run === undefined || progress === undefined || run.date !== again.date || run.step !== again.step) return [];
      const ask = askOfStep(run, again.partition, progress);
      return ask === undefined ? [] : [ask];
    }
    default:
      return again satisfies never;
  }
}
