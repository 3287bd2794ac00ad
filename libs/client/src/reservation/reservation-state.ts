/** Reservations, resources and parked requests as they stand in the read store. */
import type { MoneyHold, ReservationState } from './reservation';

/** What a reservation has of its resource. */
export const PLACES_STATES = ['ASKED', 'WAITING', 'HELD', 'GIVEN_BACK'] as const;
export type PlacesState = (typeof PLACES_STATES)[number];

/** Where the money of a reservation stands. */
export const MONEY_STATES = ['ASKED', 'HELD', 'RELEASED', 'CAPTURING', 'CAPTURED', 'PAID', 'RETURNED'] as const;
export type MoneyState = (typeof MONEY_STATES)[number];

export interface ReservationMoney extends MoneyHold {
  /** Undefined: the account refused. */
  readonly state: MoneyState | undefined;
  /** Why it is RETURNED; empty unless it is. */
  readonly reason: string;
}

export interface Reservation {
  readonly number: string;
  readonly identityId: string;
  readonly state: ReservationState;
  /** Why it is REJECTED; empty unless it is. */
  readonly reason: string;
  /** Empty: none. */
  readonly resourceId: string;
  readonly places: number;
  /** Undefined: it asked for none, or the resource refused. */
  readonly placesState: PlacesState | undefined;
  /** Undefined: never. */
  readonly expiresAt: Date | undefined;
  /** Undefined: it asked for none. */
  readonly money: ReservationMoney | undefined;
  readonly reservedAt: Date | undefined;
  readonly associatedAt: Date | undefined;
  /** When it was completed, rejected, cancelled or expired. */
  readonly endedAt: Date | undefined;
  /** Of the reserve request. */
  readonly note: string;
  /** Of the associate request that was applied. */
  readonly associatedNote: string;
  /** Of the request that completed or cancelled it. */
  readonly endedNote: string;
  /** Changes so far. */
  readonly version: number;
}

export interface ReservationFilter {
  readonly identityId?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly state?: ReservationState | undefined;
  readonly reservedFrom?: Date | undefined;
  readonly reservedBefore?: Date | undefined;
  /** Default: the oldest first. */
  readonly newestFirst?: boolean | undefined;
}

export interface Resource {
  readonly resourceId: string;
  readonly capacity: number;
  readonly taken: number;
  /** Numbers on its waiting list, and the places that they want. */
  readonly waitingCount: number;
  readonly waitingPlaces: number;
  readonly capacitySetAt: Date | undefined;
}

/** A reservation as the buffer of its identity knows it. */
export interface IdentityReservation {
  readonly number: string;
  readonly state: ReservationState | undefined;
  /** True: it is on the waiting list of its resource. */
  readonly waiting: boolean;
  readonly reason: string;
}

export interface UserState {
  /** ASSOCIATED, RESERVED or PENDING: the first of these that a reservation has; without any, the state of `ended`. Undefined: there is none. */
  readonly state: ReservationState | undefined;
  /** Those that are not over, in order of reservation. */
  readonly reservations: readonly IdentityReservation[];
  /** The one that was over last. */
  readonly ended: IdentityReservation | undefined;
  /** Its associate requests that are parked, and those that a number has not answered. */
  readonly parkedCount: number;
  readonly sentCount: number;
}

export interface ParkedFilter {
  readonly identityId?: string | undefined;
  readonly newestFirst?: boolean | undefined;
}

/** An associate request that waits for its number. */
export interface ParkedRequest {
  readonly identityId: string;
  /** Empty: see `passedOnFrom`. */
  readonly requestId: string;
  /** The number that it was applied to before another request named that; empty: none. */
  readonly passedOnFrom: string;
  /** The number that it names; empty: the first that is reserved. */
  readonly number: string;
  readonly acceptedAt: Date | undefined;
  readonly parkedUntil: Date | undefined;
  readonly note: string;
}
