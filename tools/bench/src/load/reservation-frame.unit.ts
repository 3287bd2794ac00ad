import { reservationpb } from '@sluice/protocol/reservation';
import { numberedAccountId } from './load-order';
import { RequestIds } from './request-ids';
import { ReservationFrame } from './reservation-frame';
import { findAssociateFault, findReserveFault, readReservationVerdict } from './reservation-verdict';

const IDENTITIES = 20;
const identities = new Set(Array.from({ length: IDENTITIES }, (_, at) => numberedAccountId(at)));
const { RESERVATION_STATE_PENDING: PENDING, RESERVATION_STATE_RESERVED: RESERVED } = reservationpb.ReservationState;
const { ASSOCIATE_STATE_ASSOCIATED: ASSOCIATED, ASSOCIATE_STATE_PARKED: PARKED } = reservationpb.AssociateState;

test('each reservation has a number of its own, and the associate requests are for the newest ones', () => {
  const frame = new ReservationFrame({ shape: 'batch', items: 200, identities: IDENTITIES, resourceId: 'hall' });
  const ids = new RequestIds(1);
  const rounds = [1, 2].map(() => ({
    reservations: reservationpb.ReserveBatchRequest.decode(frame.nextReserve(ids)).reservations,
    associates: reservationpb.AssociateBatchRequest.decode(frame.nextAssociate(ids)).associates,
  }));
  const told = rounds.flatMap(({ reservations, associates }) => [...reservations, ...associates]);
  expect(new Set(told.map(({ requestId }) => requestId)).size).toBe(800);
  expect(new Set(told.map(({ number }) => number)).size).toBe(400);
  expect(new Set(told.map(({ identityId }) => identityId))).toEqual(identities);
  for (const { reservations, associates } of rounds) {
    const named = ({ identityId, number }: { identityId: string; number: string }): string => `${identityId} ${number}`;
    expect(associates.map(named)).toEqual(reservations.map(named));
    expect(reservations.every(({ resourceId }) => resourceId === 'hall')).toBe(true);
  }
});

test('a single reservation and its associate request', () => {
  const frame = new ReservationFrame({ shape: 'single', items: 1, identities: IDENTITIES, resourceId: '' });
  const ids = new RequestIds(1);
  const reservation = reservationpb.ReserveRequest.decode(frame.nextReserve(ids));
  const associate = reservationpb.AssociateRequest.decode(frame.nextAssociate(ids));
  expect(identities.has(reservation.identityId)).toBe(true);
  expect(associate).toMatchObject({ identityId: reservation.identityId, number: reservation.number });
  expect(associate.requestId).not.toBe(reservation.requestId);
});

const error = { code: 8, reason: 'RESERVATION_IDENTITY_FULL', message: 'too many' };
const reserveAnswer = (results: readonly Partial<reservationpb.ReserveResult>[], positionToken = 'token'): Uint8Array =>
  reservationpb.ReserveBatchResponse.encode(reservationpb.ReserveBatchResponse.fromPartial({ results: [...results], positionToken })).finish();
const associateAnswer = (results: readonly Partial<reservationpb.AssociateResult>[]): Uint8Array =>
  reservationpb.AssociateBatchResponse.encode(reservationpb.AssociateBatchResponse.fromPartial({ results: [...results], positionToken: 'token' })).finish();
const taken = { state: reservationpb.ReservationState.RESERVATION_STATE_REJECTED, reason: 'RESERVATION_NUMBER_TAKEN' };
const associated = { state: ASSOCIATED, number: 'N' };

test.each`
  what           | bytes                                                            | results | accepted | fault
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED }, { state: PENDING }])}      | ${2}    | ${2}     | ${undefined}
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED }, { error }])}               | ${2}    | ${1}     | ${'item 1: RESERVATION_IDENTITY_FULL: too many'}
  ${'reserve'}   | ${reserveAnswer([taken, { state: RESERVED }])}                   | ${2}    | ${1}     | ${'item 0 is refused: RESERVATION_NUMBER_TAKEN'}
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED, repeated: true }, taken])}   | ${2}    | ${1}     | ${'item 0 was answered as a repeat, and its request id is new'}
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED }, {}])}                      | ${2}    | ${2}     | ${'item 1 is in a state that no request of the bench leads to'}
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED }])}                          | ${1}    | ${1}     | ${'1 results for 2 items'}
  ${'reserve'}   | ${reserveAnswer([{ state: RESERVED }, { state: RESERVED }], '')} | ${2}    | ${2}     | ${'no position token'}
  ${'associate'} | ${associateAnswer([associated, { state: PARKED }])}              | ${2}    | ${2}     | ${undefined}
  ${'associate'} | ${associateAnswer([{ error }, associated])}                      | ${2}    | ${1}     | ${'item 0: RESERVATION_IDENTITY_FULL: too many'}
`('an answer to two $what requests with the fault $fault', ({ what, bytes, results, accepted, fault }) => {
  expect(readReservationVerdict(bytes)).toEqual({ results, accepted });
  expect(what === 'reserve' ? findReserveFault(bytes, 2) : findAssociateFault(bytes, 2)).toBe(fault);
});
