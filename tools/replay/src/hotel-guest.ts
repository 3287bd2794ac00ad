/**
 * Guests of a hotel, three bookings each, and what each does in which order.
 *
 *   Check-Out   reserve ─▶ associate on arrival ─▶ complete       one in ten asks before it reserves: associate ─▶ reserve ─▶ (associated) ─▶ complete
 *   Canceled    reserve ─▶ cancel
 *   No-Show     reserve, with an expiry
 *
 * Half of the associate requests name the guest alone. Such a request goes to the first number of the guest, in order of reservation, that is
 * RESERVED. So that it is the number of the booking that is due, it is sent only where every number that the guest reserved before is associated
 * or over by then; where one is not, the request names its number, and a later one does without.
 */
import type { HotelBooking } from './hotel-booking';

export type StepKind = 'reserve' | 'cancel' | 'associate' | 'complete';

export interface GuestStep {
  readonly kind: StepKind;
  readonly booking: HotelBooking;
  /** Days since 1970-01-01. */
  readonly day: number;
}

export interface PlannedAssociate {
  /** It names the guest alone. */
  readonly isAlone: boolean;
  /** It is sent before the booking is reserved, and once more on arrival. */
  readonly isEarly: boolean;
}

export interface HotelGuest {
  readonly guestId: string;
  /** In the order in which they are done. */
  readonly steps: readonly GuestStep[];
}

export interface HotelPlan {
  readonly guests: readonly HotelGuest[];
  /** Of each booking that ended with Check-Out, by its number. */
  readonly associates: ReadonlyMap<string, PlannedAssociate>;
}

const BOOKINGS_PER_GUEST = 3;
const EARLY_ONE_IN = 10;
/** What happens on one day happens in this order. */
const ORDER_OF_DAY: readonly StepKind[] = ['reserve', 'cancel', 'associate', 'complete'];

export function planHotel(bookings: readonly HotelBooking[]): HotelPlan {
  const early = earlyOf(bookings);
  const associates = new Map<string, PlannedAssociate>();
  const guests: HotelGuest[] = [];
  let arrivals = 0;
  let alone = 0;
  for (let at = 0; at < bookings.length; at += BOOKINGS_PER_GUEST) {
    const own = bookings.slice(at, at + BOOKINGS_PER_GUEST);
    const steps = stepsOf(own);
    guests.push({ guestId: `guest-${guests.length + 1}`, steps });
    for (const { number, finalStatus } of own) {
      if (finalStatus !== 'Check-Out') continue;
      arrivals += 1;
      const isAlone = alone < Math.floor(arrivals / 2) && isNextInOrder(number, steps, early);
      if (isAlone) alone += 1;
      associates.set(number, { isAlone, isEarly: early.has(number) });
    }
  }
  return { guests, associates };
}

/** Every tenth of those who come: by turns one that may name its guest alone, and one that names its number. */
function earlyOf(bookings: readonly HotelBooking[]): ReadonlySet<string> {
  const coming = bookings.filter(({ finalStatus }) => finalStatus === 'Check-Out');
  return new Set(coming.filter((_, at) => at % EARLY_ONE_IN === EARLY_ONE_IN - 1 - (Math.floor(at / EARLY_ONE_IN) % 2)).map(({ number }) => number));
}

function stepsOf(bookings: readonly HotelBooking[]): readonly GuestStep[] {
  const steps = bookings.flatMap((booking): GuestStep[] => {
    const { bookedDay, arrivalDay, endedDay, finalStatus } = booking;
    const reserve: GuestStep = { kind: 'reserve', booking, day: bookedDay };
    const arrived = Math.max(bookedDay, arrivalDay);
    switch (finalStatus) {
      case 'Check-Out':
        return [reserve, { kind: 'associate', booking, day: arrived }, { kind: 'complete', booking, day: Math.max(arrived, endedDay) }];
      case 'Canceled':
        return [reserve, { kind: 'cancel', booking, day: Math.max(bookedDay, endedDay) }];
      case 'No-Show':
        return [reserve];
      default:
        return finalStatus satisfies never;
    }
  });
  return steps.sort((left, right) => left.day - right.day || ORDER_OF_DAY.indexOf(left.kind) - ORDER_OF_DAY.indexOf(right.kind));
}

/** Whether every number that the guest reserved before is associated or over when this one's associate request is sent. */
function isNextInOrder(number: string, steps: readonly GuestStep[], early: ReadonlySet<string>): boolean {
  const open = new Set<string>();
  for (const { kind, booking } of steps) {
    const isOwn = booking.number === number;
    if (kind === 'reserve') {
      if (isOwn && early.has(number)) return open.size === 0;
      // What is reserved behind it is passed over, and what was asked for before is associated at once.
      if (!isOwn && !early.has(booking.number) && !open.has(number)) open.add(booking.number);
      if (isOwn) open.add(number);
    } else if (isOwn) {
      return open.size === 1;
    } else {
      open.delete(booking.number);
    }
  }
  return false;
}

/** When the expiry of a booking whose guest never comes is due. */
export function expiryDayOf({ finalStatus, bookedDay, endedDay }: HotelBooking): number | undefined {
  return finalStatus === 'No-Show' ? Math.max(bookedDay, endedDay) : undefined;
}
