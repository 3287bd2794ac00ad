/** The business dates of a branch, and at which of them a posting is booked. */
import type { BusinessDates, RollPolicy } from './account-day';
import type { CalendarDate } from './calendar-date';

export interface BranchDay {
  /** Of what is initiated now. */
  readonly onlineDate: CalendarDate;
  /** The business date before the online date. */
  readonly closedDate: CalendarDate;
  /** The business date after the online date. */
  readonly nextDate: CalendarDate;
  readonly rollPolicy: RollPolicy;
  /** Closing balances up to this date are changed by the batch only; the closed date, or the business date before that. */
  readonly sealedDate: CalendarDate;
  /** Nothing asks for the closing balances up to this date any more: they are totalled. */
  readonly totalledDate: CalendarDate;
}

export interface Booking extends BusinessDates {
  /** The date at which it was initiated, where it is booked at another one; undefined: it is not. */
  readonly valueDate?: CalendarDate;
  /** Its own date was sealed before it came. */
  readonly inTransit: boolean;
  /** Its caller, the debit of its transfer or the batch says at which date it is: the roll policy of the branch does not count it to another one. */
  readonly isFixed: boolean;
}

/** Where a posting is booked that is initiated here and now. */
export function bookingOf({ onlineDate, closedDate }: BranchDay): Booking {
  return { date: onlineDate, closed: closedDate, inTransit: false, isFixed: false };
}

/**
 * Where a posting is booked whose caller says at which date it was initiated.
 *
 *   … sealed date ] closed date ] …
 *     online date    its own       online date
 */
export function bookingOfCaller({ onlineDate, closedDate, sealedDate }: BranchDay, initiated: CalendarDate): Booking {
  if (initiated > closedDate || initiated <= sealedDate) return booked(onlineDate, closedDate, initiated, initiated <= sealedDate);
  return booked(closedDate, closedDate, initiated, false);
}

/**
 * Where a leg of a transfer is booked whose debit was booked at a date, at this branch or at another one.
 *
 *   … sealed date ] closed date ] online date ] …
 *     online date    its own       online date   next date: the day is cut where it comes from, and not here yet
 *
 * Before the closed date is totalled, a leg from another branch may be ahead, too. It is booked at the online date: the account would lose what it closed with.
 */
export function bookingOfLeg(branch: BranchDay, debited: CalendarDate): Booking {
  const { onlineDate, closedDate, nextDate, totalledDate } = branch;
  if (debited > onlineDate && totalledDate >= closedDate) return booked(nextDate, onlineDate, debited, false);
  return bookingOfCaller(branch, debited);
}

/** Where a posting of the batch of a date is booked: at the date, whatever is sealed. Before the day is cut that is the online date. */
export function bookingOfBatch({ onlineDate, closedDate }: BranchDay, date: CalendarDate): Booking {
  return date >= onlineDate ? booked(onlineDate, closedDate, onlineDate, false) : booked(date, date, date, false);
}

function booked(date: CalendarDate, closed: CalendarDate, initiated: CalendarDate, inTransit: boolean): Booking {
  return { date, closed, inTransit, isFixed: true, ...(initiated === date ? undefined : { valueDate: initiated }) };
}
