/**
 * MatureAccounts: a step of the job that begins and ends terms (libs/domain/src/account/account-term.ts). A term ends at a date if its until date is before the next business date: interest for
 * the days up to the until date accrues on the closing balance and is booked, and either a new term begins or all that the account closed with goes to the linked account. Before the day is
 * cut the real-time balance is the closing balance.
 */
import {
  accrueOnce,
  decideInterest,
  decideTermEnd,
  renewedTerm,
  termFrom,
  type Account,
  type BookedInterest,
  type InterestOfAccount,
  type Term,
  type TermRules,
} from '@sluice/domain/account';
import type { CalendarDate } from '@sluice/domain/day';
import type { Turn } from '@sluice/engine';
import type { logpb } from '@sluice/protocol';
import { engineMadePosting, type accountpb } from '@sluice/protocol/account';
import { accountIdAt, record } from './day-commands';
import { NO_DATE, TERM_ENDED } from './day-columns';
import { interestPosting, payoutPosting } from './day-postings';
import { DayStep } from './day-step';
import type { JobAccounts } from './job-accounts';
import { reasonOf, reasonOfLapsed, type SetAsideFault } from './set-aside-reasons';
import type { TermsOfProduct } from './terms-on-the-wire';

/** TermBegun or TermEnded, and an account in InterestAccrued, beside the ids. */
const EVENT_BYTES = 192;
/** What the postings and the transfer of a term that ended take of a commit. */
const POSTINGS_BYTES = 3 << 10;

export class TermJob {
  private readonly step: DayStep;
  private readonly begun: accountpb.TermBegun[] = [];
  private readonly ended: accountpb.TermEnded[] = [];
  /** By the date up to which it has accrued. */
  private readonly accrued = new Map<CalendarDate, accountpb.AccruedAccount[]>();

  constructor(
    private readonly accounts: JobAccounts,
    private readonly asked: logpb.MatureAccounts,
    private readonly terms: ReadonlyMap<string, TermsOfProduct>,
    private readonly turn: Turn,
  ) {
    this.step = new DayStep(accounts.days, asked, turn);
  }

  /** Returns the encoded verdict. */
  run(): Uint8Array {
    const { turn } = this;
    const { branchId, date } = this.asked;
    this.step.over((ordinal) => this.visit(ordinal));
    for (const [nextDate, accounts] of this.accrued) record(turn, 'InterestAccrued', { branchId, date, nextDate, accounts });
    for (const begun of this.begun) record(turn, 'TermBegun', begun);
    for (const ended of this.ended) record(turn, 'TermEnded', ended);
    return this.step.verdict();
  }

  private visit(ordinal: number): void {
    const { days } = this.accounts;
    const { nextDate } = this.asked;
    const terms = this.terms.get(days.classAt(ordinal).product);
    if (terms?.term === undefined) return;
    const untilDate = days.columns.termUntil[ordinal] as number;
    if (untilDate === NO_DATE) this.beginFirst(ordinal, terms, terms.term);
    else if (untilDate === TERM_ENDED) this.payOutAgain(ordinal);
    else if (untilDate < nextDate) this.end(ordinal, untilDate, terms, terms.term);
  }

  /** A term of a day that begins before a holiday ends at once. */
  private beginFirst(ordinal: number, terms: TermsOfProduct, rules: TermRules): void {
    if (this.accounts.table.peek(ordinal).status === 'CLOSED') return;
    const term = termFrom(this.asked.date, rules);
    this.begin(ordinal, term);
    if (term.untilDate >= this.asked.nextDate) {
      this.step.change(EVENT_BYTES);
      return;
    }
    this.step.takeRoom(EVENT_BYTES);
    this.end(ordinal, term.untilDate, terms, rules);
  }

  private begin(ordinal: number, { fromDate, untilDate }: Term): void {
    const { table, days } = this.accounts;
    days.columns.termUntil[ordinal] = untilDate;
    this.begun.push({ accountId: accountIdAt(table, ordinal), fromDate, untilDate });
  }

