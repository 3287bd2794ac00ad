/** What a partition keeps of each account whose branch has business dates, in columns by the account's ordinal: sweeps and jobs walk them and unpack no account. */
import type { CalendarDate } from '@sluice/domain/day';

/** Before every date. */
export const NO_DATE: CalendarDate = -2_147_483_648;

/** In the column of terms: the account's term ended and was not renewed. */
export const TERM_ENDED: CalendarDate = NO_DATE + 1;

const INITIAL_ACCOUNTS = 1_024;

export class DayColumns {
  /** Balances at the end of the last-day date, minor units. */
  lastDayBalances = new BigInt64Array(INITIAL_ACCOUNTS);
  /** Dates that have ended for the accounts, as far as a posting or a sweep has said so. */
  lastDayDates = new Int32Array(INITIAL_ACCOUNTS).fill(NO_DATE);
  /** Business dates of the newest postings. */
  balanceDates = new Int32Array(INITIAL_ACCOUNTS).fill(NO_DATE);
  /** Accrued interest that was not booked, in millionths of a minor unit. */
  accrued = new BigInt64Array(INITIAL_ACCOUNTS);
  /** What its division left. */
  accruedRemainders = new Int32Array(INITIAL_ACCOUNTS);
  /** Interest has accrued up to this date. */
  accruedUntil = new Int32Array(INITIAL_ACCOUNTS).fill(NO_DATE);
  /** At which date the accounts' terms end; NO_DATE: none has begun. */
  termUntil = new Int32Array(INITIAL_ACCOUNTS).fill(NO_DATE);

  /** Makes room for so many accounts. */
  grow(accounts: number): void {
    const size = this.lastDayDates.length;
    if (accounts <= size) return;
    const wanted = Math.max(accounts, size * 2);
    this.lastDayBalances = grown(this.lastDayBalances, new BigInt64Array(wanted));
    this.lastDayDates = grown(this.lastDayDates, new Int32Array(wanted).fill(NO_DATE));
    this.balanceDates = grown(this.balanceDates, new Int32Array(wanted).fill(NO_DATE));
    this.accrued = grown(this.accrued, new BigInt64Array(wanted));
    this.accruedRemainders = grown(this.accruedRemainders, new Int32Array(wanted));
    this.accruedUntil = grown(this.accruedUntil, new Int32Array(wanted).fill(NO_DATE));
    this.termUntil = grown(this.termUntil, new Int32Array(wanted).fill(NO_DATE));
  }

  /** As they are now, for so many accounts. */
  copy(accounts: number): DayColumns {
    const copy = new DayColumns();
    copy.grow(accounts);
    copy.lastDayBalances.set(this.lastDayBalances.subarray(0, accounts));
    copy.lastDayDates.set(this.lastDayDates.subarray(0, accounts));
    copy.balanceDates.set(this.balanceDates.subarray(0, accounts));
    copy.accrued.set(this.accrued.subarray(0, accounts));
    copy.accruedRemainders.set(this.accruedRemainders.subarray(0, accounts));
    copy.accruedUntil.set(this.accruedUntil.subarray(0, accounts));
    copy.termUntil.set(this.termUntil.subarray(0, accounts));
    return copy;
  }
}

function grown<Column extends Int32Array | BigInt64Array>(column: Column, room: Column): Column {
  (room as Int32Array).set(column as Int32Array);
  return room;
}
