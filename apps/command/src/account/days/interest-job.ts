/**
 * AccrueInterest: a step of the job that accrues interest on the closing balances of a date, for the days up to the next business date, and books what the terms say is to be
 * capitalised at the date. An account accrues a day once, whatever step comes again. What cannot be booked stays accrued: the next date that capitalises tries again.
 */
import { accrueOnce, decideInterest, type AcceptedPosting, type BookedInterest } from '@sluice/domain/account';
import { capitalise, type AccruedInterest } from '@sluice/domain/day';
import type { Turn } from '@sluice/engine';
import type { logpb } from '@sluice/protocol';
import { engineMadePostings, type accountpb } from '@sluice/protocol/account';
import { accountIdAt, record } from './day-commands';
import { interestPosting } from './day-postings';
import { DayStep } from './day-step';
import type { JobAccounts } from './job-accounts';
import { reasonOf, reasonOfLapsed } from './set-aside-reasons';
import type { TermsOfProduct } from './terms-on-the-wire';

/** An account in InterestAccrued, beside its id. */
const ACCRUED_BYTES = 32;
/** What a booked posting takes of a commit. */
const POSTING_BYTES = 768;

interface Booking {
  readonly ordinal: number;
  readonly accepted: AcceptedPosting;
  readonly posting: accountpb.Posting;
}

export class InterestJob {
  private readonly step: DayStep;
  private readonly accrued: accountpb.AccruedAccount[] = [];
  private readonly bookings: Booking[] = [];

  constructor(
    private readonly accounts: JobAccounts,
    private readonly asked: logpb.AccrueInterest,
    private readonly terms: ReadonlyMap<string, TermsOfProduct>,
    private readonly turn: Turn,
  ) {
    this.step = new DayStep(accounts.days, asked, turn);
  }

  /** Returns the encoded verdict. */
  run(): Uint8Array {
    const { turn } = this;
    const { branchId, date, nextDate } = this.asked;
    this.step.over((ordinal) => this.visit(ordinal));
    this.book();
    if (this.accrued.length > 0) record(turn, 'InterestAccrued', { branchId, date, nextDate, accounts: this.accrued });
    return this.step.verdict();
  }

  private visit(ordinal: number): void {
    const { accounts, asked, step } = this;
    const { product, unit } = accounts.days.classAt(ordinal);
    const terms = this.terms.get(product);
    if (terms?.interest === undefined) return;
    const before = accounts.interestOf(ordinal);
    const earned = accrueOnce(before, terms.interest, accounts.days.closingBalance(ordinal, asked.date), asked.date, asked.nextDate);
    if ('fault' in earned) {
      step.putAside(accountIdAt(accounts.table, ordinal), reasonOf(earned.fault));
      return;
    }
    const booked = terms.capitalise ? this.capitalised(ordinal, earned.accrued) : undefined;
    if (booked === undefined && isSame(earned.accrued, before.accrued)) return;
    const accrued = booked?.accrued ?? earned.accrued;
    const accountId = accountIdAt(accounts.table, ordinal);
    accounts.setInterest(ordinal, { ...earned, accrued });
    this.accrued.push({ accountId, ...accrued });
    if (booked?.posting !== undefined) {
      this.bookings.push({ ordinal, accepted: booked.posting, posting: interestPosting({ accountId, unit }, asked.date, booked.amountMinor) });
    } else if (booked !== undefined) {
      step.takeRoom(accountId.length + ACCRUED_BYTES);
      step.putAside(accountId, reasonOfLapsed(booked.lapsedMinor, unit));
      return;
    }
    step.change(accountId.length + ACCRUED_BYTES + (booked === undefined ? 0 : POSTING_BYTES));
  }

  /** Undefined: nothing is booked, and nothing lapses. */
  private capitalised(ordinal: number, accrued: AccruedInterest): BookedInterest | undefined {
    // An account that has nothing to be booked is not unpacked.
    if (capitalise(accrued).amountMinor === 0n) return undefined;
    const account = this.accounts.table.peek(ordinal);
    const booked = decideInterest(account, accrued);
    if (booked.accepted) return booked;
    this.step.putAside(account.accountId, reasonOf(booked.fault));
    return undefined;
  }

  /** Does the postings in one batch: none of them depends on another account of the step. */
  private book(): void {
    const { accounts, asked, bookings, turn } = this;
    if (bookings.length === 0) return;
    const batch = engineMadePostings(bookings.map(({ posting }) => posting));
    for (const [index, { ordinal, accepted }] of bookings.entries()) accounts.enter(asked.date, ordinal, batch, index, accepted, turn);
    accounts.postings.transfers.keepUntilWritten(batch);
  }
}

function isSame(left: AccruedInterest, right: AccruedInterest): boolean {
  return left.microMinor === right.microMinor && left.remainder === right.remainder;
}
