/**
 * What business dates of accounts have to be, one posting at a time: at which date it is booked, what it does to both balances, and that a closing balance is the sum of
 * what is booked up to its date, whatever the accounts keep as last-day balance.
 */
import { post, type AccountDay, type Booking, type RollPolicy } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';

/** A branch in a partition: its dates there, and how far the end of day is. */
export interface BranchHere {
  onlineDate: number;
  closedDate: number;
  nextDate: number;
  sealedDate: number;
  totalledDate: number;
  isDated: boolean;
  rolledFrom: bigint;
  rolledDate: number;
  readonly rollPolicy: RollPolicy;
}

/** A branch in all partitions. */
export interface BranchModel {
  readonly branchId: string;
  /** Its dates in order; the last is the online date. */
  readonly dates: number[];
  readonly here: BranchHere[];
}

export interface AccountModel {
  readonly accountId: string;
  readonly partition: number;
  readonly branch: BranchModel | undefined;
  day: AccountDay;
  balanceDate: number | undefined;
  /** What was booked at a date; what was booked before the branch had dates stands at the closed date of that time. */
  readonly booked: Map<number, bigint>;
}

export class DatedPostingsModel {
  /** By branch, partition, date and line: by what postings changed balances. */
  private readonly movements = new Map<string, bigint>();

  /** The date at which it is booked; undefined: the branch of the account has none. */
  book(model: AccountModel, deltaMinor: bigint, line: logpb.ContraLine, bookingIn: (branch: BranchHere) => Booking): number | undefined {
    const branch = model.branch?.here[model.partition];
    if (branch === undefined || !branch.isDated) {
      model.day = { ...model.day, balanceMinor: model.day.balanceMinor + deltaMinor };
      return undefined;
    }
    const booking = bookingIn(branch);
    const policy = booking.isFixed || booking.closed <= branch.sealedDate ? 'BEFORE_POSTING' : branch.rollPolicy;
    const { account: after, date } = post(model.day, policy, booking, deltaMinor);
    model.day = after;
    model.balanceDate = date;
    model.booked.set(date, (model.booked.get(date) ?? 0n) + deltaMinor);
    const key = `${model.branch?.branchId} ${model.partition} ${date} ${booking.inTransit ? logpb.ContraLine.CONTRA_LINE_IN_TRANSIT : line}`;
    this.movements.set(key, (this.movements.get(key) ?? 0n) + deltaMinor);
    return date;
  }

  /** What postings of dates after the first and up to the last changed balances by, against the line. */
  movement(branchId: string, partition: number, line: logpb.ContraLine, after: number, until: number): bigint {
    const dates = Array.from({ length: until - after }, (_, back) => until - back);
    return sumOf(dates.map((date) => this.movements.get(`${branchId} ${partition} ${date} ${line}`) ?? 0n));
  }
}

/** The account's branch has dates from now on. */
export function beginDays(model: AccountModel, closedDate: number): void {
  const { balanceMinor } = model.day;
  model.day = { balanceMinor, lastDayBalanceMinor: balanceMinor, lastDayDate: closedDate };
  model.booked.set(closedDate, balanceMinor);
}

/** The sweep behind the date looked at the account. */
export function sweep(model: AccountModel, date: number): void {
  const { balanceMinor, lastDayBalanceMinor, lastDayDate } = model.day;
  if (lastDayDate < date && lastDayBalanceMinor !== balanceMinor) model.day = { balanceMinor, lastDayBalanceMinor: balanceMinor, lastDayDate: date };
}

export function closingBalance({ booked }: AccountModel, date: number): bigint {
  return sumOf([...booked].filter(([at]) => at <= date).map(([, sum]) => sum));
}

export function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}
