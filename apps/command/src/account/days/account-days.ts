/**
 * Business dates of the accounts of one partition: the dates of its branches, and the day of each account.
 *
 *   SetBranchDay ──▶ branches ──▶ postings are dated, accounts are rolled by their first posting behind a cut
 *   RollAccounts ──▶ accounts that had none, in steps
 *
 * Until the first branch has dates nothing is kept, and a posting costs one comparison.
 */
import type { AccountDay, BranchDay, CalendarDate, RollPolicy } from '@sluice/domain/day';
import type { AccountTable } from '../account-table';
import { DayColumns, NO_DATE } from './day-columns';
import { Movements, type AccountClass } from './movements';
import { TurnRoom } from './turn-room';

/** A branch in this partition. */
export class PartitionBranch implements BranchDay {
  onlineDate: CalendarDate = NO_DATE;
  closedDate: CalendarDate = NO_DATE;
  nextDate: CalendarDate = NO_DATE;
  sealedDate: CalendarDate = NO_DATE;
  totalledDate: CalendarDate = NO_DATE;
  rollPolicy: RollPolicy = 'BEFORE_POSTING';
  readonly movements = new Movements();
  /** Transfers from accounts of the branch that are on their way, by the date at which they were debited. */
  readonly outgoing = new Map<CalendarDate, number>();

  constructor(readonly branchId: string) {}

  get isDated(): boolean {
    return this.onlineDate !== NO_DATE;
  }

  /** Closing balances and movements up to the date are totalled: these movements are forgotten. */
  totalled(date: CalendarDate): void {
    this.movements.forgetUntil(date);
    this.totalledDate = Math.max(this.totalledDate, date);
  }

  /** How many transfers of dates up to this one are on their way. */
  outgoingUntil(date: CalendarDate): number {
    let count = 0;
    for (const [at, outgoing] of this.outgoing) if (at <= date) count += outgoing;
    return count;
  }

  /** @param change how many more are on their way. */
  countOutgoing(date: CalendarDate, change: number): void {
    const count = (this.outgoing.get(date) ?? 0) + change;
    if (count === 0) this.outgoing.delete(date);
    else this.outgoing.set(date, count);
  }
}

/** Dates as a command or an event sets them. */
export interface BranchDates {
  readonly onlineDate: CalendarDate;
  readonly closedDate: CalendarDate;
  readonly nextDate: CalendarDate;
  readonly rollPolicy: RollPolicy;
  readonly byHand: boolean;
}

/** A class of accounts, and the branch that dates it. */
interface KnownClass extends AccountClass {
  readonly branch: PartitionBranch;
}

export class AccountDays {
  readonly columns = new DayColumns();
  /** For what steps record. */
  readonly turnRoom = new TurnRoom();
  private readonly branches = new Map<string, PartitionBranch>();
  private readonly ordinalsByBranch = new Map<string, OrdinalList>();
  private readonly classes: KnownClass[] = [];
  private readonly classNumbers = new Map<string, number>();
  private classOf = new Int32Array(0);
  /** Whether classes and lists of accounts are kept: from the first branch with dates on. */
  private indexed = false;

  constructor(private readonly table: AccountTable) {}

  /** False: no branch has dates in this partition. */
  get hasDates(): boolean {
    return this.indexed;
  }

  /** The branch of the account, if it has dates. */
  branchOf(ordinal: number): PartitionBranch | undefined {
    if (!this.indexed) return undefined;
    const { branch } = this.classAt(ordinal);
    return branch.isDated ? branch : undefined;
  }

  /** The branch, if it has dates here. */
  branch(branchId: string): PartitionBranch | undefined {
    const branch = this.branches.get(branchId);
    return branch?.isDated ? branch : undefined;
  }

  get datedBranches(): PartitionBranch[] {
    return [...this.branches.values()].filter(({ isDated }) => isDated);
  }

  /** Accounts of the branch in this partition, in the order of their opening. Grows at its end only. */
  ordinalsOf(branchId: string): { readonly length: number; at(place: number): number } {
    return this.ordinalsByBranch.get(branchId) ?? EMPTY_LIST;
  }

  /** Product, unit and branch of the account, with a number that is unique in the partition as long as it is in memory. */
  classAt(ordinal: number): KnownClass {
    return this.classes[this.classOf[ordinal] as number] as KnownClass;
  }

  /** For messages; '' where nothing is kept. */
  branchIdAt(ordinal: number): string {
    return this.indexed ? this.classAt(ordinal).branchId : '';
  }

  classNumberAt(ordinal: number): number {
    return this.classOf[ordinal] as number;
  }

