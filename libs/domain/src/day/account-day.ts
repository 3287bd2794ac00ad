/**
 * The two balances of an account over the change of a business date: the real-time balance, which every posting changes, and the last-day balance, which is what the account had at the end of
 * a date. After the "data processing method (batch and online)" of 2022: an account is rolled by its first posting of a later date, or by the sweep behind the day cut, whichever comes first.
 */
import type { CalendarDate } from './calendar-date';

/** Which date the first posting behind a day cut belongs to that finds its account not rolled yet: the new one, or the one that it closes. */
export const ROLL_POLICIES = ['BEFORE_POSTING', 'AFTER_POSTING'] as const;
export type RollPolicy = (typeof ROLL_POLICIES)[number];

export interface AccountDay {
  readonly balanceMinor: bigint;
  readonly lastDayBalanceMinor: bigint;
  /** The business date at whose end the account had the last-day balance. */
  readonly lastDayDate: CalendarDate;
}

/** Where a posting was initiated. */
export interface BusinessDates {
  /** The online date; of a posting of the batch, the batch date. */
  readonly date: CalendarDate;
  /** The business date before it: the newest that is closed for postings of `date`. */
  readonly closed: CalendarDate;
}

/** An account that is opened at these dates. */
export function openedAccountDay({ closed }: BusinessDates): AccountDay {
  return { balanceMinor: 0n, lastDayBalanceMinor: 0n, lastDayDate: closed };
}

/** The account as the end of a date leaves it: unchanged where that date has ended for it already. */
export function roll(account: AccountDay, closed: CalendarDate): AccountDay {
  if (account.lastDayDate >= closed) return account;
  return { ...account, lastDayBalanceMinor: account.balanceMinor, lastDayDate: closed };
}

export interface DatedPosting {
  readonly account: AccountDay;
  /** The business date that the posting belongs to. */
  readonly date: CalendarDate;
}

/**
 * Takes a posting into both balances. A posting whose date has ended for the account changes the last-day balance, too: a leg that was initiated before the day cut and comes behind it, or a posting of the batch.
 *
 * @param deltaMinor by what it changes the balance.
 */
export function post(account: AccountDay, policy: RollPolicy, { date, closed }: BusinessDates, deltaMinor: bigint): DatedPosting {
  if (account.lastDayDate < closed && policy === 'AFTER_POSTING') return { account: roll(changed(account, deltaMinor, 0n), closed), date: closed };
  const rolled = roll(account, closed);
  return { account: changed(rolled, deltaMinor, date <= rolled.lastDayDate ? deltaMinor : 0n), date };
}

function changed(account: AccountDay, deltaMinor: bigint, lastDayDeltaMinor: bigint): AccountDay {
  return {
    ...account,
    balanceMinor: account.balanceMinor + deltaMinor,
    lastDayBalanceMinor: account.lastDayBalanceMinor + lastDayDeltaMinor,
  };
}
