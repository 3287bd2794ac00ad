/**
 * Interest of an account: a batch accrues it on the balance at the end of a date, once for each day, and books what has accrued as a posting. Interest passes freezes, allowed
 * types, limits and funds: the bank owes it, or it is owed to the bank. A closed account has no entries any more: what it has earned lapses when it is due, and is left to be settled by hand.
 */
import { accrue, capitalise, NOTHING_ACCRUED, type AccruedInterest, type CalendarDate, type InterestTerms } from '../day';
import { INT64_MAX, INT64_MIN, type Account } from './account';
import type { AcceptedPosting } from './posting';

export interface InterestOfAccount {
  readonly accrued: AccruedInterest;
  /** It has accrued for all days before this one. */
  readonly accruedTo: CalendarDate;
}

/** No account has accrued anything up to this date. */
export const BEFORE_ALL_DATES: CalendarDate = -(2 ** 31);

export const NOTHING_EARNED: InterestOfAccount = Object.freeze({ accrued: NOTHING_ACCRUED, accruedTo: BEFORE_ALL_DATES });

/** Why interest cannot be accrued or booked. */
export type InterestFault = 'AMOUNT_OVERFLOW';

export interface RefusedInterest {
  readonly accepted: false;
  readonly fault: InterestFault;
}

/**
 * Accrues on a balance for the days from one date (included) to another (excluded), but for those that have accrued already.
 *
 * @param balanceMinor at the end of the date before each of these days ends.
 */
export function accrueOnce(
  interest: InterestOfAccount,
  terms: InterestTerms,
  balanceMinor: bigint,
  from: CalendarDate,
  to: CalendarDate,
): InterestOfAccount | RefusedInterest {
  const first = Math.max(from, interest.accruedTo);
  if (first >= to) return interest;
  const accrued = accrue(interest.accrued, terms, balanceMinor, first, to);
  return isInt64(accrued.microMinor) ? { accrued, accruedTo: to } : { accepted: false, fault: 'AMOUNT_OVERFLOW' };
}

export interface BookedInterest {
  readonly accepted: true;
  /** Whole minor units; negative: the account is charged; 0: nothing is booked. */
  readonly amountMinor: bigint;
  /** Undefined: nothing is booked. */
  readonly posting: AcceptedPosting | undefined;
  /** What stays accrued: less than a minor unit. */
  readonly accrued: AccruedInterest;
  /** What a closed account does not get; 0: nothing. */
  readonly lapsedMinor: bigint;
}

/** Books what has accrued. */
export function decideInterest(account: Account, accrued: AccruedInterest): BookedInterest | RefusedInterest {
  const { amountMinor, accrued: left } = capitalise(accrued);
  if (amountMinor === 0n) return { accepted: true, amountMinor, posting: undefined, accrued: left, lapsedMinor: 0n };
  if (account.status === 'CLOSED') return { accepted: true, amountMinor: 0n, posting: undefined, accrued: NOTHING_ACCRUED, lapsedMinor: amountMinor };
  const balanceAfterMinor = account.balanceMinor + amountMinor;
  // What is in transit may come back: there is always room for a refund.
  if (balanceAfterMinor + account.inTransitMinor > INT64_MAX || balanceAfterMinor < INT64_MIN) return { accepted: false, fault: 'AMOUNT_OVERFLOW' };
  return { accepted: true, amountMinor, posting: { accepted: true, balanceAfterMinor, heldAfterMinor: account.heldMinor }, accrued: left, lapsedMinor: 0n };
}

function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}
