/** What the jobs of a day do with an account: its interest, its term, and the postings of the batch. */
import type { AcceptedPosting, InterestOfAccount, TargetRejection } from '@sluice/domain/account';
import { bookingOfBatch, type Booking, type CalendarDate } from '@sluice/domain/day';
import type { Turn } from '@sluice/engine';
import type { PostingBatch } from '@sluice/protocol/account';
import type { AccountTable } from '../account-table';
import type { PostingDecisions } from '../posting-decisions';
import type { AccountDays } from './account-days';

export class JobAccounts {
  constructor(
    readonly table: AccountTable,
    readonly days: AccountDays,
    readonly postings: PostingDecisions,
  ) {}

  interestOf(ordinal: number): InterestOfAccount {
    const { accrued, accruedRemainders, accruedUntil } = this.days.columns;
    return {
      accrued: { microMinor: accrued[ordinal] as bigint, remainder: BigInt(accruedRemainders[ordinal] as number) },
      accruedTo: accruedUntil[ordinal] as number,
    };
  }

  setInterest(ordinal: number, { accrued: { microMinor, remainder }, accruedTo }: InterestOfAccount): void {
    const { accrued, accruedRemainders, accruedUntil } = this.days.columns;
    accrued[ordinal] = microMinor;
    accruedRemainders[ordinal] = Number(remainder);
    accruedUntil[ordinal] = accruedTo;
  }

  /** Does an accepted posting of the batch of a date: it changes both balances, whatever is sealed. */
  enter(date: CalendarDate, ordinal: number, batch: PostingBatch, index: number, accepted: AcceptedPosting, turn: Turn): void {
    const { postings } = this;
    postings.separateSums(batch, index, turn);
    postings.enter(ordinal, batch, index, accepted, turn, this.bookingOf(ordinal, date));
    postings.separateSums(batch, index, turn);
  }

  /**
   * Does a transfer of the batch of a date, whose debit is accepted. Returns why its target refuses it; then nothing is done.
   *
   * @param debit a batch of one.
   * @param before does what stands before the debit.
   */
  transfer(date: CalendarDate, ordinal: number, debit: PostingBatch, accepted: AcceptedPosting, turn: Turn, before: () => void): TargetRejection | undefined {
    return this.postings.transfers.acceptEngineMade(ordinal, debit, accepted, turn, this.bookingOf(ordinal, date), before);
  }

  private bookingOf(ordinal: number, date: CalendarDate): Booking | undefined {
    const branch = this.days.branchOf(ordinal);
    return branch && bookingOfBatch(branch, date);
  }
}