  /** Both balances of the account. Its branch has dates. */
  day(ordinal: number): AccountDay {
    const { lastDayBalances, lastDayDates } = this.columns;
    return {
      balanceMinor: this.table.balanceAt(ordinal),
      lastDayBalanceMinor: lastDayBalances[ordinal] as bigint,
      lastDayDate: lastDayDates[ordinal] as number,
    };
  }

  setLastDay(ordinal: number, balanceMinor: bigint, date: CalendarDate): void {
    this.columns.lastDayBalances[ordinal] = balanceMinor;
    this.columns.lastDayDates[ordinal] = date;
  }

  /** The balance at the end of a date that is sealed: an account that nothing has rolled had no posting behind it. */
  closingBalance(ordinal: number, date: CalendarDate): bigint {
    return (this.columns.lastDayDates[ordinal] as number) >= date ? (this.columns.lastDayBalances[ordinal] as bigint) : this.table.balanceAt(ordinal);
  }

  // ---- what changes ----

  /** Takes dates that a command or an event sets. The first time, and by hand, what the accounts have is their last-day balance. */
  setDates(branchId: string, { byHand, ...dates }: BranchDates): void {
    this.index();
    const branch = this.knownBranch(branchId);
    const isFirst = !branch.isDated;
    Object.assign(branch, dates);
    if (!isFirst && !byHand) return;
    branch.sealedDate = dates.closedDate;
    branch.totalledDate = dates.closedDate;
    const ordinals = this.ordinalsOf(branchId);
    for (let place = 0; place < ordinals.length; place += 1) {
      const ordinal = ordinals.at(place);
      this.setLastDay(ordinal, this.table.balanceAt(ordinal), dates.closedDate);
    }
  }

  /** Takes a branch of a snapshot. */
  restoreBranch(branchId: string, dates: BranchDay): PartitionBranch {
    this.index();
    return Object.assign(this.knownBranch(branchId), dates);
  }

  /** An account was opened. */
  opened(ordinal: number): void {
    if (!this.indexed) return;
    this.enter(ordinal, this.numberOfClass(ordinal));
    const branch = this.branchOf(ordinal);
    if (branch !== undefined) this.setLastDay(ordinal, 0n, branch.closedDate);
  }

  /** An account may have another product. */
  updated(ordinal: number): void {
    if (this.indexed) this.classOf[ordinal] = this.numberOfClass(ordinal);
  }

  /** From now on every account has a class and stands in the list of its branch. */
  private index(): void {
    if (this.indexed) return;
    this.indexed = true;
    const numbers = new Map<AccountClass, number>();
    this.table.lookAtClasses((ordinal, of) => {
      let number = numbers.get(of);
      if (number === undefined) {
        number = this.numbered(of);
        numbers.set(of, number);
      }
      this.enter(ordinal, number);
    });
  }

  private enter(ordinal: number, classNumber: number): void {
    this.columns.grow(ordinal + 1);
    if (this.classOf.length <= ordinal) {
      const grown = new Int32Array(this.columns.lastDayDates.length);
      grown.set(this.classOf);
      this.classOf = grown;
    }
    this.classOf[ordinal] = classNumber;
    const { branchId } = this.classAt(ordinal);
    let list = this.ordinalsByBranch.get(branchId);
    if (list === undefined) {
      list = new OrdinalList();
      this.ordinalsByBranch.set(branchId, list);
    }
    list.add(ordinal);
  }

  /** Looks at the account without keeping it unpacked. */
  private numberOfClass(ordinal: number): number {
    return this.numbered(this.table.peek(ordinal));
  }

  private knownBranch(branchId: string): PartitionBranch {
    let branch = this.branches.get(branchId);
    if (branch === undefined) {
      branch = new PartitionBranch(branchId);
      this.branches.set(branchId, branch);
    }
    return branch;
  }

  /** The number of the class. */
  numbered({ branchId, product, unit }: AccountClass): number {
    const key = JSON.stringify([branchId, product, unit]);
    let number = this.classNumbers.get(key);
    if (number === undefined) {
      number = this.classes.length;
      this.classes.push({ branchId, product, unit, branch: this.knownBranch(branchId) });
      this.classNumbers.set(key, number);
    }
    return number;
  }
}

class OrdinalList {
  private ordinals = new Int32Array(16);
  length = 0;

  add(ordinal: number): void {
    if (this.length === this.ordinals.length) {
      const grown = new Int32Array(this.length * 2);
      grown.set(this.ordinals);
      this.ordinals = grown;
    }
    this.ordinals[this.length] = ordinal;
    this.length += 1;
  }

  at(place: number): number {
    return this.ordinals[place] as number;
  }
}

const EMPTY_LIST = new OrdinalList();
