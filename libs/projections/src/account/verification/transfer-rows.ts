/** Transfers, as the log makes them by the generated codec: one row each, PENDING until the verdict of the target is recorded. */
import { type DecodedCommit, type EventHandlersOf } from '@sluice/protocol';
import { decodedAccountEvents } from '@sluice/protocol/account';
import { type RowKind, rowKind } from '../../row-verification';
import { TRANSFERS } from '../collections';
import { TRANSFER_AGGREGATE } from '../transfer-fold';
import { transferId } from '../transfer-row';

interface Transfer {
  readonly toAccountId: string;
  readonly unit: string;
  readonly amountMinor: bigint;
  readonly state: string;
  readonly rejection: number;
  readonly createdAtUs: number;
  readonly settledAtUs: number;
}

type Change = (key: string, next: (transfer: Transfer | undefined) => Transfer) => void;

interface Reading {
  readonly committedAtUs: number;
  readonly change: Change;
}

const nothing = (): void => undefined;

const HANDLERS: EventHandlersOf<typeof decodedAccountEvents, Reading, void> = {
  PostingsRecorded: nothing,
  AccountOpened: nothing,
  AccountUpdated: nothing,
  AccountStatusChanged: nothing,
  AccountCommandRejected: nothing,
  TransfersRecorded: ({ accounts }, { committedAtUs, change }) => {
    for (const { accountId, unit, transfers } of accounts) {
      for (const { requestId, toAccountId, amountMinor, pending } of transfers) {
        const state = pending ? 'PENDING' : 'SETTLED';
        const settledAtUs = pending ? 0 : committedAtUs;
        change(transferId(accountId, requestId), () => ({ toAccountId, unit, amountMinor, state, rejection: 0, createdAtUs: committedAtUs, settledAtUs }));
      }
    }
  },
  TransfersSettled: ({ accounts }, { committedAtUs, change }) => {
    for (const { accountId, transfers } of accounts) {
      for (const { requestId, rejection } of transfers) {
        change(transferId(accountId, requestId), (transfer) => {
          if (transfer === undefined) throw new Error(`transfer ${requestId} of account ${accountId} has a verdict, but was never recorded`);
          return { ...transfer, state: Number(rejection) === 0 ? 'SETTLED' : 'REFUNDED', rejection, settledAtUs: committedAtUs };
        });
      }
    }
  },
};

export const transferRows: RowKind = rowKind<Transfer>({
  aggregate: TRANSFER_AGGREGATE,
  collection: TRANSFERS,
  counted: 'transfers',
  fold: (commit: DecodedCommit, change: Change) => {
    for (const event of commit.events) {
      if (decodedAccountEvents.owns(event.type)) decodedAccountEvents.read(event, commit, HANDLERS, { committedAtUs: commit.committedAtUs, change });
    }
  },
  row: ({ toAccountId, unit, amountMinor, state, rejection, createdAtUs, settledAtUs }) => ({
    to_account_id: toAccountId,
    unit,
    amount_minor: amountMinor,
    state,
    rejection,
    created_at_us: createdAtUs,
    settled_at_us: settledAtUs,
  }),
});
