/**
 * The day proof: what an account closed the business date before with + what was posted at the date = what it closed the date with. It is worked out of the log of one
 * partition, for all accounts of a branch there. It reads events by the generated codec, and shares no fold with the projection.
 *
 *   opening   the newest last-day balance of an earlier date that events say: of its postings, of the sweep behind a day cut, or of dates that were set
 *   posted    what the accepted postings of the date changed the balance by, request by request
 *   closing   the last-day balance of the date that events say; none does: the opening
 *
 * Dates that were set back bring the date again: what was posted at it before belongs to the opening then. Memory grows with the accounts of the branch in the partition.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { DecodedCommit } from '@sluice/protocol';
import { type accountpb, decodedAccountEvents } from '@sluice/protocol/account';

export interface DayProofFailure {
  readonly accountId: string;
  readonly openingMinor: bigint;
  readonly postedMinor: bigint;
  readonly closingMinor: bigint;
}

export interface DayProofSums {
  readonly openingMinor: bigint;
  readonly postedMinor: bigint;
  readonly closingMinor: bigint;
}

/** What was proven, of one partition or of all. */
export interface DayProof {
  readonly accounts: number;
  readonly postings: number;
  /** The first `LISTED_FAILURES`. */
  readonly failures: readonly DayProofFailure[];
  readonly failureCount: number;
  readonly sumsByUnit: ReadonlyMap<string, DayProofSums>;
}

/** Accounts whose proof fails, as a proof lists them; the others are counted. */
export const LISTED_FAILURES = 100;

export const NOTHING_PROVEN: DayProof = { accounts: 0, postings: 0, failures: [], failureCount: 0, sumsByUnit: new Map() };

interface ProvenAccount {
  readonly unit: string;
  /** It was opened at a later date: it counts if something is posted to it at the date all the same. */
  readonly openedLater: boolean;
  balanceMinor: bigint;
  openingMinor: bigint;
  postedMinor: bigint;
  postings: number;
  /** Undefined: no event says it. */
  closingMinor: bigint | undefined;
}

export class DayProofFold {
  private readonly accounts = new Map<string, ProvenAccount>();
  private onlineDate: CalendarDate | undefined;
  private closed = false;
  /** The branch had no dates yet then. */
  private beforeDates = false;

  constructor(
    private readonly branchId: string,
    private readonly date: CalendarDate,
  ) {}

  /** Whether the branch has dates in the partition. */
  get isDated(): boolean {
    return this.onlineDate !== undefined;
  }

  /** Whether the date has ended for all accounts of the branch in the partition. */
  get isClosed(): boolean {
    return this.closed && !this.beforeDates;
  }

  take(commit: DecodedCommit): void {
    for (const event of commit.events) {
      const recorded = decodedAccountEvents.readOnly('PostingsRecorded', event, commit);
      for (const postings of recorded?.accounts ?? []) this.post(postings);
      const opened = decodedAccountEvents.readOnly('AccountOpened', event, commit);
      if (opened?.branchId === this.branchId) this.open(opened);
      const set = decodedAccountEvents.readOnly('BranchDaySet', event, commit);
      if (set?.branchId === this.branchId) this.setDay(set);
      const rolled = decodedAccountEvents.readOnly('AccountsRolled', event, commit);
      if (rolled?.branchId === this.branchId) this.roll(rolled);
    }
  }

  proof(): DayProof {
    const failures: DayProofFailure[] = [];
    const sumsByUnit = new Map<string, DayProofSums>();
    let accounts = 0;
    let postings = 0;
    let failureCount = 0;
    for (const [accountId, account] of this.accounts) {
      if (account.openedLater && account.postings === 0) continue;
      accounts += 1;
      postings += account.postings;
      const { openingMinor, postedMinor, closingMinor = openingMinor } = account;
      addSums(sumsByUnit, account.unit, { openingMinor, postedMinor, closingMinor });
      if (openingMinor + postedMinor === closingMinor) continue;
      failureCount += 1;
      if (failures.length < LISTED_FAILURES) failures.push({ accountId, openingMinor, postedMinor, closingMinor });
    }
    return { accounts, postings, failures, failureCount, sumsByUnit };
  }

