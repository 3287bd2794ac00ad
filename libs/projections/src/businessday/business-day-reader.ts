/** Branches, runs and products as their rows have them, in the form of their messages. */
import { cutMomentMs, runIdOf, stepIdOf } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import type { Row } from '@sluice/ports';
import { timestampFromUs } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { timeOfRow } from '../time-of-row';
import { type BranchState, branchStateOf, type CutTime } from './branch-rows';
import { type RunState, runStateOfRow, type RunStepState } from './run-rows';
import type { StoredRunState } from './stored-names';

const SECOND_US = 1_000_000;

export function businessDayMessage(row: Row): businessdaypb.BusinessDay {
  const state = branchStateOf(row);
  const { onlineDate, batchDate, onlineRunId, batchRunId, run, settings: bytes, version } = state;
  const settings = businessdaypb.BranchSettings.decode(bytes);
  return {
    branchId: row.branch_id as string,
    onlineDate: textOfDate(onlineDate),
    batchDate: textOfDate(batchDate),
    ...{ onlineRunId, batchRunId, settings },
    runId: run?.runId ?? '',
    runState: stateMessage(row.run_state),
    nextCutAt: settings.automatic ? timestampFromUs(cutMomentMs(nextCutTime(state, settings), onlineDate) * 1_000) : undefined,
    version: BigInt(version),
  };
}

/** Once the day of the batch date is cut, the next cut is that of the date behind it, by the settings as they are. */
function nextCutTime({ onlineDate, batchDate, cutTime }: BranchState, settings: CutTime): CutTime {
  return onlineDate === batchDate ? cutTime : settings;
}

/** @param stored empty: there is no run. */
function stateMessage(stored: Row[string] | undefined): businessdaypb.RunState {
  return businessdaypb.RunState[`RUN_STATE_${(stored as StoredRunState | '') || 'UNSPECIFIED'}`];
}

/** @param nowUs steps that are being done have their rate up to now. */
export function batchRunMessage(row: Row, nowUs: number): businessdaypb.BatchRun {
  const state = runStateOfRow(row);
  const { branchId, date, nextDate, goal, begunAtUs, endedAtUs, setAside, setAsideCount, stragglers, forcedReason } = state;
  const runId = runIdOf(branchId, date);
  return {
    ...{ runId, branchId, forcedReason },
    date: textOfDate(date),
    nextDate: textOfDate(nextDate),
    state: stateMessage(row.state),
    goal: businessdaypb.RunGoal[`RUN_GOAL_${goal}`],
    steps: stepMessages(runId, state, nowUs),
    begunAt: timeOfRow(begunAtUs),
    endedAt: timeOfRow(endedAtUs),
    setAside: setAside.map(({ accountId, step, reason }) => ({ accountId, stepId: stepIdAt(runId, state, step), reason })),
    setAsideCount: BigInt(setAsideCount),
    stragglers: BigInt(stragglers),
  };
}

function stepIdAt(runId: string, { steps }: RunState, step: number): string {
  return stepIdOf(runId, step, steps[step]?.kind ?? '');
}

function stepMessages(runId: string, { steps }: RunState, nowUs: number): businessdaypb.RunStep[] {
  // A step learns the number of accounts partition by partition; the steps before it know it already.
  let known = 0;
  return steps.map((step, at) => {
    const { kind, job, begunAtUs, endedAtUs, done, changed } = step;
    const own = Object.values(step.accounts).reduce((sum, accounts) => sum + accounts, 0);
    const looksAtAccounts = own > 0;
    known = endedAtUs > 0 && looksAtAccounts ? own : Math.max(known, own);
    const total = looksAtAccounts ? known : 0;
    const rate = rateOf(step, nowUs);
    const remainingMs = endedAtUs > 0 || rate === 0 ? 0 : Math.ceil((Math.max(0, total - done) / rate) * 1_000);
    return {
      stepId: stepIdOf(runId, at, kind),
      kind: businessdaypb.StepKind[`STEP_KIND_${kind}`],
      job: businessdaypb.Job[`JOB_${job || 'UNSPECIFIED'}` as keyof typeof businessdaypb.Job],
      done: BigInt(done),
      total: BigInt(total),
      changed: BigInt(changed),
      begunAt: timeOfRow(begunAtUs),
      endedAt: timeOfRow(endedAtUs),
      rate,
      remainingMs: BigInt(remainingMs),
    };
  });
}

/** Accounts a second since the step began: until it ended, or until now. */
function rateOf({ begunAtUs, advancedAtUs, endedAtUs, done }: RunStepState, nowUs: number): number {
  if (begunAtUs === 0 || done === 0) return 0;
  // The clock here may be behind that of the partition's owner.
  const untilUs = endedAtUs > 0 ? endedAtUs : Math.max(nowUs, advancedAtUs);
  return untilUs <= begunAtUs ? 0 : (done * SECOND_US) / (untilUs - begunAtUs);
}

export function productMessage(row: Row): businessdaypb.Product {
  return businessdaypb.Product.decode(row.product as Uint8Array);
}
