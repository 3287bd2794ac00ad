/** Rows of branches: their dates, how they are registered, and the run under way. */
import { runIdOf } from '@sluice/domain/businessday';
import type { FieldValue, Row } from '@sluice/ports';
import type { EventHandlersOf } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { changed, changesBy, evolveByStep, passOver, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { BRANCH_AGGREGATE, BRANCHES } from './collections';
import { type RunStanding, runStateOf } from './run-state';
import { storedGoal, type StoredGoal, storedStepKind, type StoredStepKind } from './stored-names';

interface RunUnderWay extends RunStanding {
  readonly runId: string;
}

export interface BranchState {
  readonly onlineDate: number;
  readonly batchDate: number;
  /** Empty: the date was registered, or set by hand. */
  readonly onlineRunId: string;
  readonly batchRunId: string;
  readonly run: RunUnderWay | undefined;
  /** sluice.businessday.v1.BranchSettings. */
  readonly settings: Uint8Array;
  /** Of the batch date. */
  readonly cutTime: CutTime;
  /** Events of the branch. */
  readonly version: number;
}

export type CutTime = Pick<businessdaypb.BranchSettings, 'timeZone' | 'cutMinutes'>;

export function branchStateOf(row: Row): BranchState {
  return {
    onlineDate: row.online_date as number,
    batchDate: row.batch_date as number,
    onlineRunId: row.online_run_id as string,
    batchRunId: row.batch_run_id as string,
    run: runOf(row),
    settings: row.settings as Uint8Array,
    cutTime: { timeZone: row.cut_time_zone as string, cutMinutes: row.cut_minutes as number },
    version: row.version as number,
  };
}

function runOf(row: Row): RunUnderWay | undefined {
  if (row.run_id === '') return undefined;
  return {
    runId: row.run_id as string,
    goal: row.run_goal as StoredGoal,
    kinds: (row.run_steps as string).split(',') as StoredStepKind[],
    stepsEnded: row.run_steps_ended as number,
    paused: row.run_state === 'PAUSED',
    setAside: row.run_set_aside as number,
  };
}

function rowOf(state: BranchState, partition: number): Readonly<Record<string, FieldValue>> {
  const { onlineDate, batchDate, onlineRunId, batchRunId, run, settings, cutTime, version } = state;
  return {
    partition,
    online_date: onlineDate,
    batch_date: batchDate,
    online_run_id: onlineRunId,
    batch_run_id: batchRunId,
    run_id: run?.runId ?? '',
    run_state: run === undefined ? '' : runStateOf(run),
    run_goal: run?.goal ?? '',
    run_steps: run?.kinds.join(',') ?? '',
    run_steps_ended: run?.stepsEnded ?? 0,
    run_set_aside: run?.setAside ?? 0,
    settings,
    cut_time_zone: cutTime.timeZone,
    cut_minutes: cutTime.cutMinutes,
    version,
  };
}

function change(branchId: string, fieldsOf: (before: BranchState) => Partial<BranchState>): RowChange<BranchState> {
  return changed<BranchState>(branchId, (before) => ({ ...fieldsOf(before), version: before.version + 1 }));
}

function changeOfRun(branchId: string, fieldsOf: (before: RunUnderWay) => Partial<RunUnderWay>): RowChange<BranchState> {
  return change(branchId, ({ run }) => {
    if (run === undefined) throw new Error(`${branchId} has an event of a run, and none is under way`);
    return { run: { ...run, ...fieldsOf(run) } };
  });
}

/** The version says how many events the branch has. */
const counted = ({ branchId }: { readonly branchId: string }): RowChange<BranchState> => change(branchId, () => ({}));

const NO_SETTINGS = businessdaypb.BranchSettings.fromPartial({});

function settingsOf(settings = NO_SETTINGS): Pick<BranchState, 'settings' | 'cutTime'> {
  const { timeZone, cutMinutes } = settings;
  return { settings: businessdaypb.BranchSettings.encode(settings).finish(), cutTime: { timeZone, cutMinutes } };
}

/** What the settings say of the next date. */
function cutTimeOf({ settings }: BranchState): CutTime {
  const { timeZone, cutMinutes } = businessdaypb.BranchSettings.decode(settings);
  return { timeZone, cutMinutes };
}

function updated({ settings, cutTime }: BranchState, changedSettings: businessdaypb.BranchSettings | undefined): Partial<BranchState> {
  const { automatic } = businessdaypb.BranchSettings.decode(settings);
  return { ...settingsOf(changedSettings), ...(automatic && { cutTime }) };
}

const CHANGES: EventHandlersOf<typeof businessDayEvents, undefined, RowChange<BranchState> | undefined> = {
  BranchRegistered: ({ branchId, settings, date }) => ({
    key: branchId,
    step: () => ({ onlineDate: date, batchDate: date, onlineRunId: '', batchRunId: '', run: undefined, ...settingsOf(settings), version: 1 }),
  }),
  BranchUpdated: ({ branchId, settings }) => change(branchId, (before) => updated(before, settings)),
  DatesSet: ({ branchId, date }) =>
    change(branchId, (before) => ({ onlineDate: date, batchDate: date, onlineRunId: '', batchRunId: '', run: undefined, cutTime: cutTimeOf(before) })),
  DatesInForce: counted,
  RunBegun: ({ branchId, date, goal, steps }) => {
    const kinds = steps.map(({ kind }) => storedStepKind(kind));
    return change(branchId, () => ({ run: { runId: runIdOf(branchId, date), goal: storedGoal(goal), kinds, stepsEnded: 0, paused: false, setAside: 0 } }));
  },
  GoalRaised: ({ branchId, goal }) => changeOfRun(branchId, () => ({ goal: storedGoal(goal) })),
  TermsTaken: counted,
  StepBegun: counted,
  StepAdvanced: ({ branchId, done }) => changeOfRun(branchId, ({ setAside }) => ({ setAside: setAside + (done?.setAside.length ?? 0) })),
  StepEnded: ({ branchId, step }) => changeOfRun(branchId, ({ stepsEnded }) => ({ stepsEnded: Math.max(stepsEnded, step + 1) })),
  OnlineDateMoved: ({ branchId, date, onlineDate }) => change(branchId, () => ({ onlineDate, onlineRunId: runIdOf(branchId, date) })),
  BatchDateMoved: ({ branchId, date, batchDate }) =>
    change(branchId, (before) => ({ batchDate, batchRunId: runIdOf(branchId, date), run: undefined, cutTime: cutTimeOf(before) })),
  BatchPaused: ({ branchId }) => changeOfRun(branchId, () => ({ paused: true })),
  BatchResumed: ({ branchId }) => changeOfRun(branchId, () => ({ paused: false })),
  ProductSet: passOver,
};

export const branchRows = projectedRows({
  aggregate: BRANCH_AGGREGATE,
  collection: BRANCHES,
  read: changesBy(businessDayEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: branchStateOf,
});
