/**
 * The business dates of a branch as the accounts of one partition know them: a row per branch and partition. It says up to which date all of them are rolled, and
 * when dates were set for the first time or by hand: then what every account had became its last-day balance, by one event that names no account.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { FieldValue, Row } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { accountEvents } from '@sluice/protocol/account';
import { projectedRows } from '../row-projection';
import { sortableNumber } from '../sortable-number';
import { ACCOUNT_BRANCH_DAYS } from './collections';

export const BRANCH_DAY_AGGREGATE = 'branch day';

/** Dates that were set for the first time or by hand. */
export interface SetDates {
  readonly sequence: number;
  readonly committedAtUs: number;
  /** The first date that closes with what the accounts had then: the closed date; where dates were set ahead, the date that was online. What closed at it or later before is void. */
  readonly from: CalendarDate;
}

export interface AccountBranchDays {
  readonly branchId: string;
  readonly onlineDate: CalendarDate;
  /** All accounts of the branch in the partition are rolled up to this date. */
  readonly rolledDate: CalendarDate;
  /** In order; at least one. */
  readonly setDates: readonly SetDates[];
}

type Change =
  | { readonly kind: 'set'; readonly branchId: string; readonly onlineDate: CalendarDate; readonly closedDate: CalendarDate; readonly byHand: boolean }
  | { readonly kind: 'rolled'; readonly branchId: string; readonly date: CalendarDate };

export const branchDayKey = (partition: number, branchId: string): string => `${sortableNumber(partition)}/${branchId}`;

function read(commit: DecodedCommit, event: EventRecord, visit: (key: string, change: Change) => void): boolean {
  const set = accountEvents.readOnly('BranchDaySet', event, commit);
  if (set !== undefined) {
    const { branchId, onlineDate, closedDate, byHand } = set;
    visit(branchDayKey(commit.partition, branchId), { kind: 'set', branchId, onlineDate, closedDate, byHand });
    return true;
  }
  const rolled = accountEvents.readOnly('AccountsRolled', event, commit);
  if (rolled?.complete === true) visit(branchDayKey(commit.partition, rolled.branchId), { kind: 'rolled', branchId: rolled.branchId, date: rolled.date });
  return rolled !== undefined;
}

/** Whether the event sets the dates of a branch by hand, or for the first time: no run has cut the day. */
export function setsDates(commit: DecodedCommit, event: EventRecord): boolean {
  return accountEvents.readOnly('BranchDaySet', event, commit)?.runId === '';
}

function evolve(before: AccountBranchDays | undefined, change: Change, { sequence, committedAtUs }: DecodedCommit): AccountBranchDays {
  if (change.kind === 'set') {
    const { branchId, onlineDate, closedDate, byHand } = change;
    if (before !== undefined && !byHand) return { ...before, onlineDate };
    const from = before === undefined ? closedDate : Math.min(closedDate, before.onlineDate);
    return { branchId, onlineDate, rolledDate: closedDate, setDates: [...(before?.setDates ?? []), { sequence, committedAtUs, from }] };
  }
  if (before === undefined) throw new Error(`accounts of branch ${change.branchId} are rolled, but it has no business dates`);
  return { ...before, rolledDate: Math.max(before.rolledDate, change.date) };
}

function row({ branchId, onlineDate, rolledDate, setDates }: AccountBranchDays, partition: number): Readonly<Record<string, FieldValue>> {
  const set = setDates.map(({ sequence, committedAtUs, from }) => [sequence, committedAtUs, from]);
  return { branch_id: branchId, partition, online_date: onlineDate, rolled_date: rolledDate, set_dates: JSON.stringify(set) };
}

export function branchDaysOf(row: Row): AccountBranchDays {
  const set = JSON.parse(row.set_dates as string) as [number, number, number][];
  return {
    branchId: row.branch_id as string,
    onlineDate: row.online_date as number,
    rolledDate: row.rolled_date as number,
    setDates: set.map(([sequence, committedAtUs, from]) => ({ sequence, committedAtUs, from })),
  };
}

export const branchDayRows = projectedRows({ aggregate: BRANCH_DAY_AGGREGATE, collection: ACCOUNT_BRANCH_DAYS, read, evolve, row, stateOf: branchDaysOf });