  private open({ accountId, unit, businessDate }: accountpb.AccountOpened): void {
    const openedLater = businessDate !== undefined && businessDate > this.date;
    this.accounts.set(accountId, { unit, openedLater, balanceMinor: 0n, openingMinor: 0n, postedMinor: 0n, postings: 0, closingMinor: undefined });
  }

  private post({
    accountId,
    balanceBeforeMinor,
    balancesAfterMinor,
    rejectedPositions,
    businessDate,
    lastDayDate,
    lastDayBalanceMinor,
  }: accountpb.AccountPostings): void {
    const account = this.accounts.get(accountId);
    if (account === undefined) return;
    const rejected = new Set(rejectedPositions);
    let before = balanceBeforeMinor;
    let changedBy = 0n;
    for (const [at, after] of balancesAfterMinor.entries()) {
      if (!rejected.has(at)) changedBy += after - before;
      before = after;
    }
    account.balanceMinor += changedBy;
    if (businessDate === undefined) return;
    if (businessDate === this.date) {
      account.postedMinor += changedBy;
      account.postings += balancesAfterMinor.length - rejected.size;
    }
    // A posting of a date that has ended changes what the dates from there on closed with; the event says the newest of these.
    if (businessDate <= this.date && lastDayDate > this.date) account.closingMinor = (account.closingMinor ?? account.openingMinor) + changedBy;
    if (businessDate < this.date && lastDayDate >= this.date) account.openingMinor += changedBy;
    this.close(account, lastDayDate, lastDayBalanceMinor);
  }

  /** The account closed the date with the balance. */
  private close(account: ProvenAccount, date: CalendarDate, balanceMinor: bigint): void {
    if (date < this.date) account.openingMinor = balanceMinor;
    else if (date === this.date) account.closingMinor = balanceMinor;
  }

  private roll({ date, accounts, complete }: accountpb.AccountsRolled): void {
    for (const { accountId, balanceMinor } of accounts) {
      const account = this.accounts.get(accountId);
      if (account !== undefined) this.close(account, date, balanceMinor);
    }
    if (complete && date >= this.date) this.closed = true;
  }

  /** Dates that were registered, or set by hand: what accounts have is what they closed with. A cut says nothing of accounts. */
  private setDay({ onlineDate, closedDate, byHand }: accountpb.BranchDaySet): void {
    const before = this.onlineDate;
    this.onlineDate = onlineDate;
    if (before !== undefined && !byHand) return;
    // Dates that are set ahead close the date that was online.
    const from = before === undefined ? closedDate : Math.min(closedDate, before);
    if (before === undefined) this.beforeDates = from >= this.date;
    if (from > this.date) return;
    if (from < this.date) this.beforeDates = false;
    this.closed = closedDate >= this.date;
    for (const account of this.accounts.values()) {
      this.close(account, from, account.balanceMinor);
      if (from === this.date) continue;
      account.postedMinor = 0n;
      account.postings = 0;
      account.closingMinor = undefined;
    }
  }
}

function addSums(sums: Map<string, DayProofSums>, unit: string, { openingMinor, postedMinor, closingMinor }: DayProofSums): void {
  const before = sums.get(unit) ?? { openingMinor: 0n, postedMinor: 0n, closingMinor: 0n };
  sums.set(unit, {
    openingMinor: before.openingMinor + openingMinor,
    postedMinor: before.postedMinor + postedMinor,
    closingMinor: before.closingMinor + closingMinor,
  });
}

/** Of two sets of accounts. */
export function addProofs(one: DayProof, other: DayProof): DayProof {
  const sumsByUnit = new Map(one.sumsByUnit);
  for (const [unit, sums] of other.sumsByUnit) addSums(sumsByUnit, unit, sums);
  return {
    accounts: one.accounts + other.accounts,
    postings: one.postings + other.postings,
    failures: [...one.failures, ...other.failures].slice(0, LISTED_FAILURES),
    failureCount: one.failureCount + other.failureCount,
    sumsByUnit,
  };
}
