/** Yesterday's events of reservations are read by today's code (test/recorded-history.ts). */
import { join } from 'node:path';
import { reservationEvents } from '@sluice/protocol/reservation';
import { eventsWithoutHistory, historiesIn, type History, keptAnswer, readHistory, testRecordingInto } from '../test/recorded-history';
import type { Asked } from '../test/aggregates-under-test';
import { ReservationsUnderTest, type Method } from '../test/reservations-under-test';

const FOLDER = join(__dirname, 'history');
const HALL = { resourceId: 'hall' };
/** Of the first commits, by the clock of the tests: an hour later. */
const EXPIRES_AT_US = 9_000_000_000_000_000n;

const price = (payeeAccountId: string) => ({ accountId: 'wallet', amountMinor: 30n, unit: 'EUR', payeeAccountId });

/** Requests that make every event, by their ids. */
const REQUESTS: Readonly<Record<string, readonly [Method, Asked]>> = {
  capacity: ['setCapacity', { ...HALL, capacity: 2n }],
  early: ['associate', { identityId: 'guest', number: 'n1', note: 'came early' }],
  first: ['reserve', { identityId: 'guest', number: 'n1', ...HALL, expiresAtUs: EXPIRES_AT_US, note: 'by the window' }],
  complete: ['complete', { number: 'n1', identityId: 'guest', note: 'left' }],
  second: ['reserve', { identityId: 'guest', number: 'n2', ...HALL, expiresAtUs: EXPIRES_AT_US }],
  extend: ['extendHold', { number: 'n2', expiresAtUs: EXPIRES_AT_US + 1n }],
  'no place': ['reserve', { identityId: 'guest', number: 'n3', ...HALL }],
  waits: ['reserve', { identityId: 'other', number: '{n}4', ...HALL, waitForPlace: true }],
  'taken by another': ['associate', { identityId: 'other', number: 'n2' }],
  'until it expires': ['associate', { identityId: 'other', parkMs: 1_000n }],
  cancelled: ['cancel', { number: '{n}5', note: 'rain' }],
  paid: ['reserve', { identityId: 'payer', number: 'm1', ...HALL, places: 1, waitForPlace: true, money: price('hotel') }],
  'money comes back': ['reserve', { identityId: 'payer', number: 'm2', money: price('gone') }],
  'too dear': ['reserve', { identityId: 'payer', number: 'm4', money: { ...price('hotel'), amountMinor: 1_000n } }],
  'paid for': ['complete', { number: 'm1' }],
  'not there': ['cancel', { number: 'unknown' }],
};

function answerTo(reservations: ReservationsUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  return keptAnswer(reservations.call(method, { requestId, ...request }));
}

async function record(): Promise<History> {
  const reservations = await ReservationsUnderTest.start();
  const stateOf = (number: string) => reservations.reservation(number)?.state;
  for (const requestId of ['capacity', 'early', 'first']) await answerTo(reservations, requestId);
  await reservations.until(() => stateOf('n1') === 'ASSOCIATED');
  for (const requestId of ['complete', 'second', 'extend', 'no place', 'taken by another', 'until it expires', 'waits'])
    await answerTo(reservations, requestId);
  // Cancelled while the resource is asked: its places come late. The capacity has room for it.
  await reservations.call('setCapacity', { resourceId: 'garden', capacity: 1n });
  const late = reservations.reserve('other', '{n}5', { resourceId: 'garden', requestId: 'late' });
  await reservations.until(() => reservations.reservation('{n}5')?.place === 'ASKED');
  await answerTo(reservations, 'cancelled');
  await late;
  await reservations.until(() => reservations.reservation('{n}5')?.place === 'GIVEN_BACK' && reservations.resource('garden')?.taken === 0);
  await reservations.clock.elapse(1_000);
  await reservations.until(() => reservations.identity('other')?.associates.size === 0);
  await reservations.reserve('third', 'n6', { expiresAtUs: reservations.inMs(1_000) });
  await reservations.clock.elapse(1_000);
  await reservations.until(() => stateOf('n6') === 'EXPIRED');
  await reservations.call('cancel', { number: 'n2' });
  await reservations.until(() => stateOf('{n}4') === 'RESERVED' && reservations.identity('other')?.numbers.get('{n}4')?.report.state === 'RESERVED');
  await reservations.until(() => reservations.identity('guest')?.numbers.size === 0);
  await payFor(reservations);
  const answers: Record<string, string> = {};
  for (const requestId of Object.keys(REQUESTS)) answers[requestId] = await answerTo(reservations, requestId);
  const commits = reservations.commits();
  await reservations.stop();
  return { commits, answers };
}

/** Reservations with money: paid, returned, and released late. */
async function payFor(reservations: ReservationsUnderTest): Promise<void> {
  await reservations.open('wallet', 100n);
  await reservations.open('hotel');
  const moneyOf = (number: string) => reservations.reservation(number)?.moneyState;
  for (const requestId of ['too dear', 'money comes back', 'paid']) await answerTo(reservations, requestId);
  await reservations.call('cancel', { number: '{n}4' });
  await reservations.until(() => reservations.reservation('m1')?.state === 'RESERVED');
  for (const number of ['m1', 'm2']) await reservations.associate('payer', { number });
  await answerTo(reservations, 'paid for');
  await reservations.call('complete', { number: 'm2' });
  await reservations.until(() => moneyOf('m1') === 'PAID' && moneyOf('m2') === 'RETURNED');
  const late = reservations.reserve('payer', 'm3', { money: price('hotel') });
  await reservations.until(() => moneyOf('m3') === 'ASKED');
  await reservations.call('cancel', { number: 'm3' });
  await late;
  await reservations.until(() => moneyOf('m3') === 'RELEASED' && reservations.account('wallet').heldMinor === 0n);
  await reservations.until(() => reservations.identity('payer')?.numbers.size === 0 && reservations.account('wallet').inTransitMinor === 0n);
}

testRecordingInto(FOLDER, record);

test('the histories have every event, in every version that can be read', () => {
  expect(eventsWithoutHistory(FOLDER, reservationEvents.known())).toEqual([]);
});

test.each(historiesIn(FOLDER))('%s: requests are answered as they were, from the log and from a snapshot, and the states are the same', async (name) => {
  const history = readHistory(FOLDER, name);
  const reservations = await ReservationsUnderTest.over(history.commits);
  for (const restart of [async () => undefined, () => reservations.restart()]) {
    await restart();
    for (const [requestId, answer] of Object.entries(history.answers))
      expect([requestId, await answerTo(reservations, requestId)]).toEqual([requestId, answer]);
    const states = ['n1', 'n2', 'n3', '{n}4', '{n}5', 'n6'].map((number) => reservations.reservation(number)?.state);
    const hasMoney = 'paid' in history.answers;
    expect(states).toEqual(['COMPLETED', 'CANCELLED', 'REJECTED', hasMoney ? 'CANCELLED' : 'RESERVED', 'CANCELLED', 'EXPIRED']);
    const money = ['m1', 'm2', 'm3', 'm4'].map((number) => reservations.reservation(number)?.moneyState);
    expect(money).toEqual(hasMoney ? ['PAID', 'RETURNED', 'RELEASED', 'NONE'] : [undefined, undefined, undefined, undefined]);
    if (hasMoney) expect(reservations.balances('wallet', 'hotel')).toEqual([70n, 30n]);
    expect(reservations.resource('hall')).toMatchObject({ capacity: 2, taken: 2 });
    expect(reservations.resource('garden')).toMatchObject({ capacity: 1, taken: 0 });
  }
  await reservations.stop();
});
