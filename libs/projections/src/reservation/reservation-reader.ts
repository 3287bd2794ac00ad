/** Reservations as their rows have them, in the form of their messages. */
import type { Row } from '@sluice/ports';
import { reservationpb } from '@sluice/protocol/reservation';
import { timeOfRow } from '../time-of-row';
import { associateStateOf } from './associate-rows';
import { identityStateOf } from './identity-rows';
import { reservationStateOf, type ReservationState, type StoredState } from './reservation-rows';
import { resourceStateOf } from './resource-rows';

export function reservationMessage(row: Row): reservationpb.Reservation {
  const state = reservationStateOf(row);
  const { identityId, reason, resourceId, places, note, associatedNote, endedNote, version } = state;
  return {
    number: row.number as string,
    ...{ identityId, reason, resourceId, places, note, associatedNote, endedNote, version },
    state: stateMessage(state.state),
    placesState: reservationpb.PlacesState[`PLACES_STATE_${state.placeState || 'UNSPECIFIED'}`],
    expiresAt: timeOfRow(state.expiresAtUs),
    money: moneyMessage(state),
    reservedAt: timeOfRow(state.reservedAtUs),
    associatedAt: timeOfRow(state.associatedAtUs),
    endedAt: timeOfRow(state.endedAtUs),
    sequence: BigInt(row.sequence as number),
  };
}

function moneyMessage({ money, moneyState, moneyReason }: ReservationState): reservationpb.ReservationMoney | undefined {
  if (money === null) return undefined;
  const state = reservationpb.MoneyState[`MONEY_STATE_${moneyState || 'UNSPECIFIED'}`];
  return { hold: reservationpb.MoneyHold.decode(money), state, reason: moneyReason };
}

const OVER: ReadonlySet<reservationpb.ReservationState> = new Set([
  reservationpb.ReservationState.RESERVATION_STATE_COMPLETED,
  reservationpb.ReservationState.RESERVATION_STATE_REJECTED,
  reservationpb.ReservationState.RESERVATION_STATE_CANCELLED,
  reservationpb.ReservationState.RESERVATION_STATE_EXPIRED,
]);
const MONEY_ON_ITS_WAY: ReadonlySet<reservationpb.MoneyState | undefined> = new Set([
  reservationpb.MoneyState.MONEY_STATE_CAPTURING,
  reservationpb.MoneyState.MONEY_STATE_CAPTURED,
]);

/** Whether it is over, and its money with it. What it asked for may still come late, and is given back then. */
export function isSettled({ state, money }: reservationpb.Reservation): boolean {
  return OVER.has(state) && !MONEY_ON_ITS_WAY.has(money?.state);
}

export function resourceMessage(row: Row): reservationpb.Resource {
  const { capacity, taken, waitingCount, waitingPlaces, capacitySetAtUs } = resourceStateOf(row);
  return {
    resourceId: row.resource_id as string,
    capacity: BigInt(capacity),
    taken: BigInt(taken),
    waitingCount: BigInt(waitingCount),
    waitingPlaces: BigInt(waitingPlaces),
    capacitySetAt: timeOfRow(capacitySetAtUs),
    sequence: BigInt(row.sequence as number),
  };
}

const { RESERVATION_STATE_UNSPECIFIED, RESERVATION_STATE_ASSOCIATED, RESERVATION_STATE_RESERVED, RESERVATION_STATE_PENDING } = reservationpb.ReservationState;
/** What an identity is by one of its reservations: the first of these. */
const STRONGEST_FIRST = [RESERVATION_STATE_ASSOCIATED, RESERVATION_STATE_RESERVED, RESERVATION_STATE_PENDING];

/** @param row undefined: the identity is not known. */
export function userStateMessage(row: Row | undefined): Omit<reservationpb.GetUserStateResponse, 'positionToken'> {
  if (row === undefined) return { state: RESERVATION_STATE_UNSPECIFIED, reservations: [], ended: undefined, parkedCount: 0, sentCount: 0, sequence: 0n };
  const { numbers, associates, endedNumber, endedState, endedReason } = identityStateOf(row);
  const reservations = numbers.map(({ number, state, waiting }) => ({ number, state: stateMessage(state), waiting, reason: '' }));
  const ended = endedState === '' ? undefined : { number: endedNumber, state: stateMessage(endedState), waiting: false, reason: endedReason };
  const strongest = STRONGEST_FIRST.find((wanted) => reservations.some(({ state }) => state === wanted));
  const isParked = Object.values(associates);
  const parkedCount = isParked.filter(Boolean).length;
  return {
    state: strongest ?? ended?.state ?? RESERVATION_STATE_UNSPECIFIED,
    reservations,
    ended,
    parkedCount,
    sentCount: isParked.length - parkedCount,
    sequence: BigInt(row.sequence as number),
  };
}

const FROM_CALLER = 'r/';
const PASSED_ON = 'n/';

export function parkedMessage(row: Row): reservationpb.ParkedRequest {
  const { identityId, associateId, number, acceptedAtUs, parkedUntilUs, note } = associateStateOf(row);
  return {
    ...{ identityId, number, note },
    requestId: associateId.startsWith(FROM_CALLER) ? associateId.slice(FROM_CALLER.length) : '',
    passedOnFrom: associateId.startsWith(PASSED_ON) ? associateId.slice(PASSED_ON.length) : '',
    acceptedAt: timeOfRow(acceptedAtUs),
    parkedUntil: timeOfRow(parkedUntilUs),
    sequence: BigInt(row.sequence as number),
  };
}

function stateMessage(state: StoredState): reservationpb.ReservationState {
  return reservationpb.ReservationState[`RESERVATION_STATE_${state}`];
}
