/** What is measured of parked requests and of waiting lists, also behind a crash and a restart. */
import { Measured } from '../test/measured';
import { ReservationsUnderTest } from '../test/reservations-under-test';

let measured: Measured;
let reservations: ReservationsUnderTest;

beforeEach(async () => {
  measured = new Measured('sluice.reservation.');
  reservations = await ReservationsUnderTest.start('memory', measured.metrics);
});
afterEach(() => reservations.end());

/** Over all partitions. */
function gauge(name: string): number {
  return Object.entries(measured.values).reduce((sum, [key, value]) => (key.startsWith(`${name} `) ? sum + value : sum), 0);
}

test('parked requests are counted while they are parked, and by how they end', async () => {
  await reservations.associate('early', { number: 'n1' });
  await reservations.associate('early', { number: 'n2', parkMs: 5_000n });
  await reservations.associate('other', { parkMs: 5_000n });
  expect([gauge('parked'), measured.values['associates_parked']]).toEqual([3, 3]);
  await reservations.crash();
  expect(gauge('parked')).toBe(3);
  await reservations.restart();
  expect(gauge('parked')).toBe(3);
  await reservations.reserve('early', 'n1');
  await reservations.until(() => measured.values['associates_ended ASSOCIATED'] === 1);
  await reservations.reserve('stranger', 'n9');
  await reservations.associate('other', { number: 'n9' });
  expect(measured.values).toMatchObject({ 'associates_ended REJECTED': 1 });
  await reservations.clock.elapse(5_000);
  await reservations.until(() => measured.values['associates_ended EXPIRED'] === 2);
  expect(gauge('parked')).toBe(0);
});

test('waiting lists are counted while reservations wait, and by how they leave', async () => {
  await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
  for (const number of ['n1', 'n2', 'n3']) await reservations.reserve('guest', number, { resourceId: 'hall', waitForPlace: true });
  expect([gauge('waiting'), measured.values['waits_begun']]).toEqual([2, 2]);
  await reservations.crash();
  expect(gauge('waiting')).toBe(2);
  await reservations.restart();
  expect(gauge('waiting')).toBe(2);
  await reservations.call('cancel', { number: 'n3' });
  await reservations.call('cancel', { number: 'n1' });
  await reservations.until(() => measured.values['waits_ended GRANTED'] === 1 && measured.values['waits_ended LEFT'] === 1);
  expect([gauge('waiting'), measured.values['waits_begun']]).toEqual([0, 2]);
});
