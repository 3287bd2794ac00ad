/**
 * A run: one end of day of a branch. It does its steps one after the other, as far as its goal reaches. A step asks every partition, and each partition gets its next chunk when
 * its last one has settled. Where a partition stands in the step under way:
 *
 *   state     of                            answered                          paused      resumed
 *   ASKED     every step; SEAL: the count   more is left: ASKED again         (stays)     (stays)
 *                                           nothing is left: DONE
 *                                           SEAL, nothing on its way: COUNTED
 *   HELD      chunks                        -                                 (stays)     ASKED
 *   COUNTED   SEAL                          every partition COUNTED: SEALING  (stays)     (stays)
 *   SEALING   SEAL                          DONE                              (stays)     (stays)
 *   DONE      every step                    -                                 -           -
 *
 * A chunk that settles while the run is paused leaves its partition HELD.
 */
import type { CalendarDate } from '../day';
import { reaches, type BranchSettings, type PlannedStep, type RunGoal } from './branch-settings';
import type { ProductTerms } from './product';

export interface PartitionProgress {
  readonly state: 'ASKED' | 'HELD' | 'COUNTED' | 'SEALING' | 'DONE';
  /** Where the chunk begins that is asked for, or held back. */
  readonly from: bigint;
}

export interface Run {
  /** The date that it closes. */
  readonly date: CalendarDate;
  readonly nextDate: CalendarDate;
  readonly goal: RunGoal;
  /** Runs follow until this date is closed. */
  readonly untilDate: CalendarDate;
  /** Of the branch, when the run began. */
  readonly settings: BranchSettings;
  readonly steps: readonly PlannedStep[];
  /** Number of the step that is being done; of the next one while none is. */
  readonly step: number;
  /** Of the step that is being done, by partition; undefined: none is. */
  readonly partitions: readonly PartitionProgress[] | undefined;
  /** Commit time of the beginning of the step that is being done. */
  readonly stepBegunAtUs: number;
  readonly paused: boolean;
  /** Undefined: the catalogue has not answered yet. */
  readonly terms: readonly ProductTerms[] | undefined;
  /** Accounts that steps have set aside. */
  readonly setAside: number;
  /** Of the SEAL step that is being done: transfers of the date that are on their way still. */
  readonly stragglers: bigint;
}

export type RunState = 'RUNNING' | 'WAITING' | 'PAUSED';

/** The step that is being done, or comes next. */
export function stepOfRun({ steps, step }: Pick<Run, 'steps' | 'step'>): PlannedStep {
  const planned = steps[step];
  if (planned === undefined) throw new Error(`a run of ${steps.length} steps is at step ${step}`);
  return planned;
}

export function numberOfStep({ steps }: Pick<Run, 'steps'>, kind: PlannedStep['kind']): number {
  return steps.findIndex((step) => step.kind === kind);
}

/** Whether the run has cut its day in every partition. */
export function isCut(run: Run): boolean {
  return run.step > numberOfStep(run, 'CUT');
}

/** Whether nothing but the day begin is left. */
export function isBatchDone(run: Run): boolean {
  return run.partitions === undefined && stepOfRun(run).kind === 'BEGIN';
}

export function isStepDone({ partitions }: Run): boolean {
  return partitions?.every(({ state }) => state === 'DONE') ?? false;
}

export function runStateOf(run: Run): RunState {
  if (run.paused) return 'PAUSED';
  if (run.partitions !== undefined) return 'RUNNING';
  const { kind } = stepOfRun(run);
  const isHeldUp = kind === 'BEGIN' && run.setAside > 0;
  return reaches(run.goal, kind) && !isHeldUp ? 'RUNNING' : 'WAITING';
}