  private end(ordinal: number, untilDate: CalendarDate, { interest }: TermsOfProduct, rules: TermRules): void {
    const { accounts, asked } = this;
    const account = accounts.table.peek(ordinal);
    const closingMinor = accounts.days.closingBalance(ordinal, asked.date);
    const before = accounts.interestOf(ordinal);
    const earned = interest === undefined ? before : accrueOnce(before, interest, closingMinor, asked.date, untilDate);
    if ('fault' in earned) {
      this.step.putAside(account.accountId, reasonOf(earned.fault));
      return;
    }
    // A closed account ends its term, whatever the product says.
    const renewed = rules.renews && account.status !== 'CLOSED' ? renewedTerm(untilDate, rules, asked.nextDate) : undefined;
    this.finish(account, renewed === undefined ? this.payOut(ordinal, account, closingMinor, earned) : this.renew(ordinal, account, earned, renewed));
  }

  /** What came onto the account since its term ended, and what the linked account refused. */
  private payOutAgain(ordinal: number): void {
    const { accounts, asked } = this;
    const closingMinor = accounts.days.closingBalance(ordinal, asked.date);
    if (closingMinor === 0n) return;
    const account = accounts.table.peek(ordinal);
    this.finish(account, this.payOut(ordinal, account, closingMinor, accounts.interestOf(ordinal)));
  }

  private finish({ accountId }: Account, fault: SetAsideFault | undefined): void {
    if (fault === undefined) this.step.change(accountId.length + EVENT_BYTES + POSTINGS_BYTES);
    else this.step.putAside(accountId, reasonOf(fault));
  }

  private renew(ordinal: number, account: Account, earned: InterestOfAccount, term: Term): SetAsideFault | undefined {
    const interest = decideInterest(account, earned.accrued);
    if (!interest.accepted) return interest.fault;
    this.book(ordinal, account, earned, interest);
    this.begin(ordinal, term);
    return undefined;
  }

  private payOut(ordinal: number, account: Account, closingMinor: bigint, earned: InterestOfAccount): SetAsideFault | undefined {
    const { accounts, asked, turn } = this;
    const end = decideTermEnd(account, closingMinor, earned.accrued);
    if (!end.accepted) return end.fault;
    const { interest, payout, payoutMinor } = end;
    if (payout === undefined) this.book(ordinal, account, earned, interest);
    else {
      const debit = engineMadePosting(payoutPosting(account, asked.date, payoutMinor));
      const fault = accounts.transfer(asked.date, ordinal, debit, payout, turn, () => this.book(ordinal, account, earned, interest));
      if (fault !== undefined) return fault;
    }
    accounts.days.columns.termUntil[ordinal] = TERM_ENDED;
    this.ended.push({ accountId: account.accountId, date: asked.date });
    return undefined;
  }

  private book(ordinal: number, { accountId, unit }: Account, { accruedTo }: InterestOfAccount, booked: BookedInterest): void {
    const { accounts, asked, turn } = this;
    const { amountMinor, posting, accrued, lapsedMinor } = booked;
    if (lapsedMinor !== 0n) this.step.putAside(accountId, reasonOfLapsed(lapsedMinor, unit));
    if (posting !== undefined) {
      const batch = engineMadePosting(interestPosting({ accountId, unit }, asked.date, amountMinor));
      accounts.enter(asked.date, ordinal, batch, 0, posting, turn);
      accounts.postings.transfers.keepUntilWritten(batch);
    }
    const before = accounts.interestOf(ordinal);
    if (accrued.microMinor === before.accrued.microMinor && accrued.remainder === before.accrued.remainder && accruedTo === before.accruedTo) return;
    accounts.setInterest(ordinal, { accrued, accruedTo });
    const ofDate = this.accrued.get(accruedTo) ?? [];
    ofDate.push({ accountId, ...accrued });
    this.accrued.set(accruedTo, ofDate);
  }
}
