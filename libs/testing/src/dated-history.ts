/**
 * Makes histories of accounts of one branch over its business dates, for tests of what reads them: accounts are rolled by the domain's own rule, and events are encoded
 * with the generated codec. It keeps every posting with its date, so that what a date must close with is a sum.
 */
import { openedAccountDay, post, roll, type AccountDay, type BusinessDates, type CalendarDate } from '@sluice/domain/day';
import { CommitWriter, type DecodedCommit, NO_CHECKSUM, readCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';

export const DATED_BRANCH = 'north';

export type DatedCommand =
  | { readonly kind: 'open'; readonly accountId: string }
  /** Initiated at the online date; `late`: at the date before it; `early`: at the date after it, where the day is cut already. With a value date: at that, which was sealed. */
  | { readonly kind: 'post'; readonly accountId: string; readonly deltaMinor: bigint; readonly initiated?: 'late' | 'early'; readonly valueDate?: CalendarDate }
  /** Dates are set for the first time, or by hand. */
  | { readonly kind: 'set'; readonly online: CalendarDate }
  | { readonly kind: 'cut' }
  /** Rolls the accounts that no posting has rolled; `size`: accounts of a step. */
  | { readonly kind: 'sweep'; readonly size: number };

interface DatedPosting {
  readonly deltaMinor: bigint;
  /** Undefined: it has no date. */
  readonly date: CalendarDate | undefined;
}

interface DatedAccount {
  day: AccountDay;
  entries: number;
  version: number;
  readonly postings: DatedPosting[];
  /** Dates from which on it has closing balances, each with the postings before that. */
  readonly origins: { readonly from: CalendarDate; readonly postings: number }[];
}

export interface DatedHistoryOptions {
  /** 32 hex digits. */
  readonly incarnation: string;
  readonly partition: number;
}

export class DatedHistory {
  readonly commits: DecodedCommit[] = [];
  readonly accounts = new Map<string, DatedAccount>();
  /** Undefined: the branch has no dates. */
  online: CalendarDate | undefined;
  /** All accounts are rolled up to this date. */
  rolled: CalendarDate | undefined;
  /** The closed date that was set last: no posting is booked at it or before. */
  sealed: CalendarDate | undefined;
  private readonly writer = new CommitWriter();
  private previousChecksum: Uint8Array = NO_CHECKSUM;
  private readonly incarnation: Uint8Array;
  private requests = 0;
  private begun = false;

  constructor(private readonly options: DatedHistoryOptions) {
    this.incarnation = Buffer.from(options.incarnation, 'hex');
  }

  /** The commands as one commit. */
  turn(commands: readonly DatedCommand[]): void {
    this.end();
    for (const command of commands) this.add(command);
    this.end();
  }

  /** Into the commit that `end` ends. */
  add(command: DatedCommand): void {
    if (!this.begun) this.begin();
    this.take(command);
  }

  end(): void {
    if (!this.begun) return;
    this.begun = false;
    const bytes = Buffer.from(this.writer.finish());
    this.previousChecksum = bytes.subarray(bytes.length - NO_CHECKSUM.length);
    this.commits.push(readCommit(bytes));
  }

  private begin(): void {
    this.begun = true;
    const sequence = this.commits.length + 1;
    const { incarnation, previousChecksum } = this;
    this.writer.begin({ incarnation, partition: this.options.partition, sequence, epoch: 1, committedAtUs: sequence * 1_000_000, previousChecksum }, []);
  }

  /** What the account closed the date with; undefined: it had no closing balances yet. */
  closedWith(accountId: string, date: CalendarDate): bigint | undefined {
    const { origins, postings } = this.accounts.get(accountId) as DatedAccount;
    const origin = origins.findLast(({ from }) => from <= date);
    if (origin === undefined) return undefined;
    const since = postings.slice(origin.postings).filter((posting) => (posting.date as number) <= date);
    return [...postings.slice(0, origin.postings), ...since].reduce((sum, { deltaMinor }) => sum + deltaMinor, 0n);
  }

  /** The newest date that has ended for the account, as far as events say so: that of an opened account is not said before its first posting. */
  lastDayDate(accountId: string): CalendarDate | undefined {
    const { day, postings, origins } = this.accounts.get(accountId) as DatedAccount;
    if (this.rolled === undefined) return undefined;
    return postings.length === (origins.at(-1)?.postings ?? 0) ? this.rolled : Math.max(this.rolled, day.lastDayDate);
  }

  private take(command: DatedCommand): void {
    switch (command.kind) {
      case 'open':
        return this.open(command.accountId);
      case 'post':
        return this.post(command);
      case 'set':
        return this.setDates(command.online);
      case 'cut':
        return this.cut();
      case 'sweep':
        return this.sweep(command.size);
      default:
        throw new Error(`unreachable: ${JSON.stringify(command satisfies never)}`);
    }
  }

  private open(accountId: string): void {
    const { online } = this;
    const day = openedAccountDay({ date: online ?? 0, closed: online === undefined ? 0 : online - 1 });
    const origins = online === undefined ? [] : [{ from: online, postings: 0 }];
    this.accounts.set(accountId, { day, entries: 0, version: 1, postings: [], origins });
    this.write(
      'AccountOpened',
      accountpb.AccountOpened.fromPartial({
        accountId,
        requestId: `open-${accountId}`,
        unit: 'EUR',
        branchId: DATED_BRANCH,
        product: 'basic',
        businessDate: online,
      }),
    );
  }

  private post({ accountId, deltaMinor, initiated, valueDate }: DatedCommand & { kind: 'post' }): void {
    const account = this.accounts.get(accountId) as DatedAccount;
    const before = account.day;
    const dates = this.datesOf(initiated);
    if (dates === undefined) account.day = { ...before, balanceMinor: before.balanceMinor + deltaMinor };
    else account.day = post(before, 'BEFORE_POSTING', dates, deltaMinor).account;
    account.postings.push({ deltaMinor, date: dates?.date });
    account.version += 1;
    this.requests += 1;
    const type = deltaMinor > 0n ? accountpb.PostingType.POSTING_TYPE_CREDIT : accountpb.PostingType.POSTING_TYPE_DEBIT;
    const amountMinor = deltaMinor > 0n ? deltaMinor : -deltaMinor;
    const { balanceMinor, lastDayDate, lastDayBalanceMinor } = account.day;
    const postings = accountpb.AccountPostings.fromPartial({
      accountId,
      balanceBeforeMinor: before.balanceMinor,
      balanceAfterMinor: balanceMinor,
      entriesBefore: BigInt(account.entries),
      acceptedCount: 1,
      totalCreditMinor: deltaMinor > 0n ? amountMinor : 0n,
      totalDebitMinor: deltaMinor > 0n ? 0n : amountMinor,
      version: BigInt(account.version),
      requests: { postings: [{ requestId: `request-${this.requests}`, accountId, type, amountMinor, unit: 'EUR', initiatedDate: '2020-02-20' }] },
      balancesAfterMinor: [balanceMinor],
      ...(dates && { businessDate: dates.date, lastDayDate, lastDayBalanceMinor, valueDate }),
    });
    account.entries += 1;
    this.writer.event('account.PostingsRecorded', 1, accountpb.PostingsRecorded.encode({ accounts: [postings] }).finish());
  }

  private datesOf(initiated: 'late' | 'early' | undefined): BusinessDates | undefined {
    const { online } = this;
    if (online === undefined) return undefined;
    if (initiated === 'late') return { date: online - 1, closed: online - 1 };
    return initiated === 'early' ? { date: online + 1, closed: online } : { date: online, closed: online - 1 };
  }

  private setDates(online: CalendarDate): void {
    const from = Math.min(online - 1, this.online ?? online);
    const byHand = this.online !== undefined;
    this.online = online;
    this.rolled = online - 1;
    this.sealed = online - 1;
    for (const account of this.accounts.values()) {
      account.day = { ...account.day, lastDayBalanceMinor: account.day.balanceMinor, lastDayDate: online - 1 };
      account.origins.push({ from, postings: account.postings.length });
    }
    this.writeDates('', byHand);
  }

  private cut(): void {
    this.online = (this.online as number) + 1;
    this.writeDates(`${DATED_BRANCH}/${this.online - 1}`, false);
  }

  private sweep(size: number): void {
    const date = (this.online as number) - 1;
    const accounts = [...this.accounts];
    for (let from = 0; from === 0 || from < accounts.length; from += size) {
      const rolled: accountpb.RolledAccount[] = [];
      for (const [accountId, account] of accounts.slice(from, from + size)) {
        const { balanceMinor, lastDayBalanceMinor, lastDayDate } = account.day;
        if (lastDayDate >= date || balanceMinor === lastDayBalanceMinor) continue;
        account.day = roll(account.day, date);
        rolled.push({ accountId, balanceMinor });
      }
      const next = Math.min(from + size, accounts.length);
      const complete = next === accounts.length;
      this.write('AccountsRolled', { branchId: DATED_BRANCH, date, next: BigInt(next), complete, lookedAt: BigInt(next - from), accounts: rolled });
    }
    this.rolled = date;
  }

  private writeDates(runId: string, byHand: boolean): void {
    const online = this.online as number;
    this.write('BranchDaySet', { branchId: DATED_BRANCH, onlineDate: online, closedDate: online - 1, nextDate: online + 1, rollPolicy: 1, runId, byHand });
  }

  private write(...[name, message]: Parameters<typeof accountEvents.record>): void {
    const { type, version, payload } = accountEvents.record(name, message);
    this.writer.event(type, version, payload);
  }
}
