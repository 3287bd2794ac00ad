/** A reservation, by its number: one writer for everything that happens to it. */
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
 * Over: cancelled or expired. A completed number keeps its places. It asks once, and gives back once: the delivery that asks is decided once, and GIVEN_BACK is reached by one event.
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
}

export type ReservationEvent =
  | ({ readonly kind: 'numberReserved' } & ReservationTerms)
  | { readonly kind: 'placeAwaited' }
  | { readonly kind: 'placeObtained' }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'associated'; readonly associateId: string; readonly note: string }
  | { readonly kind: 'completed'; readonly note: string }
  | { readonly kind: 'cancelled'; readonly note: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'holdExtended'; readonly expiresAtUs: number }
  /** The resource answered with places when it was over: they are given back. */
  | { readonly kind: 'latePlacesReturned' };

export function newReservation(number: string): Reservation {
  return { number, state: 'NONE', version: 0, identityId: '', resourceId: '', places: 0, place: 'NONE', expiresAtUs: 0, reason: '' };
}

/** Changes the reservation in place. Throws for an event that cannot follow. */
export function evolveReservation(reservation: Reservation, event: ReservationEvent): Reservation {
  reservation.version += 1;
  switch (event.kind) {
    case 'numberReserved': {
      const { identityId, resourceId, places, expiresAtUs } = event;
      step(reservation, resourceId === '' ? 'RESERVE' : 'ASK');
      return Object.assign(reservation, { identityId, resourceId, places, expiresAtUs, place: resourceId === '' ? 'NONE' : 'ASKED' });
    }
    case 'placeAwaited':
      reservation.place = 'WAITING';
      return reservation;
    case 'placeObtained':
      step(reservation, 'OBTAIN');
      reservation.place = 'HELD';
      return reservation;
    case 'rejected':
      step(reservation, 'REJECT');
      return Object.assign(reservation, { reason: event.reason, place: 'NONE' });
    case 'associated':
      step(reservation, 'ASSOCIATE');
      return reservation;
    case 'completed':
      step(reservation, 'COMPLETE');
      return reservation;
    case 'cancelled':
      step(reservation, 'CANCEL');
      return withoutPlaces(reservation);
    case 'expired':
      step(reservation, 'EXPIRE');
      return withoutPlaces(reservation);
    case 'holdExtended':
      step(reservation, 'EXTEND');
      reservation.expiresAtUs = event.expiresAtUs;
      return reservation;
    case 'latePlacesReturned':
      reservation.place = 'GIVEN_BACK';
      return reservation;
    default:
      return event satisfies never;
  }
}

function step(reservation: Reservation, name: ReservationStep): void {
  const next = nextState(reservation.state, name);
  if (next === undefined) throw new Error(`${name} cannot happen to a reservation that is ${reservation.state}`);
  reservation.state = next;
}

function withoutPlaces(reservation: Reservation): Reservation {
  if (reservation.place === 'HELD' || reservation.place === 'WAITING') reservation.place = 'GIVEN_BACK';
  return reservation;
}
