/** The business date of the postings of one account in one turn, what they do to its last-day balance, and the lines that they are booked against. */
import { post, type AccountDay, type Booking, type CalendarDate, type RollPolicy } from '@sluice/domain/day';
import { logpb, type ByteWriter } from '@sluice/protocol';
import { CAPABILITY_FLAG, FROM_ACCOUNT_FLAG, FUNDS_FLAG, INTEREST_FLAG, TO_ACCOUNT_FLAG, type PostingsDay, type PostingsLine } from '@sluice/protocol/account';
import type { AccountDays, PartitionBranch } from './account-days';

const { CONTRA_LINE_CASH, CONTRA_LINE_INTER_BRANCH, CONTRA_LINE_INTEREST, CONTRA_LINE_IN_TRANSIT, CONTRA_LINE_FUNDS } = logpb.ContraLine;

interface LineSum {
  readonly line: logpb.ContraLine;
  debitMinor: bigint;
  creditMinor: bigint;
  count: number;
}

export class GroupDay {
  branch!: PartitionBranch;
  private ordinal = 0;
  private before!: AccountDay;
  private after!: AccountDay;
  private date: CalendarDate = 0;
  private booking!: Booking;
  private readonly sums = new Map<logpb.ContraLine, LineSum>();

  constructor(private readonly days: AccountDays) {}

  begin(ordinal: number, branch: PartitionBranch, booking: Booking): void {
    this.ordinal = ordinal;
    this.branch = branch;
    this.before = this.days.day(ordinal);
    this.booking = booking;
    this.sums.clear();
  }

  /** Whether what is booked so may stand in this group. */
  takes({ date, valueDate, inTransit, isFixed }: Booking): boolean {
    const { booking } = this;
    return date === booking.date && valueDate === booking.valueDate && inTransit === booking.inTransit && (isFixed === booking.isFixed || this.isRolled);
  }

  private get isRolled(): boolean {
    return this.before.lastDayDate >= this.booking.closed;
  }

  /** The group has no posting that moves the balance yet: it may be booked otherwise. */
  rebook(booking: Booking): void {
    this.booking = booking;
  }

  /** The first posting behind a cut is counted to the closed date: what follows belongs to another group. */
  get endsWithFirst(): boolean {
    return !this.isRolled && this.policy === 'AFTER_POSTING';
  }

  /** The date at which the postings stand in the books. */
  get bookedDate(): CalendarDate {
    return this.endsWithFirst ? this.booking.closed : this.booking.date;
  }

  /** No posting is counted to a date that is sealed, and none whose date is fixed to another one. */
  private get policy(): RollPolicy {
    const { closed, isFixed } = this.booking;
    return isFixed || closed <= this.branch.sealedDate ? 'BEFORE_POSTING' : this.branch.rollPolicy;
  }

  /**
   * A posting was accepted.
   *
   * @param isFunds it pays or gives back funds that another capability took.
   * @param deltaMinor by what it changed the balance.
   */
  add(flags: number, isFunds: boolean, deltaMinor: bigint): void {
    if (deltaMinor === 0n) return;
    const line = this.lineOf(flags, isFunds);
    let sum = this.sums.get(line);
    if (sum === undefined) {
      sum = { line, debitMinor: 0n, creditMinor: 0n, count: 0 };
      this.sums.set(line, sum);
    }
    if (deltaMinor < 0n) sum.debitMinor -= deltaMinor;
    else sum.creditMinor += deltaMinor;
    sum.count += 1;
  }

  private lineOf(flags: number, isFunds: boolean): logpb.ContraLine {
    if (this.booking.inTransit) return CONTRA_LINE_IN_TRANSIT;
    if ((flags & INTEREST_FLAG) !== 0) return CONTRA_LINE_INTEREST;
    if (isFunds || (flags & (FUNDS_FLAG | CAPABILITY_FLAG)) !== 0) return CONTRA_LINE_FUNDS;
    return (flags & (TO_ACCOUNT_FLAG | FROM_ACCOUNT_FLAG)) !== 0 ? CONTRA_LINE_INTER_BRANCH : CONTRA_LINE_CASH;
  }

  /** The group is whole: takes it into the day of the account and the movements of the branch. */
  finish(accepted: number, deltaMinor: bigint): void {
    const { before, booking } = this;
    this.date = this.bookedDate;
    this.after = accepted === 0 ? before : post(before, this.policy, booking, deltaMinor).account;
    if (accepted === 0) return;
    const { lastDayDate, lastDayBalanceMinor } = this.after;
    take(this.days, this.ordinal, this.branch, { businessDate: this.date, lastDayDate, lastDayBalanceMinor, lines: this.sums.values() });
  }

  /** Writes the fields of AccountPostings from business_date on. */
  write(writer: ByteWriter): void {
    writeDate(writer, 0x90, this.date);
    writeDate(writer, 0x98, this.after.lastDayDate);
    if (this.after.lastDayBalanceMinor !== 0n) {
      writer.reserve(1);
      writer.byte(0xa0);
      writer.sint64Field(0x01, this.after.lastDayBalanceMinor);
    }
    for (const { line, debitMinor, creditMinor, count } of this.sums.values()) {
      writer.reserve(1);
      writer.byte(0xaa);
      const sum = writer.open(0x01);
      writer.numberField(0x08, line);
      writer.sint64Field(0x10, debitMinor);
      writer.sint64Field(0x18, creditMinor);
      writer.numberField(0x20, count);
      writer.close(sum);
    }
    if (this.booking.valueDate !== undefined) writeDate(writer, 0xb0, this.booking.valueDate);
  }
}

/** Tags from field 16 on have a second byte, 1. */
function writeDate(writer: ByteWriter, tag: number, date: CalendarDate): void {
  writer.reserve(12);
  writer.byte(tag);
  writer.byte(0x01);
  writer.zigzag64(date, date < 0 ? -1 : 0);
}

/** Takes what a recorded group says of its day. */
export function takePostingsDay(days: AccountDays, ordinal: number, day: PostingsDay): void {
  const branch = days.branchOf(ordinal);
  if (branch === undefined) throw new Error(`dated postings of an account of branch ${days.branchIdAt(ordinal)}, which has no dates`);
  take(days, ordinal, branch, day);
}

/** Takes the day of a group, of a turn or from the log, into that of its account and the movements of its branch. */
function take(
  days: AccountDays,
  ordinal: number,
  branch: PartitionBranch,
  { businessDate, lastDayDate, lastDayBalanceMinor, lines }: Omit<PostingsDay, 'lines' | 'valueDate'> & { readonly lines: Iterable<PostingsLine> },
): void {
  days.setLastDay(ordinal, lastDayBalanceMinor, lastDayDate);
  days.columns.balanceDates[ordinal] = businessDate;
  const accounts = days.classAt(ordinal);
  for (const { line, debitMinor, creditMinor, count } of lines) {
    branch.movements.add(businessDate, days.classNumberAt(ordinal), accounts, line, debitMinor, creditMinor, count);
  }
}
