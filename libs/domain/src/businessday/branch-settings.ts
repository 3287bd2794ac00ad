/** How a branch is registered: its calendar, what its end of day does, and in which steps. */
import type { RollPolicy } from '../day';
import type { BranchCalendar } from './branch-calendar';

export const JOBS = ['MATURITY', 'INTEREST', 'ACCOUNTING', 'REPORTS'] as const;
export type Job = (typeof JOBS)[number];

export const STEP_KINDS = ['STAGE_ONE', 'CUT', 'SEAL', 'ROLL', 'JOB', 'BEGIN'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** Rising. */
export const RUN_GOALS = ['CUT', 'BATCH', 'BEGIN'] as const;
export type RunGoal = (typeof RUN_GOALS)[number];

/** Whole: what a request leaves out has its default. */
export interface BranchSettings {
  readonly calendar: BranchCalendar;
  /** The end of day begins by itself at the cut time. */
  readonly automatic: boolean;
  readonly rollPolicy: RollPolicy;
  /** On real-time balances, before the cut. */
  readonly stageOneJobs: readonly Job[];
  /** On the balances of the closed date. */
  readonly jobs: readonly Job[];
  /** How long transfers of the closed date that are on their way are waited for. */
  readonly waitMs: number;
  /** Accounts of one chunk of a step. */
  readonly stepAccounts: number;
  /** Names of contra lines in reports, by number of the line. */
  readonly lineNames: ReadonlyMap<number, string>;
}

export interface PlannedStep {
  readonly kind: StepKind;
  /** Of STAGE_ONE and JOB. */
  readonly job?: Job;
}

export function plannedSteps({ stageOneJobs, jobs }: Pick<BranchSettings, 'stageOneJobs' | 'jobs'>): readonly PlannedStep[] {
  return [
    ...stageOneJobs.map((job) => ({ kind: 'STAGE_ONE', job }) as const),
    { kind: 'CUT' },
    { kind: 'SEAL' },
    { kind: 'ROLL' },
    ...jobs.map((job) => ({ kind: 'JOB', job }) as const),
    { kind: 'BEGIN' },
  ];
}

/** Whether a run with the goal does steps of the kind. */
export function reaches(goal: RunGoal, kind: StepKind): boolean {
  switch (kind) {
    case 'STAGE_ONE':
    case 'CUT':
      return true;
    case 'SEAL':
    case 'ROLL':
    case 'JOB':
      return goal !== 'CUT';
    case 'BEGIN':
      return goal === 'BEGIN';
    default:
      return kind satisfies never;
  }
}

/** The further one of two goals. */
export function furtherGoal(one: RunGoal, other: RunGoal): RunGoal {
  return RUN_GOALS.indexOf(one) < RUN_GOALS.indexOf(other) ? other : one;
}
