/**
 * What an account closed a business date with. The newest of these at or before the date, as far as dates that were set by hand later have not made it void:
 *
 *   what the account's own row says of its newest dates     without another read; where most questions end
 *   its rows in `closing_balances`                          one look-up
 *   dates were set by hand, or for the first time           the balance that its entries had come to then
 *   it was opened                                           nothing
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { ReadCopy, Row, RowPosition } from '@sluice/ports';
import type { AccountBranchDays } from './account-branch-days';
import type { AccountSnapshot } from './account-reader';
import { closingsUntil } from './closing-id';
import { CLOSING_BALANCES } from './collections';
import { EntryChain, type LoadSegment } from './entry-chain';
import { lastDayOf, statedDayInForce, stillHolds } from './last-day';
import type { StatedDay } from './stated-day';

/** The balance, or why there is none. */
export type ClosingBalance =
  | { readonly kind: 'closed'; readonly balanceMinor: bigint }
  | { readonly kind: 'NO_BUSINESS_DATES' | 'DATE_NOT_CLOSED' | 'ACCOUNT_NOT_OPEN_THEN' };

/** Rows that dates set by hand have made void are passed over: there are hardly ever any. */
const ROWS_PER_PAGE = 4;

/** From where on an account has closing balances: it was opened, or dates were set. */
interface Origin {
  readonly date: CalendarDate;
  /** 0: it was opened. */
  readonly setAt: number;
}

export async function closingBalanceAt(copy: ReadCopy, snapshot: AccountSnapshot, date: CalendarDate, loadSegment: LoadSegment): Promise<ClosingBalance> {
  const { account, branchDays } = snapshot;
  if (branchDays === undefined) return { kind: 'NO_BUSINESS_DATES' };
  if (date > (lastDayOf(snapshot) as { readonly date: CalendarDate }).date) return { kind: 'DATE_NOT_CLOSED' };
  const origin = originOf(snapshot, branchDays, date);
  if (origin !== undefined) {
    const stated = statedAt(statedDayInForce(account.day, branchDays), branchDays, date);
    if (stated !== undefined) return closed(stated);
  }
  if (origin !== undefined && wasOpenAt(account.day, branchDays, date, origin)) return closed(account.balanceMinor);
  // No event names the account: it has no rows.
  const row = account.day === undefined ? undefined : await newestRow(copy, snapshot, branchDays, date);
  // A leg of a date before the account was opened.
  if (origin === undefined) return row === undefined || row.balance_minor === 0n ? { kind: 'ACCOUNT_NOT_OPEN_THEN' } : closed(row.balance_minor as bigint);
  if (row !== undefined && (row.date as number) >= origin.date) return closed(row.balance_minor as bigint);
  if (origin.setAt === 0) return closed(0n);
  if (account.day === undefined) return closed(account.balanceMinor);
  const moment = await new EntryChain(account.accountId, account.spine, loadSegment).momentBeforeSequence(origin.setAt + 1);
  return closed(moment?.balanceMinor ?? 0n);
}

function closed(balanceMinor: bigint): ClosingBalance {
  return { kind: 'closed', balanceMinor };
}

/** The newest origin at or before the date. */
function originOf({ profile }: AccountSnapshot, branchDays: AccountBranchDays, date: CalendarDate): Origin | undefined {
  const { openedDate, openedSequence } = profile;
  let origin: Origin | undefined;
  if (openedDate !== undefined && openedDate <= date && stillHolds({ date: openedDate, sequence: openedSequence }, branchDays))
    origin = { date: openedDate, setAt: 0 };
  // Opened in the commit that set dates for the first time: without a date, it was before that.
  const first = openedDate === undefined ? openedSequence : openedSequence + 1;
  for (const { sequence, from } of branchDays.setDates) {
    if (from <= date && sequence >= first && stillHolds({ date: from, sequence }, branchDays)) origin = { date: from, setAt: sequence };
  }
  return origin;
}

/** What the account's row says of the date; undefined: nothing. */
function statedAt(day: StatedDay | undefined, branchDays: AccountBranchDays, date: CalendarDate): bigint | undefined {
  if (day === undefined) return undefined;
  if (day.date <= date) return day.balanceMinor;
  const { before } = day;
  return before !== undefined && before.date <= date && isOfThisSetting(before.sequence, branchDays) ? before.balanceMinor : undefined;
}

/** Dates were set by hand before anything ended the account's open date: it closed with what the account had then, and has still where no event names it since. */
function wasOpenAt(day: StatedDay | undefined, branchDays: AccountBranchDays, date: CalendarDate, origin: Origin): boolean {
  if (day?.openDate === undefined || statedDayInForce(day, branchDays) !== undefined) return false;
  return day.openDate <= date && day.openDate >= origin.date && stillHolds({ date: day.openDate, sequence: day.sequence }, branchDays);
}

/** Whether it was said since dates were set last. */
function isOfThisSetting(sequence: number, { setDates }: AccountBranchDays): boolean {
  return sequence >= (setDates.at(-1)?.sequence ?? 0);
}

async function newestRow(copy: ReadCopy, { account, profile }: AccountSnapshot, branchDays: AccountBranchDays, date: CalendarDate): Promise<Row | undefined> {
  const range = closingsUntil(profile.partition, account.accountId, date);
  let after: RowPosition | undefined;
  do {
    const page = await copy.find({ collection: CLOSING_BALANCES.name, range, direction: 'descending', after, limit: ROWS_PER_PAGE });
    for (const row of page.rows) if (stillHolds({ date: row.date as number, sequence: row.sequence as number }, branchDays)) return row;
    after = page.next;
  } while (after !== undefined);
  return undefined;
}
