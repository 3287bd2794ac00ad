/** What a decision on a branch records, event by event, and how its run goes on behind it. */
import { nextBusinessDate } from './branch-calendar';
import type { Branch, BranchEvent } from './branch';
import { isStepDone, numberOfStep, stepOfRun, type Run } from './branch-run';
import { plannedSteps, reaches, type PlannedStep, type RunGoal } from './branch-settings';
import { evolveBranch, type BranchPlace } from './evolve-branch';

export class BranchPlan {
  readonly events: BranchEvent[] = [];

  constructor(
    public branch: Branch,
    readonly place: BranchPlace,
  ) {}

  record(event: BranchEvent): void {
    this.events.push(event);
    this.branch = evolveBranch(this.branch, event, this.place);
  }

  /** False: the calendar has no next business date. */
  beginRun(goal: RunGoal, untilDate: number): boolean {
    const { settings, onlineDate } = this.branch;
    const nextDate = settings && nextBusinessDate(settings.calendar, onlineDate);
    if (settings === undefined || nextDate === undefined) return false;
    this.record({ kind: 'runBegun', date: onlineDate, nextDate, goal, untilDate, steps: plannedSteps(settings) });
    return true;
  }

  /** Ends the step that is done, and begins the next ones as far as the run may go. */
  advance(): void {
    while (this.goOn());
  }

  /** The batch date moves, and the next run of those that were asked for begins. */
  beginDay(run: Run, forcedReason: string): void {
    const { date, nextDate, untilDate } = run;
    const step = numberOfStep(run, 'BEGIN');
    this.record({ kind: 'stepBegun', date, step });
    this.record({ kind: 'stepEnded', date, step, stragglers: 0n });
    this.record({ kind: 'batchDateMoved', date, step, batchDate: nextDate, forcedReason });
    if (untilDate >= nextDate) this.beginRun('BEGIN', untilDate);
  }

  /** False: nothing is to be done now. */
  private goOn(): boolean {
    const { run, inForce } = this.branch;
    if (run === undefined) return false;
    const { date, step, nextDate } = run;
    if (run.partitions !== undefined) {
      if (!isStepDone(run)) return false;
      this.record({ kind: 'stepEnded', date, step, stragglers: run.stragglers });
      if (stepOfRun(run).kind === 'CUT') this.record({ kind: 'datesInForce', onlineDate: nextDate });
      return true;
    }
    // Dates that were registered or set by hand are on their way to the partitions.
    if (run.paused || !inForce) return false;
    const planned = stepOfRun(run);
    if (!reaches(run.goal, planned.kind) || (needsTerms(planned) && run.terms === undefined)) return false;
    if (planned.kind === 'BEGIN') {
      if (run.setAside > 0) return false;
      this.beginDay(run, '');
      return true;
    }
    this.record({ kind: 'stepBegun', date, step });
    if (planned.kind === 'CUT') this.record({ kind: 'onlineDateMoved', date, step, onlineDate: nextDate });
    return true;
  }
}

function needsTerms({ job }: PlannedStep): boolean {
  return job === 'MATURITY' || job === 'INTEREST';
}
