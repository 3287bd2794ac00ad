/**
 * Business dates of an account, as the log makes them: every closing balance is a sum of postings by their dates, which is the day proof. What the account closed
 * date T with is what it closed the date before with, and what was booked at T. Events say last-day balances; each is compared with that sum.
 *
 * Sums are kept for the dates that may change still; older ones are one number. The rows that closing balances must have are digested as they come, so that an
 * account takes the same room however many dates it has closed.
 */
import { murmurHash3 } from '@sluice/domain';

/** What an event says of an account's day. */
export interface SaidDay {
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly lastDayDate: number;
  readonly lastDayBalanceMinor: bigint;
  /** Of postings. */
  readonly booked: { readonly date: number; readonly deltaMinor: bigint; readonly accepted: boolean } | undefined;
  /** The commit set dates without a run before it. */
  readonly behindSetDates: boolean;
}

/** Rows of closing balances as one number, whatever order they come in. */
export class ClosingDigest {
  count = 0;
  private sum = 0;

  add(date: number, balanceMinor: bigint): void {
    this.count += 1;
    this.sum = (this.sum + hashOf(date, balanceMinor)) | 0;
  }

  remove(date: number, balanceMinor: bigint): void {
    this.count -= 1;
    this.sum = (this.sum - hashOf(date, balanceMinor)) | 0;
  }

  get text(): string {
    return `${this.count} closing balances, ${this.sum}`;
  }
}

function hashOf(date: number, balanceMinor: bigint): number {
  const text = Buffer.from(`${date} ${balanceMinor}`, 'latin1');
  return murmurHash3(text, 0, text.length, 3);
}

/** Rows that are kept of an account whose closing balances are only digested. */
const KEPT_ROWS = 4;

export class LedgerDays {
  readonly digest = new ClosingDigest();
  /** Rows by date; where they are only digested the newest ones. */
  readonly rows = new Map<number, bigint>();
  lastDayDate: number | undefined;
  lastDayBalanceMinor = 0n;
  updatedAtUs = 0;
  balanceDate: number | undefined;
  /** Date behind the last-day date at which something was booked. */
  openDate: number | undefined;
  /** Since when the dates before the last-day date closed with one balance, and that; undefined: dates were set back. */
  earlier: { readonly date: number; readonly balanceMinor: bigint } | undefined;
  /** Booked at dates up to `sumsBehind`, and what there was before dates were set. */
  private base: bigint;
  private sumsBehind = Number.NEGATIVE_INFINITY;
  /** What was booked, by date. */
  private readonly sums = new Map<number, bigint>();

  /**
   * @param balanceMinor when dates were set, or 0 when it was opened.
   * @param keepsRows all rows, and not only the digest.
   */
  constructor(
    balanceMinor: bigint,
    private readonly keepsRows: boolean,
  ) {
    this.base = balanceMinor;
  }

  /** Dates were set: what the account has is its last-day balance. */
  set(balanceMinor: bigint): void {
    this.base = balanceMinor;
    this.sums.clear();
    this.sumsBehind = Number.NEGATIVE_INFINITY;
  }

  /** Takes the event in. Returns what is wrong with it; undefined: nothing. */
  say(said: SaidDay): string | undefined {
    const { sequence, lastDayDate, lastDayBalanceMinor, booked } = said;
    const before = this.closing(Number.POSITIVE_INFINITY);
    if (booked !== undefined) {
      if (booked.date <= this.sumsBehind) return `sequence ${sequence} books at date ${booked.date}, which was closed twice since`;
      this.sums.set(booked.date, (this.sums.get(booked.date) ?? 0n) + booked.deltaMinor);
    }
    const closing = this.closing(lastDayDate);
    this.takeRows(said, before, closing);
    this.forgetSums();
    if (closing === lastDayBalanceMinor) return undefined;
    return `sequence ${sequence} says the last-day balance of date ${lastDayDate} is ${lastDayBalanceMinor}, the postings up to that date make it ${closing}`;
  }

  /** Something was booked at a date up to this one, and nothing has ended that date for the account. */
  isOpenAt(date: number): boolean {
    return this.openDate !== undefined && this.openDate <= date && (this.sums.get(this.openDate) ?? 0n) !== 0n;
  }

  private closing(date: number): bigint {
    let balance = this.base;
    for (const [at, sum] of this.sums) if (at <= date) balance += sum;
    return balance;
  }

  private takeRows(said: SaidDay, before: bigint, closing: bigint): void {
    const { lastDayDate: date, committedAtUs, booked, behindSetDates } = said;
    const known = this.lastDayDate;
    const wasMinor = known === undefined ? before : this.lastDayBalanceMinor;
    let closesWith: bigint | undefined = wasMinor;
    if (known === undefined) this.earlier = { date: Number.NEGATIVE_INFINITY, balanceMinor: before };
    else if (date < known) {
      this.earlier = undefined;
      closesWith = undefined;
    } else if (date === known) {
      if (booked !== undefined && booked.deltaMinor !== 0n && booked.date < date) {
        this.earlier = { date: booked.date, balanceMinor: this.closing(booked.date) };
        this.put(booked.date, this.earlier.balanceMinor);
      }
    } else if (this.openDate !== undefined && this.openDate < date) {
      this.earlier = { date: this.openDate, balanceMinor: before };
      if (before !== wasMinor) this.put(this.openDate, before);
      closesWith = before;
    } else this.earlier = { date: known, balanceMinor: wasMinor };
    if (closing !== closesWith || behindSetDates) this.put(date, closing);
    this.lastDayDate = date;
    this.lastDayBalanceMinor = closing;
    if (closing !== wasMinor) this.updatedAtUs = committedAtUs;
    if (booked?.accepted === true) this.balanceDate = booked.date;
    if (booked !== undefined && booked.deltaMinor !== 0n && booked.date > date) this.openDate = booked.date;
    else if (this.openDate !== undefined && (this.openDate <= date || (known !== undefined && date < known))) this.openDate = undefined;
  }

  private put(date: number, balanceMinor: bigint): void {
    const old = this.rows.get(date);
    if (old !== undefined) this.digest.remove(date, old);
    this.digest.add(date, balanceMinor);
    this.rows.delete(date);
    this.rows.set(date, balanceMinor);
    // A row that is forgotten and written again makes the digest wrong: the account is compared row by row then.
    const [oldest] = this.rows.keys();
    if (!this.keepsRows && this.rows.size > KEPT_ROWS && oldest !== undefined) this.rows.delete(oldest);
  }

  /** Nothing is booked any more at dates before the one that the dates before the last-day date have closed since. */
  private forgetSums(): void {
    const from = this.earlier?.date;
    if (from === undefined) return;
    for (const [date, sum] of this.sums) {
      if (date >= from) continue;
      this.base += sum;
      this.sums.delete(date);
      this.sumsBehind = Math.max(this.sumsBehind, date);
    }
  }
}
