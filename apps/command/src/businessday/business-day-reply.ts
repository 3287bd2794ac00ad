/** What commands on a branch answer: its dates. The responses of all of them are the same but for their names. */
import { cutMomentMs, runIdOf, runStateOf, type Branch } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import { timestampFromUs } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { RUN_STATE_NAMES } from './business-day-names';

const US_PER_MS = 1_000;

/** The response, without position token and repeated flag. */
export function replyOf(branch: Branch): Uint8Array {
  return businessdaypb.CutDayResponse.encode({ day: businessDay(branch), repeated: false, positionToken: '' }).finish();
}

function businessDay(branch: Branch): businessdaypb.BusinessDay {
  const { branchId, onlineDate, batchDate, onlineRun, batchRun, run, version } = branch;
  const runId = (date: number | undefined): string => (date === undefined ? '' : runIdOf(branchId, date));
  return {
    branchId,
    onlineDate: textOfDate(onlineDate),
    batchDate: textOfDate(batchDate),
    onlineRunId: runId(onlineRun),
    batchRunId: runId(batchRun),
    runId: runId(run?.date),
    runState: run === undefined ? businessdaypb.RunState.RUN_STATE_UNSPECIFIED : RUN_STATE_NAMES.toProto(runStateOf(run)),
    settings: undefined,
    nextCutAt: nextCutAt(branch),
    version: BigInt(version),
  };
}

/** The cut of the online date: that of an earlier batch date has been. */
function nextCutAt({ settings, cutTime, onlineDate, batchDate }: Branch): businessdaypb.BusinessDay['nextCutAt'] {
  if (settings?.automatic !== true) return undefined;
  return timestampFromUs(cutMomentMs(onlineDate === batchDate ? cutTime : settings.calendar, onlineDate) * US_PER_MS);
}
