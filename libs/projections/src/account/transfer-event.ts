/** The events of transfers as the projection and the verification fold them: one part per transfer. */
import { accountEvents, decodeAccountSettlements, decodeAccountTransfers, transfersRecordedIn, transfersSettledIn } from '@sluice/protocol/account';
import type { DecodedCommit, EventHandlersOf, EventRecord } from '@sluice/protocol';

interface Moment {
  readonly sequence: number;
  readonly committedAtUs: number;
}

export type TransferPart = Moment & { readonly fromAccountId: string; readonly requestId: string } & (
    | { readonly kind: 'recorded'; readonly toAccountId: string; readonly unit: string; readonly amountMinor: bigint; readonly pending: boolean }
    /** rejection 0: the target has the amount; targetReason: the reason of another capability. */
    | { readonly kind: 'settled'; readonly rejection: number; readonly targetReason: string }
  );

interface Reading {
  readonly moment: Moment;
  readonly visit: (part: TransferPart) => void;
}

const nothing = (): void => undefined;

const PARTS: EventHandlersOf<typeof accountEvents, Reading, void> = {
  PostingsRecorded: nothing,
  AccountOpened: nothing,
  AccountUpdated: nothing,
  AccountStatusChanged: nothing,
  AccountCommandRejected: nothing,
  BranchDaySet: nothing,
  BranchDaySealed: nothing,
  AccountsRolled: nothing,
  InterestAccrued: nothing,
  TermBegun: nothing,
  TermEnded: nothing,
  BranchDayTotalled: nothing,
  TransfersRecorded: (payload, { moment, visit }) => {
    for (const account of transfersRecordedIn(payload)) {
      const { accountId: fromAccountId, unit, transfers } = decodeAccountTransfers(account);
      for (const { requestId, toAccountId, amountMinor, pending } of transfers) {
        visit({ kind: 'recorded', ...moment, fromAccountId, requestId, toAccountId, unit, amountMinor, pending });
      }
    }
  },
  TransfersSettled: (payload, { moment, visit }) => {
    for (const account of transfersSettledIn(payload)) {
      const { accountId: fromAccountId, transfers } = decodeAccountSettlements(account);
      for (const { requestId, rejection, targetReason } of transfers) {
        visit({ kind: 'settled', ...moment, fromAccountId, requestId, rejection, targetReason });
      }
    }
  },
};

const TRANSFER_EVENTS: ReadonlySet<string> = new Set([accountEvents.written('TransfersRecorded').type, accountEvents.written('TransfersSettled').type]);

/** Whether the event is one of transfers: then nothing else is in it. */
export function isTransferEvent({ type }: EventRecord): boolean {
  return TRANSFER_EVENTS.has(type);
}

/** Calls back for each transfer that the event is about, in its order. Throws UnknownEventError. */
export function readTransferEvent(commit: DecodedCommit, event: EventRecord, visit: (part: TransferPart) => void): void {
  const { sequence, committedAtUs } = commit;
  accountEvents.read(event, commit, PARTS, { moment: { sequence, committedAtUs }, visit });
}
