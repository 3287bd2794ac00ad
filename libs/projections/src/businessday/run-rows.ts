/** Rows of runs: their steps with what each has done, and what was set aside. */
import { runIdOf } from '@sluice/domain/businessday';
import type { FieldValue, Row } from '@sluice/ports';
import type { EventHandlersOf } from '@sluice/protocol';
import { businessDayEvents, type businessdaypb } from '@sluice/protocol/businessday';
import { changed, changesBy, evolveByStep, passOver, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { BATCH_RUNS, LISTED_SET_ASIDE, RUN_AGGREGATE } from './collections';
import { runStateOf } from './run-state';
import { storedGoal, type StoredGoal, storedJob, storedStepKind, type StoredStepKind } from './stored-names';

export interface RunStepState {
  readonly kind: StoredStepKind;
  /** Of STAGE_ONE and JOB; else empty. */
  readonly job: string;
  /** 0: it has not. */
  readonly begunAtUs: number;
  /** When a partition did a part of it last; 0: none did. */
  readonly advancedAtUs: number;
  /** 0: it has not. */
  readonly endedAtUs: number;
  readonly done: number;
  readonly changed: number;
  /** Accounts that the branch has in each partition that has done a part. */
  readonly accounts: Readonly<Record<string, number>>;
}

export interface SetAsideState {
  readonly accountId: string;
  readonly step: number;
  readonly reason: string;
}

export interface RunState {
  readonly branchId: string;
  readonly date: number;
  readonly nextDate: number;
  readonly goal: StoredGoal;
  readonly paused: boolean;
  readonly begunAtUs: number;
  /** 0: it has not ended. */
  readonly endedAtUs: number;
  readonly steps: readonly RunStepState[];
  readonly setAside: readonly SetAsideState[];
  readonly setAsideCount: number;
  readonly stragglers: number;
  readonly forcedReason: string;
}

export function runStateOfRow(row: Row): RunState {
  return {
    branchId: row.branch_id as string,
    date: row.date as number,
    nextDate: row.next_date as number,
    goal: row.goal as StoredGoal,
    paused: row.state === 'PAUSED',
    begunAtUs: row.begun_at_us as number,
    endedAtUs: row.ended_at_us as number,
    steps: JSON.parse(row.steps as string) as RunStepState[],
    setAside: JSON.parse(row.set_aside as string) as SetAsideState[],
    setAsideCount: row.set_aside_count as number,
    stragglers: row.stragglers as number,
    forcedReason: row.forced_reason as string,
  };
}

function rowOf(state: RunState, partition: number): Readonly<Record<string, FieldValue>> {
  const { branchId, date, nextDate, goal, paused, begunAtUs, endedAtUs, steps, setAside, setAsideCount, stragglers, forcedReason } = state;
  const standing = {
    goal,
    paused,
    kinds: steps.map(({ kind }) => kind),
    stepsEnded: steps.filter((step) => step.endedAtUs > 0).length,
    setAside: setAsideCount,
  };
  return {
    ...{ partition, date, goal, stragglers },
    branch_id: branchId,
    next_date: nextDate,
    state: endedAtUs > 0 ? 'ENDED' : runStateOf(standing),
    begun_at_us: begunAtUs,
    ended_at_us: endedAtUs,
    steps: JSON.stringify(steps),
    set_aside: JSON.stringify(setAside),
    set_aside_count: setAsideCount,
    forced_reason: forcedReason,
  };
}

interface OfRun {
  readonly branchId: string;
  readonly date: number;
}

interface OfStep extends OfRun {
  readonly step: number;
}

const change = ({ branchId, date }: OfRun, fieldsOf: (before: RunState, atUs: number) => Partial<RunState>): RowChange<RunState> =>
  changed<RunState>(runIdOf(branchId, date), fieldsOf);

function changeOfStep(of: OfStep, fieldsOf: (before: RunStepState, atUs: number) => Partial<RunStepState>): RowChange<RunState> {
  return change(of, ({ steps }, atUs) => ({ steps: withStep(steps, of.step, (before) => fieldsOf(before, atUs)) }));
}

function withStep(steps: readonly RunStepState[], at: number, fieldsOf: (before: RunStepState) => Partial<RunStepState>): RunStepState[] {
  const before = steps[at];
  if (before === undefined) throw new Error(`the run has no step ${at}`);
  return steps.with(at, { ...before, ...fieldsOf(before) });
}

function advanced(state: RunState, { step, partition, done }: businessdaypb.StepAdvanced, atUs: number): Partial<RunState> {
  const found = done?.setAside ?? [];
  const listed = found.slice(0, LISTED_SET_ASIDE - state.setAside.length).map(({ accountId, reason }) => ({ accountId, step, reason }));
  const steps = withStep(state.steps, step, (before) => ({
    advancedAtUs: atUs,
    done: before.done + Number(done?.lookedAt ?? 0n),
    changed: before.changed + Number(done?.changed ?? 0n),
    accounts: done === undefined ? before.accounts : { ...before.accounts, [partition]: Number(done.accounts) },
  }));
  return { steps, setAside: [...state.setAside, ...listed], setAsideCount: state.setAsideCount + found.length };
}

const CHANGES: EventHandlersOf<typeof businessDayEvents, undefined, RowChange<RunState> | undefined> = {
  BranchRegistered: passOver,
  BranchUpdated: passOver,
  DatesSet: passOver,
  DatesInForce: passOver,
  // Dates that were set back bring a date again: its run begins anew.
  RunBegun: ({ branchId, date, nextDate, goal, steps }) => ({
    key: runIdOf(branchId, date),
    step: (_before, atUs) => ({
      ...{ branchId, date, nextDate, goal: storedGoal(goal), paused: false, begunAtUs: atUs, endedAtUs: 0 },
      steps: steps.map(({ kind, job }) => ({
        ...{ kind: storedStepKind(kind), job: storedJob(job), begunAtUs: 0, advancedAtUs: 0, endedAtUs: 0, done: 0, changed: 0, accounts: {} },
      })),
      ...{ setAside: [], setAsideCount: 0, stragglers: 0, forcedReason: '' },
    }),
  }),
  GoalRaised: ({ goal, ...of }) => change(of, () => ({ goal: storedGoal(goal) })),
  TermsTaken: passOver,
  StepBegun: (of) => changeOfStep(of, (_before, atUs) => ({ begunAtUs: atUs })),
  StepAdvanced: (event) => change(event, (before, atUs) => advanced(before, event, atUs)),
  StepEnded: (event) =>
    change(event, ({ steps, stragglers }, atUs) => ({
      steps: withStep(steps, event.step, () => ({ endedAtUs: atUs })),
      stragglers: stragglers + Number(event.stragglers),
    })),
  OnlineDateMoved: passOver,
  BatchDateMoved: ({ forcedReason, ...of }) => change(of, (_before, atUs) => ({ endedAtUs: atUs, paused: false, forcedReason })),
  BatchPaused: (of) => change(of, () => ({ paused: true })),
  BatchResumed: (of) => change(of, () => ({ paused: false })),
  ProductSet: passOver,
};

export const runRows = projectedRows({
  aggregate: RUN_AGGREGATE,
  collection: BATCH_RUNS,
  read: changesBy(businessDayEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: runStateOfRow,
});
