/** What stands in the read store, from the messages that travel. */
import { reservationpb } from '@sluice/protocol/reservation';
import { expectedPart } from '../expected-part';
import { SluiceError } from '../sluice-error';
import { timeFromWire } from '../time-wire';
import type { ReservationState } from './reservation';
import {
  type IdentityReservation,
  MONEY_STATES,
  type ParkedRequest,
  PLACES_STATES,
  type Reservation,
  type ReservationMoney,
  type Resource,
  type UserState,
} from './reservation-state';
import { stateFromWire } from './reservation-wire';

export function stateToWire(state: ReservationState | undefined): reservationpb.ReservationState {
  return reservationpb.ReservationState[`RESERVATION_STATE_${state ?? 'UNSPECIFIED'}`];
}

export function reservationFromWire(found: reservationpb.Reservation | undefined): Reservation {
  const { sequence: _, state: wireState, placesState, money, ...said } = expectedPart(found);
  const state = stateFromWire(wireState);
  if (state === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: `${said.number} has a state that this library does not know` });
  return {
    ...said,
    state,
    placesState: PLACES_STATES.find((name) => reservationpb.PlacesState[`PLACES_STATE_${name}`] === placesState),
    money: money && moneyFromWire(money),
    expiresAt: timeFromWire(said.expiresAt),
    reservedAt: timeFromWire(said.reservedAt),
    associatedAt: timeFromWire(said.associatedAt),
    endedAt: timeFromWire(said.endedAt),
  };
}

function moneyFromWire({ hold, state, reason }: reservationpb.ReservationMoney): ReservationMoney {
  return { ...expectedPart(hold), reason, state: MONEY_STATES.find((name) => reservationpb.MoneyState[`MONEY_STATE_${name}`] === state) };
}

export function resourceFromWire(found: reservationpb.Resource | undefined): Resource {
  const { resourceId, capacity, taken, waitingCount, waitingPlaces, capacitySetAt } = expectedPart(found);
  return {
    resourceId,
    capacity: Number(capacity),
    taken: Number(taken),
    waitingCount: Number(waitingCount),
    waitingPlaces: Number(waitingPlaces),
    capacitySetAt: timeFromWire(capacitySetAt),
  };
}

export function userStateFromWire({ state, reservations, ended, parkedCount, sentCount }: reservationpb.GetUserStateResponse): UserState {
  return { state: stateFromWire(state), reservations: reservations.map(knownFromWire), ended: ended && knownFromWire(ended), parkedCount, sentCount };
}

function knownFromWire({ state, ...said }: reservationpb.IdentityReservation): IdentityReservation {
  return { ...said, state: stateFromWire(state) };
}

export function parkedFromWire({ sequence: _, acceptedAt, parkedUntil, ...said }: reservationpb.ParkedRequest): ParkedRequest {
  return { ...said, acceptedAt: timeFromWire(acceptedAt), parkedUntil: timeFromWire(parkedUntil) };
}
