/** Ends of day as users of the library see them. */
import type { DayJob, RunState } from './business-day';

/** How far a run is to go: to the day cut, through its jobs, or to the day begin. */
export const RUN_GOALS = ['CUT', 'BATCH', 'BEGIN'] as const;
export type RunGoal = (typeof RUN_GOALS)[number];

/** Kinds of steps, in their order. */
export const STEP_KINDS = ['STAGE_ONE', 'CUT', 'SEAL', 'ROLL', 'JOB', 'BEGIN'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface RunStep {
  readonly stepId: string;
  readonly kind: StepKind | undefined;
  /** Of STAGE_ONE and JOB. */
  readonly job: DayJob | undefined;
  /** Accounts that it has looked at. */
  readonly done: bigint;
  /** Accounts of the branch, as far as known; 0: not known yet, or no accounts are looked at. */
  readonly total: bigint;
  /** Accounts that it changed. */
  readonly changed: bigint;
  /** Undefined: it has not begun. */
  readonly begunAt: Date | undefined;
  /** Undefined: it has not ended. */
  readonly endedAt: Date | undefined;
  /** Accounts a second since it began; 0: not known. */
  readonly rate: number;
  /** Until it ends at this rate, in milliseconds; 0: not known, or ended. */
  readonly remainingMs: number;
}

/** An account that a step could not do. */
export interface SetAsideOfRun {
  readonly accountId: string;
  readonly stepId: string;
  readonly reason: string;
}

export interface BatchRun {
  /** The branch, a slash and the date. */
  readonly runId: string;
  readonly branchId: string;
  /** The date that it closes. */
  readonly date: string;
  /** The next business date. */
  readonly nextDate: string;
  readonly state: RunState;
  readonly goal: RunGoal | undefined;
  /** In order. */
  readonly steps: readonly RunStep[];
  readonly begunAt: Date | undefined;
  /** Undefined: it has not ended. */
  readonly endedAt: Date | undefined;
  /** At most 100; `setAsideCount` counts them all. */
  readonly setAside: readonly SetAsideOfRun[];
  readonly setAsideCount: number;
  /** Transfers of the date that were still on their way when it was sealed. */
  readonly stragglers: number;
  /** Why the day was begun although accounts were set aside or steps were missing; empty: it was not forced. */
  readonly forcedReason: string;
}
