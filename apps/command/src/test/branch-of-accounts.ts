/** A branch with business dates over the accounts of partitions: the test is the branch, and asks the accounts for the steps of an end of day. */
import { dateFromText, type CalendarDate } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { AccountsOfPartitions } from './accounts-of-partitions';

export const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;

/** 3.65 % by ACT/365: 10,000 earn 1 a day. */
export const SAVINGS: logpb.ProductTerms = {
  productId: 'savings',
  dayCount: logpb.DayCount.DAY_COUNT_ACT_365,
  tiers: [{ fromMinor: 0n, basisPoints: 365 }],
  debitBasisPoints: 730,
  capitalise: false,
  termMonths: 0,
  termDays: 0,
  renews: false,
};

type Step = Omit<logpb.AccrueInterest, 'branchId'>;
type StepMethod = 'RollAccounts' | 'MatureAccounts' | 'AccrueInterest' | 'TotalAccounts';

export class BranchOfAccounts {
  readonly accounts: AccountsOfPartitions;
  readonly branchId = '55';
  rollPolicy = logpb.RollPolicy.ROLL_POLICY_BEFORE_POSTING;
  private requests = 0;

  constructor(readonly partitions = 1) {
    this.accounts = new AccountsOfPartitions(partitions);
  }

  open(accountId: string, product: string, opening: Partial<accountpb.AccountOpening> = {}): void {
    expect(this.accounts.open(accountId, { branchId: this.branchId, product, unit: 'CZK', ...opening })).toBe('accepted');
  }

  /** @param amountMinor negative: a DEBIT. */
  post(accountId: string, amountMinor: bigint, posting: Partial<accountpb.Posting> = {}): string {
    this.requests += 1;
    const type = amountMinor < 0n ? accountpb.PostingType.POSTING_TYPE_DEBIT : accountpb.PostingType.POSTING_TYPE_CREDIT;
    const amount = amountMinor < 0n ? -amountMinor : amountMinor;
    return this.accounts.post({ requestId: `request ${this.requests}`, accountId, type, amountMinor: amount, unit: 'CZK', ...posting });
  }

  /** Cuts the day: from now on this is the online date. */
  setDay(onlineDate: CalendarDate, closedDate: CalendarDate, more: Partial<logpb.SetBranchDay> = {}): void {
    this.setDayOf(this.branchId, onlineDate, closedDate, more);
  }

  setDayOf(branchId: string, onlineDate: CalendarDate, closedDate: CalendarDate, more: Partial<logpb.SetBranchDay> = {}): void {
    for (let partition = 0; partition < this.partitions; partition += 1) this.setDayIn(partition, { branchId, onlineDate, closedDate, ...more });
  }

  /** By default tomorrow is a business date. */
  setDayIn(partition: number, day: Partial<logpb.SetBranchDay> & Pick<logpb.SetBranchDay, 'onlineDate' | 'closedDate'>): void {
    const { branchId, rollPolicy } = this;
    const message = logpb.SetBranchDay.fromPartial({ branchId, nextDate: day.onlineDate + 1, rollPolicy, ...day });
    this.ask(partition, 'SetBranchDay', logpb.SetBranchDay.encode(message).finish());
  }

  seal(date: CalendarDate): void {
    const payload = logpb.SealBranchDay.encode({ branchId: this.branchId, date }).finish();
    for (let partition = 0; partition < this.partitions; partition += 1) this.ask(partition, 'SealBranchDay', payload);
  }

  outstanding(partition: number, date: CalendarDate): number {
    return Number(
      logpb.OutstandingCount.decode(this.ask(partition, 'CountOutstanding', logpb.CountOutstanding.encode({ branchId: this.branchId, date }).finish())).count,
    );
  }

  /** One step of a job in the partition. */
  step(partition: number, method: StepMethod, step: Partial<Step> & { readonly date: CalendarDate }): logpb.DayStepDone {
    return logpb.DayStepDone.decode(this.ask(partition, method, this.payloadOf(method, step)));
  }

  /** Steps of a job in the partition, in one turn. */
  stepsTogether(partition: number, method: StepMethod, steps: readonly (Partial<Step> & { readonly date: CalendarDate })[]): logpb.DayStepDone[] {
    const commands = steps.map((step) => ({
      capability: 'account',
      method,
      key: this.branchId,
      payload: this.payloadOf(method, step),
      id: 'd',
      origin: 'delivery' as const,
    }));
    return this.accounts
      .internal(partition, ...commands)
      .map((verdict) => logpb.DayStepDone.decode(verdict.kind === 'accepted' ? verdict.payload : new Uint8Array(0)));
  }

  private payloadOf(method: StepMethod, step: Partial<Step> & { readonly date: CalendarDate }): Uint8Array {
    const message = { branchId: this.branchId, nextDate: step.date + 1, from: 0n, limit: 1_000, terms: [], ...step };
    return logpb[method].encode(logpb[method].fromPartial(message) as never).finish();
  }

  /** All steps of a job in all partitions. */
  job(method: StepMethod, step: Partial<Step> & { readonly date: CalendarDate }, between: () => void = () => undefined): logpb.DayStepDone[] {
    const verdicts: logpb.DayStepDone[] = [];
    for (let partition = 0; partition < this.partitions; partition += 1) {
      for (let from = 0n, complete = false; !complete; between()) {
        const verdict = this.step(partition, method, { ...step, from });
        verdicts.push(verdict);
        ({ next: from, complete } = verdict);
      }
    }
    return verdicts;
  }

  /** What the recorded postings of interest and of transfers are, as texts: account, type, amount. */
  get engineMade(): string[] {
    return this.postings
      .filter(({ interest, toAccountId, fromAccountId }) => interest || toAccountId !== '' || fromAccountId !== '')
      .map(
        ({ accountId, type, amountMinor, interest }) =>
          `${accountId} ${accountpb.PostingType[type]?.slice('POSTING_TYPE_'.length)} ${amountMinor}${interest ? ' interest' : ''}`,
      );
  }

  get postings(): accountpb.Posting[] {
    return this.recorded.flatMap(({ requests }) => requests?.postings ?? []);
  }

  get recorded(): accountpb.AccountPostings[] {
    return this.eventsOf('PostingsRecorded').flatMap((payload) => accountpb.PostingsRecorded.decode(payload).accounts);
  }

  eventsOf(type: string): Uint8Array[] {
    return this.accounts.commits.flatMap((commits) =>
      commits.flatMap(({ events }) => events.filter((event) => event.type === `account.${type}`).map(({ payload }) => payload)),
    );
  }

  private ask(partition: number, method: string, payload: Uint8Array): Uint8Array {
    const [verdict] = this.accounts.internal(partition, { capability: 'account', method, key: this.branchId, payload, id: 'd', origin: 'delivery' });
    if (verdict?.kind !== 'accepted') throw new Error(`${method}: ${verdict?.reason}`);
    return verdict.payload;
  }
}
