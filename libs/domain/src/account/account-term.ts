/**
 * Terms of an account of a term product.
 *
 *   (none) ──the first batch that finds the account──▶ RUNNING ──the until date──▶ RUNNING anew, if the product renews: from the until date on
 *                                                                               ──▶ ENDED, if not: principal and interest go to the linked account
 *   ENDED  ──it has a balance again──▶ ENDED: that goes to the linked account, too
 *
 * Interest is booked where a term ends. An account that cannot end its term stays as it is; the next batch tries again. A closed account ends its term with nothing.
 */
import { addMonths, NOTHING_ACCRUED, type AccruedInterest, type CalendarDate } from '../day';
import type { Account } from './account';
import { decideInterest, type BookedInterest, type InterestFault } from './account-interest';
import type { AcceptedPosting } from './posting';

/** Of a term product: months and days are not both 0. */
export interface TermRules {
  readonly months: number;
  readonly days: number;
  readonly renews: boolean;
}

export interface Term {
  readonly fromDate: CalendarDate;
  /** Its last day is the one before. */
  readonly untilDate: CalendarDate;
}

export function termFrom(fromDate: CalendarDate, { months, days }: TermRules): Term {
  const untilDate = addMonths(fromDate, months) + days;
  if (untilDate <= fromDate) throw new Error(`a term of ${months} months and ${days} days does not end`);
  return { fromDate, untilDate };
}

/** The term that follows one that ended. Where that one ends before the date, too, the next one that does not: terms of a day, over a holiday. */
export function renewedTerm(endedAt: CalendarDate, rules: TermRules, date: CalendarDate): Term {
  let term = termFrom(endedAt, rules);
  while (term.untilDate < date) term = termFrom(term.untilDate, rules);
  return term;
}

/** Why a term cannot end. */
export type TermFault = InterestFault | 'ACCOUNT_FROZEN' | 'BALANCE_NEGATIVE' | 'HOLDS_OPEN' | 'NO_LINKED_ACCOUNT' | 'CLOSING_BALANCE_TAKEN';

export interface TermEnd {
  readonly accepted: true;
  readonly interest: BookedInterest;
  /** Principal and interest, for the linked account; 0: the account has nothing. */
  readonly payoutMinor: bigint;
  /** The DEBIT of it, behind the interest; undefined: there is none. */
  readonly payout: AcceptedPosting | undefined;
}

/**
 * Ends the term: books the interest, and takes out all that the account closed the date with.
 *
 * @param closingMinor balance at the end of the date.
 */
export function decideTermEnd(
  account: Account,
  closingMinor: bigint,
  accrued: AccruedInterest,
): TermEnd | { readonly accepted: false; readonly fault: TermFault } {
  const refuse = (fault: TermFault) => ({ accepted: false, fault }) as const;
  const booked = decideInterest(account, accrued);
  if (!booked.accepted) return booked;
  // The account earns nothing any more: what rounding left is not kept.
  const interest = { ...booked, accrued: NOTHING_ACCRUED };
  const payoutMinor = account.status === 'CLOSED' ? 0n : closingMinor + booked.amountMinor;
  if (payoutMinor === 0n) return { accepted: true, interest, payoutMinor, payout: undefined };
  if (account.status === 'FROZEN') return refuse('ACCOUNT_FROZEN');
  if (payoutMinor < 0n) return refuse('BALANCE_NEGATIVE');
  if (account.holds.size > 0) return refuse('HOLDS_OPEN');
  if (account.linkedAccountId === '') return refuse('NO_LINKED_ACCOUNT');
  const balanceAfterMinor = account.balanceMinor + booked.amountMinor - payoutMinor;
  if (balanceAfterMinor < 0n) return refuse('CLOSING_BALANCE_TAKEN');
  // There is room in transit: a balance and what is in transit are within int64 together.
  return { accepted: true, interest, payoutMinor, payout: { accepted: true, balanceAfterMinor, heldAfterMinor: account.heldMinor } };
}
