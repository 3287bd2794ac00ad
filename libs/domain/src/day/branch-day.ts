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
}

export interface Booking extends BusinessDates {
  /** The date at which it was initiated, where it is booked at another one; undefined: it is not. */
  readonly valueDate?: CalendarDate;
  /** Its own date was sealed before it came. */
  readonly inTransit: boolean;
}

/**
 * Where a posting is booked that was initiated at a date, at this branch or at another one.
 *
 *   … sealed date ] closed date ] online date ] …
 *     online date    its own       online date   next date: the day is cut where it comes from, and not here yet
 *
 * @param initiated undefined: here and now.
 */
export function bookingOf({ onlineDate, closedDate, nextDate, sealedDate }: BranchDay, initiated?: CalendarDate): Booking {
  if (initiated === undefined || initiated === onlineDate) return { date: onlineDate, closed: closedDate, inTransit: false };
  const inTransit = initiated <= sealedDate;
  if (initiated > onlineDate) return booked(nextDate, onlineDate, initiated, false);
  if (inTransit || initiated > closedDate) return booked(onlineDate, closedDate, initiated, inTransit);
  return booked(closedDate, closedDate, initiated, false);
}

/**
 * Where a posting of the batch of a date is booked: at the date, whatever is sealed. Before the day is cut that is the online date.
 */
export function bookingOfBatch({ onlineDate, closedDate }: BranchDay, date: CalendarDate): Booking {
  return date >= onlineDate ? { date: onlineDate, closed: closedDate, inTransit: false } : booked(date, date, date, false);
}

function booked(date: CalendarDate, closed: CalendarDate, initiated: CalendarDate, inTransit: boolean): Booking {
  return { date, closed, inTransit, ...(initiated === date ? undefined : { valueDate: initiated }) };
}
