/**
 * What the log says about the business dates of accounts, read by code that shares nothing with the engine but the generated messages: the closing balances of each account, what
 * was posted to it at each date, and what may happen once only.
 */
import type { EventRecord } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';

export interface ReadAccount {
  readonly partition: number;
  readonly accountId: string;
  readonly branchId: string;
  readonly product: string;
  readonly unit: string;
  balanceMinor: bigint;
  /** By date: what the log said last. A date without one closed as the one before it. */
  readonly closings: Map<number, bigint>;
  /** By the date at which it was booked. */
  readonly posted: Map<number, bigint>;
}

interface PartitionDates {
  onlineDate: number;
  closedDate: number;
}

interface Leg {
  readonly debitDate?: number;
  readonly creditDate?: number;
}

export class DatedAccounts {
  readonly accounts = new Map<string, ReadAccount>();
  readonly contradictions: string[] = [];
  /** By partition and branch. */
  private readonly dates = new Map<string, PartitionDates>();
  private readonly once = new Set<string>();
  private readonly legs = new Map<string, Leg>();

  take(partition: number, { type, payload }: Pick<EventRecord, 'type' | 'payload'>): void {
    if (type === 'account.AccountOpened') this.opened(partition, accountpb.AccountOpened.decode(payload));
    else if (type === 'account.BranchDaySet') this.daySet(partition, accountpb.BranchDaySet.decode(payload));
    else if (type === 'account.PostingsRecorded') this.postings(accountpb.PostingsRecorded.decode(payload));
    else if (type === 'account.AccountsRolled') this.rolled(accountpb.AccountsRolled.decode(payload));
    else if (type === 'account.InterestAccrued') this.accrued(accountpb.InterestAccrued.decode(payload));
  }

  private contradict(what: string): void {
    this.contradictions.push(what);
  }

  /** What may happen once only. */
  private first(what: string): void {
    if (this.once.has(what)) this.contradict(`${what} twice`);
    this.once.add(what);
  }

  private opened(partition: number, { accountId, branchId, product, unit }: accountpb.AccountOpened): void {
    const account: ReadAccount = { partition, accountId, branchId, product, unit, balanceMinor: 0n, closings: new Map(), posted: new Map() };
    const dates = this.dates.get(`${partition} ${branchId}`);
    if (dates !== undefined) account.closings.set(dates.closedDate, 0n);
    this.accounts.set(accountId, account);
  }

  private daySet(partition: number, { branchId, onlineDate, closedDate }: accountpb.BranchDaySet): void {
    const key = `${partition} ${branchId}`;
    const before = this.dates.get(key);
    if (closedDate >= onlineDate) this.contradict(`${key} has the closed date ${closedDate} behind its online date ${onlineDate}`);
    if (before === undefined) {
      for (const account of this.accounts.values())
        if (account.branchId === branchId && account.partition === partition) account.closings.set(closedDate, account.balanceMinor);
    } else if (closedDate !== before.onlineDate) this.contradict(`${key} moves from ${before.onlineDate} to ${onlineDate}, and closes ${closedDate}`);
    this.dates.set(key, { onlineDate, closedDate });
  }

  private postings({ accounts }: accountpb.PostingsRecorded): void {
    for (const group of accounts) {
      const account = this.accounts.get(group.accountId);
      if (account === undefined) return this.contradict(`account ${group.accountId} has postings and was never opened`);
      account.balanceMinor = group.balanceAfterMinor;
      const { businessDate } = group;
      if (businessDate === undefined) continue;
      if (group.acceptedCount > 0) account.closings.set(group.lastDayDate, group.lastDayBalanceMinor);
      const delta = group.balanceAfterMinor - group.balanceBeforeMinor;
      account.posted.set(businessDate, (account.posted.get(businessDate) ?? 0n) + delta);
      const lines = group.lines.reduce((sum, { creditMinor, debitMinor }) => sum + creditMinor - debitMinor, 0n);
      if (lines !== delta) this.contradict(`account ${group.accountId} is moved by ${delta} at ${businessDate}, and its lines say ${lines}`);
      const refused = new Set(group.rejectedPositions);
      for (const [at, posting] of (group.requests?.postings ?? []).entries())
        if (!refused.has(at)) this.posting(posting, group.valueDate ?? businessDate, businessDate);
    }
  }

  private posting({ accountId, requestId, toAccountId, fromAccountId, type, interest }: accountpb.Posting, initiated: number, date: number): void {
    if (interest) this.first(`account ${accountId} is booked interest ${requestId}`);
    if (fromAccountId !== '') this.leg(`${fromAccountId} ${requestId}`, { creditDate: initiated });
    else if (toAccountId !== '' && type === accountpb.PostingType.POSTING_TYPE_DEBIT) this.leg(`${accountId} ${requestId}`, { debitDate: date });
  }

  /** Both legs of a transfer have one date. */
  private leg(key: string, half: Leg): void {
    const leg = { ...this.legs.get(key), ...half };
    this.legs.set(key, leg);
    const { debitDate, creditDate } = leg;
    if (debitDate !== undefined && creditDate !== undefined && debitDate !== creditDate)
      this.contradict(`transfer ${key} is debited at ${debitDate} and credited at ${creditDate}`);
  }

  private rolled({ date, accounts }: accountpb.AccountsRolled): void {
    for (const { accountId, balanceMinor } of accounts) {
      this.first(`account ${accountId} is rolled to ${date}`);
      const account = this.accounts.get(accountId);
      if (account === undefined) return this.contradict(`account ${accountId} is rolled and was never opened`);
      if (balanceMinor !== account.balanceMinor)
        this.contradict(`account ${accountId} is rolled with ${balanceMinor}; nothing of a later date was posted, and it has ${account.balanceMinor}`);
      account.closings.set(date, balanceMinor);
    }
  }

  private accrued({ date, nextDate, accounts }: accountpb.InterestAccrued): void {
    if (nextDate <= date) this.contradict(`interest accrues from ${date} to ${nextDate}`);
    for (const { accountId } of accounts) this.first(`account ${accountId} accrues interest of ${date}`);
  }
}

/** The balance that the account closed a date with. Undefined: it was not open then. */
export function closingOf({ closings }: ReadAccount, date: number): bigint | undefined {
  let newest: number | undefined;
  for (const at of closings.keys()) if (at <= date && (newest === undefined || at > newest)) newest = at;
  return newest === undefined ? undefined : closings.get(newest);
}

/** What was posted behind one date up to another one. */
export function postedBetween({ posted }: ReadAccount, from: number, to: number): bigint {
  let sum = 0n;
  for (const [date, delta] of posted) if (date > from && date <= to) sum += delta;
  return sum;
}
