/** A reservation, by its number: one writer for everything that happens to it. */
import type { MoneyState, MoneyTerms } from './reservation-money';
import { nextState, type ReservationState, type ReservationStep } from './reservation-state';

/**
 * What it has of its resource.
 *
 *   NONE ──asks──▶ ASKED ──taken──▶ HELD ──over──▶ GIVEN_BACK
 *     ▲              │               ▲                 ▲  ▲
 *     │              ├──queued──▶ WAITING ────over─────┘  │
 *     │              ├──over; the answer comes later──────┘
 *     └───refused────┘
 *
 * Over: cancelled, expired, or rejected by the account. A completed number keeps its places. It asks once, and gives back once: the delivery that asks is decided once, and GIVEN_BACK is reached by one event.
 */
export type PlaceState = 'NONE' | 'ASKED' | 'WAITING' | 'HELD' | 'GIVEN_BACK';

export interface ReservationTerms {
  readonly identityId: string;
  /** Empty: none. */
  readonly resourceId: string;
  /** Places of the resource. */
  readonly places: number;
  /** Where the resource is full it waits in order of arrival. */
  readonly waitForPlace: boolean;
  /** When it expires unless it is associated, microseconds; 0: never. */
  readonly expiresAtUs: number;
  /** Free text for people. */
  readonly note: string;
  /** Undefined: none. */
  readonly money: MoneyTerms | undefined;
}

export interface Reservation {
  readonly number: string;
  state: ReservationState;
  /** Changes so far. */
  version: number;
  identityId: string;
  resourceId: string;
  places: number;
  place: PlaceState;
  expiresAtUs: number;
  /** Why it was rejected. */
  reason: string;
  money: MoneyTerms | undefined;
  moneyState: MoneyState;
  /** Why the payee did not take it. */
  moneyReason: string;
}

export type ReservationEvent =
  | ({ readonly kind: 'numberReserved' } & ReservationTerms)
  | { readonly kind: 'placeAwaited' }
  /** `pending`: it waits for its money. */
  | { readonly kind: 'placeObtained'; readonly pending: boolean }
  /** `pending`: it waits for its places. */
  | { readonly kind: 'moneyHeld'; readonly pending: boolean }
  | { readonly kind: 'rejected'; readonly reason: string; readonly byAccount: boolean }
  | { readonly kind: 'associated'; readonly associateId: string; readonly note: string }
  | { readonly kind: 'completed'; readonly note: string }
  | { readonly kind: 'cancelled'; readonly note: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'holdExtended'; readonly expiresAtUs: number }
  /** The resource answered with places when it was over: they are given back. */
  | { readonly kind: 'latePlacesReturned' }
  /** The account answered that it holds the money when it was over: it is released. */
  | { readonly kind: 'lateMoneyReleased' }
  | { readonly kind: 'moneyCaptured' }
  | { readonly kind: 'moneyPaid' }
  | { readonly kind: 'moneyReturned'; readonly reason: string };

export function newReservation(number: string): Reservation {
  const nothingAsked = { resourceId: '', places: 0, place: 'NONE', money: undefined, moneyState: 'NONE', moneyReason: '' } as const;
  return { number, state: 'NONE', version: 0, identityId: '', expiresAtUs: 0, reason: '', ...nothingAsked };
}

/** Changes the reservation in place. Throws for an event that cannot follow. */
export function evolveReservation(reservation: Reservation, event: ReservationEvent): Reservation {
  reservation.version += 1;
  switch (event.kind) {
    case 'numberReserved': {
      const { identityId, resourceId, places, expiresAtUs, money } = event;
      step(reservation, resourceId === '' && money === undefined ? 'RESERVE' : 'ASK');
      const asked = { place: resourceId === '' ? 'NONE' : 'ASKED', moneyState: money === undefined ? 'NONE' : 'ASKED' } as const;
      return Object.assign(reservation, { identityId, resourceId, places, expiresAtUs, money, ...asked });
    }
    case 'placeAwaited':
      reservation.place = 'WAITING';
      return reservation;
    case 'placeObtained':
      if (!event.pending) step(reservation, 'OBTAIN');
      reservation.place = 'HELD';
      return reservation;
    case 'moneyHeld':
      if (!event.pending) step(reservation, 'OBTAIN');
      reservation.moneyState = 'HELD';
      return reservation;
    case 'rejected':
      step(reservation, 'REJECT');
      reservation.reason = event.reason;
      if (event.byAccount) reservation.moneyState = 'NONE';
      else reservation.place = 'NONE';
      return givenBack(reservation);
    case 'associated':
      step(reservation, 'ASSOCIATE');
      return reservation;
    case 'completed':
      step(reservation, 'COMPLETE');
      if (reservation.moneyState === 'HELD') reservation.moneyState = 'CAPTURING';
      return reservation;
    case 'cancelled':
      step(reservation, 'CANCEL');
      return givenBack(reservation);
    case 'expired':
      step(reservation, 'EXPIRE');
      return givenBack(reservation);
    case 'holdExtended':
      step(reservation, 'EXTEND');
      reservation.expiresAtUs = event.expiresAtUs;
      return reservation;
    case 'latePlacesReturned':
      reservation.place = 'GIVEN_BACK';
      return reservation;
    case 'lateMoneyReleased':
      reservation.moneyState = 'RELEASED';
      return reservation;
    case 'moneyCaptured':
      reservation.moneyState = 'CAPTURED';
      return reservation;
    case 'moneyPaid':
      reservation.moneyState = 'PAID';
      return reservation;
    case 'moneyReturned':
      return Object.assign(reservation, { moneyState: 'RETURNED', moneyReason: event.reason });
    default:
      return event satisfies never;
  }
}

function step(reservation: Reservation, name: ReservationStep): void {
  const next = nextState(reservation.state, name);
  if (next === undefined) throw new Error(`${name} cannot happen to a reservation that is ${reservation.state}`);
  reservation.state = next;
}

/** What it has is given back. What is asked for stays so until the answer comes. */
function givenBack(reservation: Reservation): Reservation {
  if (reservation.place === 'HELD' || reservation.place === 'WAITING') reservation.place = 'GIVEN_BACK';
  if (reservation.moneyState === 'HELD') reservation.moneyState = 'RELEASED';
  return reservation;
}
