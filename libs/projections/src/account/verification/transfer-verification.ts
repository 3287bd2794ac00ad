/**
 * Transfers, as the log makes them by the generated codec: those that one event records from one account to the same target are one row, and those
 * behind its first one have a key that leads to it.
 */
import type { FieldValue, ReadCopy, Row } from '@sluice/ports';
import type { DecodedCommit, EventHandlersOf } from '@sluice/protocol';
import { decodedAccountEvents } from '@sluice/protocol/account';
import { type RowKind, rowKind, verifyRows } from '../../row-verification';
import type { ProjectionVerification } from '../../verification';
import { TRANSFER_KEYS, TRANSFERS } from '../collections';
import { TRANSFER_AGGREGATE } from '../transfer-fold';
import { fromAccountOf, GROUP_TRANSFERS, groupOf, transferId } from '../transfer-group';

interface Transfer {
  readonly amountMinor: bigint;
  readonly state: string;
  readonly rejection: number;
  readonly targetReason: string;
  readonly settledAtUs: number;
}

interface Group {
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly unit: string;
  readonly createdAtUs: number;
  /** By request id. */
  readonly transfers: ReadonlyMap<string, Transfer>;
}

type Change = (key: string, next: (group: Group | undefined) => Group) => void;

interface Reading {
  readonly commit: DecodedCommit;
  readonly change: Change;
}

/** Keys of one call, as the port allows. */
const KEYS_PER_CALL = 10_000;
const nothing = (): void => undefined;

/** One fold of a partition's log. */
class TransferGroups {
  /** Transfers that are not the first of their row: the key of the row, and the commit that recorded them. */
  private readonly members = new Map<string, { readonly group: string; readonly sequence: number }>();

  readonly kind: RowKind = rowKind<Group>({
    aggregate: TRANSFER_AGGREGATE,
    collection: TRANSFERS,
    counted: 'transfers',
    fold: (commit, change) => {
      for (const event of commit.events) {
        if (decodedAccountEvents.owns(event.type)) decodedAccountEvents.read(event, commit, this.handlers, { commit, change });
      }
    },
    row: comparable,
    stored: (row: Row) => comparable(storedGroup(row)),
    count: ({ transfers }) => transfers.size,
  });

  private readonly handlers: EventHandlersOf<typeof decodedAccountEvents, Reading, void> = {
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
    TransfersRecorded: ({ accounts }, { commit, change }) => {
      let account = '';
      let filling = new Map<string, { readonly key: string; count: number }>();
      for (const { accountId, unit, transfers } of accounts) {
        for (const { requestId, toAccountId, amountMinor, pending } of transfers) {
          if (accountId !== account) filling = new Map();
          account = accountId;
          const id = transferId(accountId, requestId);
          let group = filling.get(toAccountId);
          if (group === undefined || group.count === GROUP_TRANSFERS) {
            group = { key: id, count: 0 };
            filling.set(toAccountId, group);
          } else this.members.set(id, { group: group.key, sequence: commit.sequence });
          group.count += 1;
          const createdAtUs = commit.committedAtUs;
          const transfer = { amountMinor, state: pending ? 'PENDING' : 'SETTLED', rejection: 0, targetReason: '', settledAtUs: pending ? 0 : createdAtUs };
          change(group.key, (before) => {
            const known = before ?? { fromAccountId: accountId, toAccountId, unit, createdAtUs, transfers: new Map<string, Transfer>() };
            return withTransfer(known, requestId, transfer);
          });
        }
      }
    },
    TransfersSettled: ({ accounts }, { commit, change }) => {
      for (const { accountId, transfers } of accounts) {
        for (const { requestId, rejection, targetReason } of transfers) {
          const id = transferId(accountId, requestId);
          change(this.members.get(id)?.group ?? id, (before) => {
            const transfer = before?.transfers.get(requestId);
            if (before === undefined || transfer === undefined)
              throw new Error(`transfer ${requestId} of account ${accountId} has a verdict, but was never recorded`);
            const state = Number(rejection) === 0 ? 'SETTLED' : 'REFUNDED';
            return withTransfer(before, requestId, { ...transfer, state, rejection, targetReason, settledAtUs: commit.committedAtUs });
          });
        }
      }
    },
  };

