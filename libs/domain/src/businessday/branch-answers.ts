/**
 * What a branch does about the answers of accounts and of the catalogue. An answer that is not awaited any more, because its step was left out by a forced day begin,
 * changes nothing.
 */
import type { CalendarDate } from '../day';
import type { AskedAgain, Branch, StepDone } from './branch';
import { consequencesOf, datesWithoutRun, type BranchConsequences, type BranchTimer } from './branch-consequences';
import { BranchPlan } from './branch-plan';
import { stepOfRun, type PartitionProgress, type Run } from './branch-run';
import type { Job, StepKind } from './branch-settings';
import type { BranchPlace } from './evolve-branch';
import { termsOn, type Product } from './product';

/** How long the next count of transfers on their way is put off. */
export const COUNT_PAUSE_US = 100_000;
/** A partition that refuses a step, like one that an older program serves, is asked again then. */
export const REFUSED_PAUSE_US = 5_000_000;

/** Accounts of a run that are recorded by name when they are set aside. All further ones are counted: a commit takes what many partitions answer at once. */
export const NAMED_SET_ASIDE = 1_000;

const US_PER_MS = 1_000;
const NOTHING_DONE: StepDone = { next: 0n, complete: false, accounts: 0n, lookedAt: 0n, changed: 0n, totals: [], setAside: [] };
const ALL_DONE: StepDone = { ...NOTHING_DONE, complete: true };

export type BranchAnswer =
  | { readonly kind: 'datesSet'; readonly partition: number; readonly onlineDate: CalendarDate; readonly byRun: boolean }
  | { readonly kind: 'counted'; readonly partition: number; readonly date: CalendarDate; readonly count: bigint }
  | { readonly kind: 'sealed'; readonly partition: number; readonly date: CalendarDate }
  | {
      readonly kind: 'advanced';
      readonly partition: number;
      readonly date: CalendarDate;
      /** Of the chunk. */
      readonly from: bigint;
      /** Undefined: of ROLL. */
      readonly job: Job | undefined;
      readonly done: StepDone;
    }
  | { readonly kind: 'terms'; readonly date: CalendarDate; readonly products: readonly Product[] }
  | { readonly kind: 'refused'; readonly again: RefusedAsk };

/** What was refused. */
export type RefusedAsk =
  | { readonly what: 'dates'; readonly date: CalendarDate; readonly partition: number }
  | { readonly what: 'step'; readonly date: CalendarDate; readonly partition: number }
  | { readonly what: 'terms'; readonly date: CalendarDate };

export function branchAnswered(branch: Branch, answer: BranchAnswer, place: BranchPlace): BranchConsequences {
  const plan = new BranchPlan(branch, place);
  switch (answer.kind) {
    case 'datesSet':
      if (!answer.byRun) return datesArrived(plan, answer);
      advanceStep(plan, answer.partition, { state: 'ASKED', kinds: ['CUT'], done: ALL_DONE });
      break;
    case 'counted':
      return counted(plan, answer);
    case 'sealed':
      if (answer.date === branch.run?.date) advanceStep(plan, answer.partition, { state: 'SEALING', kinds: ['SEAL'], done: ALL_DONE });
      break;
    case 'advanced':
      chunkDone(plan, answer);
      break;
    case 'terms':
      takeTerms(plan, answer);
      break;
    case 'refused':
      return nothingBut([{ kind: 'askAgain', again: againOf(branch, answer.again), dueAtUs: place.atUs + REFUSED_PAUSE_US }]);
    default:
      return answer satisfies never;
  }
  return behind(branch, plan);
}

function behind(branch: Branch, plan: BranchPlan): BranchConsequences {
  plan.advance();
  return consequencesOf(branch, plan.branch, plan.events);
}

/** The dates that were registered or set by hand go on to the next partition. */
function datesArrived(plan: BranchPlan, { partition, onlineDate }: Extract<BranchAnswer, { kind: 'datesSet' }>): BranchConsequences {
  const { branch } = plan;
  if (branch.inForce || branch.onlineDate !== onlineDate) return nothingBut([]);
  if (partition + 1 < plan.place.partitions) return { events: [], asks: [datesWithoutRun(branch, partition + 1)], timers: [] };
  plan.record({ kind: 'datesInForce', onlineDate });
  return behind(branch, plan);
}

function counted(plan: BranchPlan, { partition, date, count }: Extract<BranchAnswer, { kind: 'counted' }>): BranchConsequences {
  const { branch, place } = plan;
  const { run } = branch;
  if (run === undefined || run.date !== date || !awaits(run, partition, 'ASKED', ['SEAL'])) return nothingBut([]);
  const waitsUntilUs = run.stepBegunAtUs + run.settings.waitMs * US_PER_MS;
  if (count > 0n && place.atUs < waitsUntilUs) {
    const dueAtUs = Math.min(place.atUs + COUNT_PAUSE_US, waitsUntilUs);
    return nothingBut([{ kind: 'askAgain', again: { what: 'step', date, step: run.step, partition }, dueAtUs }]);
  }
  plan.record({ kind: 'stepAdvanced', date, step: run.step, partition, done: NOTHING_DONE, outstanding: count });
  return behind(branch, plan);
}

function chunkDone(plan: BranchPlan, { partition, date, from, job, done }: Extract<BranchAnswer, { kind: 'advanced' }>): void {
  const { run } = plan.branch;
  if (run?.date !== date || stepOfRun(run).job !== job || run.partitions?.[partition]?.from !== from) return;
  const named = NAMED_SET_ASIDE - run.setAside;
  const setAside = done.setAside.map((account, at) => (at < named ? account : { accountId: '', reason: '' }));
  advanceStep(plan, partition, { state: 'ASKED', kinds: ['STAGE_ONE', 'ROLL', 'JOB'], done: { ...done, setAside } });
}

interface Advance {
  readonly state: PartitionProgress['state'];
  readonly kinds: readonly StepKind[];
  readonly done: StepDone;
}

function advanceStep(plan: BranchPlan, partition: number, { state, kinds, done }: Advance): void {
  const { run } = plan.branch;
  if (run === undefined || !awaits(run, partition, state, kinds)) return;
  plan.record({ kind: 'stepAdvanced', date: run.date, step: run.step, partition, done, outstanding: 0n });
}

function awaits(run: Run, partition: number, state: PartitionProgress['state'], kinds: readonly StepKind[]): boolean {
  return run.partitions?.[partition]?.state === state && kinds.includes(stepOfRun(run).kind);
}

function takeTerms(plan: BranchPlan, { date, products }: Extract<BranchAnswer, { kind: 'terms' }>): void {
  const { run } = plan.branch;
  if (run?.date !== date || run.terms !== undefined) return;
  plan.record({ kind: 'termsTaken', date, terms: products.map((product) => termsOn(product, date, run.nextDate)) });
}

function againOf({ run }: Branch, refused: RefusedAsk): AskedAgain {
  return refused.what === 'step' ? { ...refused, step: run?.step ?? 0 } : refused;
}

function nothingBut(timers: readonly BranchTimer[]): BranchConsequences {
  return { events: [], asks: [], timers };
}
