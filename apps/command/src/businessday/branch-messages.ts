/** The messages that a branch takes, as commands of the domain. */
import type { AskedAgain, BranchCommand } from '@sluice/domain/businessday';
import { commandMessage, type CommandMessage } from '@sluice/engine';
import { businessdaypb } from '@sluice/protocol/businessday';
import { checkText } from '@sluice/service';
import { dateAsked, optionalDateAsked } from './dates-on-the-wire';
import { settingsOfRequest } from './settings-on-the-wire';

const MAXIMUM_REASON_BYTES = 256;
/** The events of a step, and what the branch asks of every partition of a large log about it, products aside. */
const STEP_BYTES = 256 << 10;

interface CallersRequest {
  readonly requestId: string;
  readonly branchId: string;
}

/** @param name of the message, without its package. */
function callersMessage<Request extends CallersRequest>(
  name: string,
  codec: Parameters<typeof commandMessage<Request, BranchCommand>>[0]['codec'],
  command: (request: Request) => BranchCommand,
): CommandMessage<Request, BranchCommand> {
  return commandMessage<Request, BranchCommand>({
    messageName: `sluice.businessday.v1.${name}`,
    codec,
    keyField: 'branch_id',
    key: ({ branchId }) => branchId,
    requestId: ({ requestId }) => requestId,
    command,
    recordBytes: (request) => 4 * codec.encode(request).finish().length + STEP_BYTES,
  });
}

export const registerBranchMessage = callersMessage<businessdaypb.RegisterBranchRequest>(
  'RegisterBranchRequest',
  businessdaypb.RegisterBranchRequest,
  ({ settings, onlineDate }) => ({ kind: 'register', settings: settingsOfRequest(settings), onlineDate: optionalDateAsked(onlineDate, 'online_date') }),
);

export const updateBranchMessage = callersMessage<businessdaypb.UpdateBranchRequest>(
  'UpdateBranchRequest',
  businessdaypb.UpdateBranchRequest,
  ({ settings }) => ({
    kind: 'update',
    settings: settingsOfRequest(settings),
  }),
);

export const cutDayMessage = callersMessage<businessdaypb.CutDayRequest>('CutDayRequest', businessdaypb.CutDayRequest, ({ date }) => ({
  kind: 'cut',
  date: optionalDateAsked(date, 'date'),
}));

export const runBatchMessage = callersMessage<businessdaypb.RunBatchRequest>('RunBatchRequest', businessdaypb.RunBatchRequest, ({ date }) => ({
  kind: 'runBatch',
  date: optionalDateAsked(date, 'date'),
}));

export const beginDayMessage = callersMessage<businessdaypb.BeginDayRequest>('BeginDayRequest', businessdaypb.BeginDayRequest, ({ date, force, reason }) => {
  checkText(reason, 'reason', force ? 1 : 0, MAXIMUM_REASON_BYTES);
  return { kind: 'begin', date: optionalDateAsked(date, 'date'), forcedReason: force ? reason : undefined };
});

export const runEndOfDayMessage = callersMessage<businessdaypb.RunEndOfDayRequest>('RunEndOfDayRequest', businessdaypb.RunEndOfDayRequest, ({ untilDate }) => ({
  kind: 'endOfDay',
  untilDate: optionalDateAsked(untilDate, 'until_date'),
}));

export const setDatesMessage = callersMessage<businessdaypb.SetDatesRequest>('SetDatesRequest', businessdaypb.SetDatesRequest, ({ date, reason }) => {
  checkText(reason, 'reason', 1, MAXIMUM_REASON_BYTES);
  return { kind: 'setDates', date: dateAsked(date, 'date'), reason };
});

export const pauseBatchMessage = callersMessage<businessdaypb.PauseBatchRequest>('PauseBatchRequest', businessdaypb.PauseBatchRequest, () => ({
  kind: 'pause',
}));

export const resumeBatchMessage = callersMessage<businessdaypb.ResumeBatchRequest>('ResumeBatchRequest', businessdaypb.ResumeBatchRequest, () => ({
  kind: 'resume',
}));

const ofTimer = {
  keyField: 'branch_id',
  key: ({ branchId }: { readonly branchId: string }) => branchId,
  /** The engine knows it. */
  requestId: () => '',
  recordBytes: () => STEP_BYTES,
};

export const cutDueMessage = commandMessage<businessdaypb.CutDue, BranchCommand>({
  ...ofTimer,
  messageName: 'sluice.businessday.v1.CutDue',
  codec: businessdaypb.CutDue,
  command: ({ date }) => ({ kind: 'cutDue', date }),
});

export const askAgainMessage = commandMessage<businessdaypb.AskAgain, BranchCommand>({
  ...ofTimer,
  messageName: 'sluice.businessday.v1.AskAgain',
  codec: businessdaypb.AskAgain,
  command: (message) => ({ kind: 'askAgain', again: againFromProto(message) }),
});

function againFromProto({ what, date, step, partition }: businessdaypb.AskAgain): AskedAgain {
  switch (what) {
    case businessdaypb.AskedAgain.ASKED_AGAIN_STEP:
      return { what: 'step', date, step, partition };
    case businessdaypb.AskedAgain.ASKED_AGAIN_DATES:
      return { what: 'dates', date, partition };
    case businessdaypb.AskedAgain.ASKED_AGAIN_TERMS:
      return { what: 'terms', date };
    default:
      throw new Error(`what is asked again is not known to this version of Sluice: ${what}`);
  }
}

export function againToProto(branchId: string, again: AskedAgain): businessdaypb.AskAgain {
  const { date } = again;
  switch (again.what) {
    case 'step':
      return { branchId, what: businessdaypb.AskedAgain.ASKED_AGAIN_STEP, date, step: again.step, partition: again.partition };
    case 'dates':
      return { branchId, what: businessdaypb.AskedAgain.ASKED_AGAIN_DATES, date, step: 0, partition: again.partition };
    case 'terms':
      return { branchId, what: businessdaypb.AskedAgain.ASKED_AGAIN_TERMS, date, step: 0, partition: 0 };
    default:
      return again satisfies never;
  }
}