  /** Rows to which a key of the read store does not lead, of transfers that were recorded through the sequence. */
  async withoutKeys(copy: ReadCopy, head: number, only?: string): Promise<Set<string>> {
    const wrong = new Set<string>();
    const ids = [...this.members].flatMap(([id, { group, sequence }]) => (sequence <= head && (only === undefined || group === only) ? [id] : []));
    for (let at = 0; at < ids.length; at += KEYS_PER_CALL) {
      const asked = ids.slice(at, at + KEYS_PER_CALL);
      const rows = await copy.getMany(TRANSFER_KEYS.name, asked);
      asked.forEach((id, index) => {
        const group = this.members.get(id)?.group as string;
        if (rows[index]?.group_id !== group) wrong.add(group);
      });
    }
    return wrong;
  }
}

/** The map is the state's own: it is changed in place. */
function withTransfer(group: Group, requestId: string, transfer: Transfer): Group {
  (group.transfers as Map<string, Transfer>).set(requestId, transfer);
  return group;
}

function storedGroup(row: Row): Group & { readonly state: string } {
  const group = groupOf(row);
  return { ...group, state: row.state as string, transfers: new Map(group.transfers.map((transfer) => [transfer.requestId, transfer])) };
}

/** @param group its state is worked out where it says none. */
function comparable(group: Group & { readonly state?: string }): Readonly<Record<string, FieldValue>> {
  const { fromAccountId, toAccountId, unit, createdAtUs, transfers } = group;
  const fields: Record<string, FieldValue> = {
    from_account_id: fromAccountId,
    to_account_id: toAccountId,
    unit,
    created_at_us: createdAtUs,
    state: group.state ?? stateOf(transfers),
    count: transfers.size,
  };
  for (const [requestId, { amountMinor, state, rejection, targetReason, settledAtUs }] of transfers) {
    fields[`transfer ${requestId}`] = `${state}, ${amountMinor}, rejection ${rejection} ${targetReason}, settled at ${settledAtUs}`;
  }
  return fields;
}

function stateOf(transfers: ReadonlyMap<string, Transfer>): string {
  const states = new Set([...transfers.values()].map(({ state }) => state));
  return ['PENDING', 'REFUNDED'].find((state) => states.has(state)) ?? 'SETTLED';
}

export const transferVerification: ProjectionVerification = {
  kinds: [{ aggregate: TRANSFER_AGGREGATE, partitionKey: fromAccountOf }],
  partition: async (scope) => {
    const groups = new TransferGroups();
    const verification = await verifyRows(groups.kind).partition(scope);
    return {
      last: verification.last,
      take: (commit) => verification.take(commit),
      compare: async () => {
        const comparison = await verification.compare();
        const suspicious = new Set(comparison.suspicious.map(({ key }) => key));
        for (const key of await groups.withoutKeys(scope.copy, scope.head)) suspicious.add(key);
        return { ...comparison, suspicious: [...suspicious].map((key) => ({ aggregate: TRANSFER_AGGREGATE, key })) };
      },
    };
  },
  aggregate: async (scope, name) => {
    const groups = new TransferGroups();
    const verification = await verifyRows(groups.kind).aggregate(scope, name);
    return {
      last: verification.last,
      take: (commit) => verification.take(commit),
      compare: async () => {
        const comparison = await verification.compare();
        const lost = await groups.withoutKeys(scope.copy, scope.head, name.key);
        if (comparison === undefined || lost.size === 0) return comparison;
        return { ...comparison, differences: [...comparison.differences, 'a key in transfer_keys is missing, or leads to another row'] };
      },
    };
  },
};
