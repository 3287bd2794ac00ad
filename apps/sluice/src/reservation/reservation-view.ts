/** Reservations as people see them. */
import type { IdentityReservation, ParkedRequest, Reservation, Resource, UserState } from '@sluice/client';
import { type Cell, clockText } from '../output';

export function reservationPairs(reservation: Reservation): readonly (readonly [string, Cell])[] {
  return [
    ['number', reservation.number],
    ['identity', reservation.identityId],
    ['state', reservation.state],
    ['reason', reservation.reason],
    ['resource', reservation.resourceId],
    ['places', placesText(reservation)],
    ['money', moneyText(reservation)],
    ['payee', reservation.money?.payeeAccountId],
    ['expires', clockText(reservation.expiresAt)],
    ['reserved', clockText(reservation.reservedAt)],
    ['associated', clockText(reservation.associatedAt)],
    ['ended', clockText(reservation.endedAt)],
    ['note', reservation.note],
    ['associated with', reservation.associatedNote],
    ['ended with', reservation.endedNote],
  ];
}

export const RESERVATION_COLUMNS: Readonly<Record<string, (row: Reservation) => Cell>> = {
  number: (row) => row.number,
  identity: (row) => row.identityId,
  state: (row) => row.state,
  resource: (row) => row.resourceId,
  places: placesText,
  money: moneyText,
  reserved: (row) => clockText(row.reservedAt),
  ended: (row) => clockText(row.endedAt),
  reason: (row) => row.reason,
};

export const PARKED_COLUMNS: Readonly<Record<string, (row: ParkedRequest) => Cell>> = {
  identity: (row) => row.identityId,
  'request id': (row) => row.requestId,
  number: (row) => row.number,
  accepted: (row) => clockText(row.acceptedAt),
  until: (row) => clockText(row.parkedUntil),
  'passed on from': (row) => row.passedOnFrom,
  note: (row) => row.note,
};

export function resourcePairs({ resourceId, capacity, taken, waitingCount, waitingPlaces, capacitySetAt }: Resource): readonly (readonly [string, Cell])[] {
  return [
    ['resource', resourceId],
    ['capacity', capacity],
    ['taken', taken],
    ['waiting', waitingPlaces === waitingCount ? waitingCount : `${waitingCount}, for ${waitingPlaces} places`],
    ['capacity set', clockText(capacitySetAt)],
  ];
}

export function userPairs(identityId: string, user: UserState): readonly (readonly [string, Cell])[] {
  return [
    ['identity', identityId],
    ['state', user.state ?? 'no reservation'],
    ...user.reservations.map((known): readonly [string, Cell] => [known.number, knownText(known)]),
    ['over last', user.ended && `${user.ended.number} ${knownText(user.ended)}`],
    ['parked', user.parkedCount],
    ['sent', user.sentCount],
  ];
}

function knownText({ state, waiting, reason }: IdentityReservation): string {
  return [state ?? 'unknown', waiting ? 'waiting' : '', reason].filter((part) => part !== '').join(' ');
}

/** A line of a watch. */
export function changeText(reservation: Reservation): string {
  const { endedAt, associatedAt, reservedAt, state, reason } = reservation;
  const parts = [clockText(endedAt ?? associatedAt ?? reservedAt), state.padEnd(10), reason, placesText(reservation), moneyText(reservation)];
  return parts
    .filter((part) => part !== '')
    .join('  ')
    .trimEnd();
}

function placesText({ placesState, places }: Reservation): string {
  return placesState === undefined ? '' : `${places} ${placesState}`;
}

function moneyText({ money }: Reservation): string {
  if (money === undefined) return '';
  return [`${money.amountMinor} ${money.unit} of ${money.accountId}`, money.state ?? 'REFUSED', money.reason].filter((part) => part !== '').join(' ');
}
