/** Reservations through the command service: numbers, identities and resources in several partitions, with restarts and crashes between. */
import { decodePositionToken } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import type { Asked } from '../test/aggregates-under-test';
import { ReservationsUnderTest, type Method } from '../test/reservations-under-test';
import { identityRecord, reservationRecord, resourceRecord } from './reservation-records';

let under: ReservationsUnderTest | undefined;

async function started(adapter = 'memory'): Promise<ReservationsUnderTest> {
  under = await ReservationsUnderTest.start(adapter);
  return under;
}

afterEach(async () => {
  expect(under?.troubles ?? []).toEqual([]);
  await under?.end();
  under = undefined;
});

/** What the partitions have of an identity, a number and a resource. */
function packed(reservations: ReservationsUnderTest): string[] {
  const identity = reservations.identity('guest');
  const number = reservations.reservation('n1');
  const resource = reservations.resource('hall');
  if (identity === undefined || number === undefined || resource === undefined) throw new Error('something is missing');
  return [identityRecord.encode(identity), reservationRecord.encode(number), resourceRecord.encode(resource)].map((bytes) =>
    Buffer.from(bytes).toString('hex'),
  );
}

describe.each(['memory', 'SQLite'])('on the %s log', (adapter) => {
  test('a reservation goes from its request to its completion', async () => {
    const reservations = await started(adapter);
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 2n });
    expect(await reservations.reserve('guest', 'n1', { resourceId: 'hall' })).toBe('RESERVED');
    expect(await reservations.refusal('complete', { number: 'n1' })).toBe('RESERVATION_NOT_ASSOCIATED');
    expect(await reservations.associate('guest')).toBe('ASSOCIATED, n1');
    expect(await reservations.refusal('complete', { number: 'n1', identityId: 'stranger' })).toBe('IDENTITY_MISMATCH');
    await reservations.call('complete', { number: 'n1', identityId: 'guest' });
    expect(await reservations.associate('guest', { number: 'n1' })).toBe('REJECTED, RESERVATION_COMPLETED');
    expect(await reservations.reserve('guest', 'n1')).toBe('COMPLETED');
    expect(reservations.resource('hall')).toMatchObject({ taken: 1 });
  });

  test('an early request is parked, survives a crash and a restart, and is applied when its number is reserved', async () => {
    const reservations = await started(adapter);
    expect(await reservations.associate('guest', { number: 'n1', requestId: 'early' })).toBe('PARKED');
    expect(await reservations.associate('guest', { requestId: 'any' })).toBe('PARKED');
    await reservations.crash();
    expect(await reservations.reserve('guest', 'n1')).toMatch(/RESERVED|ASSOCIATED/);
    await reservations.until(() => reservations.reservation('n1')?.state === 'ASSOCIATED');
    await reservations.restart();
    expect(await reservations.reserve('guest', 'n2')).toMatch(/RESERVED|ASSOCIATED/);
    await reservations.until(() => reservations.reservation('n2')?.state === 'ASSOCIATED' && reservations.identity('guest')?.associates.size === 0);
    expect(await reservations.associate('guest', { number: 'n1', requestId: 'early' })).toBe('ASSOCIATED, n1');
    expect(await reservations.associate('guest', { requestId: 'any' })).toBe('ASSOCIATED, n2');
  });

  test('requests have one verdict, from the log and from a snapshot, and the states are the same', async () => {
    const reservations = await started(adapter);
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 2n, requestId: 'capacity' });
    expect(await reservations.reserve('guest', 'n1', { resourceId: 'hall', requestId: 'r1', expiresAtUs: reservations.inMs(60_000) })).toBe('RESERVED');
    expect(await reservations.reserve('guest', 'n2', { resourceId: 'hall', requestId: 'r2', places: 2 })).toBe('REJECTED, RESERVATION_RESOURCE_FULL');
    expect(await reservations.associate('guest', { number: 'n9', requestId: 'parked' })).toBe('PARKED');
    expect(await reservations.refusal('complete', { number: 'n1', requestId: 'too early' })).toBe('RESERVATION_NOT_ASSOCIATED');
    const before = packed(reservations);
    const expiresAtUs = reservations.inMs(60_000);
    for (const again of [() => reservations.crash(), () => reservations.restart(), () => reservations.restart()]) {
      await again();
      expect(packed(reservations)).toEqual(before);
      const repeat = { identityId: 'guest', number: 'n1', resourceId: 'hall', requestId: 'r1', expiresAtUs };
      expect(await reservations.call('reserve', repeat)).toMatchObject({ repeated: true, state: reservationpb.ReservationState.RESERVATION_STATE_RESERVED });
      expect(await reservations.reserve('guest', 'n2', { resourceId: 'hall', requestId: 'r2', places: 2 })).toBe('REJECTED, RESERVATION_RESOURCE_FULL');
      expect(await reservations.refusal('reserve', { ...repeat, number: 'n3' })).toBe('REQUEST_ID_REUSED');
      expect(await reservations.associate('guest', { number: 'n9', requestId: 'parked' })).toBe('PARKED');
      expect(await reservations.refusal('complete', { number: 'n1', requestId: 'too early' })).toBe('RESERVATION_NOT_ASSOCIATED');
      expect(await reservations.call('setCapacity', { resourceId: 'hall', capacity: 2n, requestId: 'capacity' })).toMatchObject({ repeated: true, taken: 0n });
    }
  });

  test('a reservation that is not associated expires, and its places go to the first that waits', async () => {
    const reservations = await started(adapter);
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
    expect(await reservations.reserve('guest', 'n1', { resourceId: 'hall', expiresAtUs: reservations.inMs(60_000) })).toBe('RESERVED');
    expect(await reservations.reserve('second', 'n2', { resourceId: 'hall', waitForPlace: true })).toBe('PENDING, waiting');
    expect(await reservations.reserve('third', 'n3', { resourceId: 'hall', waitForPlace: true })).toBe('PENDING, waiting');
    await reservations.call('extendHold', { number: 'n1', expiresAtUs: reservations.inMs(90_000) });
    await reservations.clock.elapse(60_000);
    await reservations.fireDue();
    expect(reservations.reservation('n1')?.state).toBe('RESERVED');
    await reservations.crash();
    await reservations.clock.elapse(30_000);
    await reservations.until(() => reservations.reservation('n2')?.state === 'RESERVED');
    expect(reservations.reservation('n1')).toMatchObject({ state: 'EXPIRED', place: 'GIVEN_BACK' });
    expect(await reservations.associate('guest', { number: 'n1' })).toBe('REJECTED, RESERVATION_EXPIRED');
    await reservations.call('cancel', { number: 'n2', note: 'rain' });
    await reservations.until(() => reservations.reservation('n3')?.state === 'RESERVED');
    expect(reservations.resource('hall')).toMatchObject({ taken: 1 });
    expect(reservations.resource('hall')?.waiting.size).toBe(0);
  });
});

test('ten thousand concurrent reservations of a hundred places get exactly a hundred', async () => {
  const reservations = await started();
  await reservations.call('setCapacity', { resourceId: 'hall', capacity: 100n });
  const batches = Array.from({ length: 10 }, (_, batch) =>
    Array.from({ length: 1_000 }, (__, at) => ({
      ...{ identityId: `guest ${(batch * 1_000 + at) % 500}`, number: `seat ${batch}/${at}`, requestId: `r${batch}/${at}` },
      resourceId: 'hall',
    })),
  );
  const answers = await Promise.all(batches.map((batch) => reservations.call('reserveBatch', { reservations: batch })));
  const results = answers.flatMap((answer) => answer.results);
  const { RESERVATION_STATE_RESERVED, RESERVATION_STATE_REJECTED } = reservationpb.ReservationState;
  expect(results.filter(({ state }) => state === RESERVATION_STATE_RESERVED)).toHaveLength(100);
  expect(results.filter(({ state, reason }) => state === RESERVATION_STATE_REJECTED && reason === 'RESERVATION_RESOURCE_FULL')).toHaveLength(9_900);
  expect(reservations.resource('hall')).toMatchObject({ taken: 100 });
});

test('a parked request expires when its time is over, and says so to its repeat', async () => {
  const reservations = await started();
  const early = { number: 'n1', parkMs: 5_000n, requestId: 'early' };
  expect(await reservations.associate('guest', early)).toBe('PARKED');
  await reservations.clock.elapse(5_000);
  await reservations.until(() => reservations.identity('guest')?.associates.size === 0);
  expect(await reservations.associate('guest', early)).toBe('EXPIRED, RESERVATION_PARKED_EXPIRED');
  expect(await reservations.reserve('guest', 'n1')).toBe('RESERVED');
});

test('several numbers of an identity are tried in order of reservation, and a named one is passed on', async () => {
  const reservations = await started();
  for (const number of ['n1', 'n2', 'n3']) await reservations.reserve('guest', number);
  await reservations.call('cancel', { number: 'n1' });
  expect(await reservations.associate('guest')).toBe('ASSOCIATED, n2');
  expect(await reservations.associate('guest', { number: 'n2' })).toBe('ASSOCIATED, n2');
  await reservations.until(() => reservations.reservation('n3')?.state === 'ASSOCIATED');
  expect(await reservations.associate('guest', { number: 'n2' })).toBe('ASSOCIATED, n2');
  expect(await reservations.associate('guest', { parkMs: 1n })).toBe('PARKED');
});

test('a number of another identity is refused, for reservations and for associate requests', async () => {
  const reservations = await started();
  await reservations.reserve('owner', 'n1');
  expect(await reservations.reserve('stranger', 'n1')).toBe('REJECTED, RESERVATION_NUMBER_TAKEN');
  expect(await reservations.associate('stranger', { number: 'n1' })).toBe('REJECTED, IDENTITY_MISMATCH');
  expect(await reservations.associate('owner', { number: 'n1' })).toBe('ASSOCIATED, n1');
});

test('a number is hashed whole, and the token of its reservation covers both partitions', async () => {
  const reservations = await started();
  const numbers = Array.from({ length: 16 }, (_, at) => `{room}-${at}`);
  const partitions = new Set<number>();
  for (const number of numbers) {
    const { positionToken } = await reservations.call('reserve', { identityId: 'guest', number });
    for (const partition of decodePositionToken(positionToken).sequences.keys()) partitions.add(partition);
    // Read from the partition of the whole number.
    expect(reservations.reservation(number)).toMatchObject({ state: 'RESERVED', identityId: 'guest' });
    await reservations.call('extendHold', { number, expiresAtUs: 0n });
  }
  expect(partitions.size).toBe(4);
});

test('an identity holds a bounded number of reservations and of parked requests', async () => {
  const reservations = await started();
  const many = Array.from({ length: 3_000 }, (_, at) => ({ identityId: 'guest', number: `n${at}`, requestId: `r${at}` }));
  const { results } = await reservations.call('reserveBatch', { reservations: many });
  const reasons = results.map(({ error }) => error?.reason ?? 'accepted');
  expect([reasons.slice(0, 1_000), reasons.slice(1_000)].map((each) => [...new Set(each)])).toEqual([['accepted'], ['RESERVATION_IDENTITY_FULL']]);
  expect(await reservations.refusal('reserve', { identityId: 'guest', number: 'one more', requestId: 'r' })).toBe('RESERVATION_IDENTITY_FULL');
  await reservations.call('cancel', { number: 'n7' });
  await reservations.until(() => reservations.identity('guest')?.numbers.size === 999);
  expect(await reservations.reserve('guest', 'one more', { requestId: 'r' })).toBe('RESERVED');
  const early = Array.from({ length: 64 }, (_, at) => ({ identityId: 'other', number: `early ${at}`, requestId: `r${at}` }));
  expect((await reservations.call('associateBatch', { associates: early })).results.map(({ error }) => error)).toEqual(early.map(() => undefined));
  expect(await reservations.refusal('associate', { identityId: 'other' })).toBe('RESERVATION_PARKED_FULL');
});

test('places that come free in large numbers go to all that wait for them', async () => {
  const reservations = await started();
  await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
  const many = Array.from({ length: 201 }, (_, at) => ({
    ...{ identityId: `guest ${at}`, number: `n${at}`, requestId: `r${at}` },
    ...{ resourceId: 'hall', waitForPlace: true },
  }));
  await reservations.call('reserveBatch', { reservations: many });
  expect(reservations.resource('hall')?.waiting.size).toBe(200);
  expect(await reservations.call('setCapacity', { resourceId: 'hall', capacity: 300n })).toMatchObject({ taken: 65n, waiting: 136 });
  await reservations.until(() => many.every(({ number }) => reservations.reservation(number)?.state === 'RESERVED'));
  expect(reservations.resource('hall')).toMatchObject({ taken: 201 });
  expect(await reservations.refusal('setCapacity', { resourceId: 'hall', capacity: 200n })).toBe('RESERVATION_CAPACITY_TAKEN');
});

describe('bad input', () => {
  const asked: readonly (readonly [Method, Asked, reason: string])[] = [
    ['reserve', { identityId: '', number: 'n' }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: '' }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n'.repeat(129) }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n', resourceId: 'hall', places: 1_000_001 }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n', places: 1 }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n', waitForPlace: true }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n', expiresAtUs: -1n }, 'INVALID_REQUEST'],
    ['reserve', { identityId: 'i', number: 'n', expiresAtUs: 1n }, 'RESERVATION_EXPIRY_PAST'],
    ['reserve', { identityId: 'i', number: 'n', note: 'n'.repeat(257) }, 'INVALID_REQUEST'],
    ['associate', { identityId: '' }, 'INVALID_REQUEST'],
    ['associate', { identityId: 'i', parkMs: -1n }, 'INVALID_REQUEST'],
    ['associate', { identityId: 'i', parkMs: 2_592_000_001n }, 'INVALID_REQUEST'],
    ['complete', { number: 'unknown' }, 'RESERVATION_NOT_FOUND'],
    ['cancel', { number: 'unknown' }, 'RESERVATION_NOT_FOUND'],
    ['extendHold', { number: 'unknown' }, 'RESERVATION_NOT_FOUND'],
    ['extendHold', { number: 'reserved', expiresAtUs: 1n }, 'RESERVATION_EXPIRY_PAST'],
    ['extendHold', { number: 'reserved', expiresAtUs: -1n }, 'INVALID_REQUEST'],
    ['extendHold', { number: 'cancelled' }, 'RESERVATION_CANCELLED'],
    ['complete', { number: 'reserved' }, 'RESERVATION_NOT_ASSOCIATED'],
    ['complete', { number: 'cancelled' }, 'RESERVATION_CANCELLED'],
    ['cancel', { number: 'cancelled' }, 'RESERVATION_CANCELLED'],
    ['cancel', { number: 'reserved', identityId: 'stranger' }, 'IDENTITY_MISMATCH'],
    ['setCapacity', { resourceId: '', capacity: 1n }, 'INVALID_REQUEST'],
    ['setCapacity', { resourceId: 'hall', capacity: 0n }, 'INVALID_REQUEST'],
    ['setCapacity', { resourceId: 'hall', capacity: -1n }, 'INVALID_REQUEST'],
    ['setCapacity', { resourceId: 'hall', capacity: 1_000_000_001n }, 'INVALID_REQUEST'],
    ['setCapacity', { resourceId: 'hall', capacity: 1n }, 'RESERVATION_CAPACITY_TAKEN'],
  ];

  test('is refused with its reason, and changes nothing', async () => {
    const reservations = await started();
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 3n });
    await reservations.reserve('guest', 'reserved', { resourceId: 'hall', places: 2 });
    await reservations.reserve('guest', 'cancelled');
    await reservations.call('cancel', { number: 'cancelled' });
    await reservations.until(() => reservations.identity('guest')?.numbers.size === 1);
    const before = reservations.commits().map((commits) => commits.length);
    for (const [method, request, reason] of asked) expect([method, request, await reservations.refusal(method, request)]).toEqual([method, request, reason]);
    expect(reservations.reservation('reserved')).toMatchObject({ state: 'RESERVED', version: 2 });
    expect([reservations.reservation('cancelled')?.version, reservations.resource('hall')?.capacity, reservations.identity('i')?.numbers.size]).toEqual([
      2, 3, 0,
    ]);
    // What depends on a state is recorded for its repeats. The rest is not.
    const recorded = reservations.commits().map((commits, partition) => commits.length - (before[partition] as number));
    expect(recorded.reduce((sum, each) => sum + each, 0)).toBe(8);
  });

  test('an associate request of a cancelled number is refused, in its name and in that of no number', async () => {
    const reservations = await started();
    await reservations.reserve('guest', 'n1');
    await reservations.call('cancel', { number: 'n1' });
    expect(await reservations.associate('guest', { number: 'n1' })).toBe('REJECTED, RESERVATION_CANCELLED');
    expect(await reservations.associate('guest')).toBe('PARKED');
    expect(reservations.reservation('n1')).toMatchObject({ state: 'CANCELLED' });
  });

  test('the same request id with another body is refused by each method, and the first answer stands', async () => {
    const reservations = await started();
    const requests: readonly (readonly [Method, Asked, another: Asked])[] = [
      ['setCapacity', { resourceId: 'hall', capacity: 2n }, { capacity: 3n }],
      ['reserve', { identityId: 'guest', number: 'n1' }, { number: 'n2' }],
      ['extendHold', { number: 'n1', expiresAtUs: reservations.inMs(60_000) }, { expiresAtUs: 0n }],
      ['associate', { identityId: 'guest', number: 'n1' }, { number: 'n2' }],
      ['complete', { number: 'n1' }, { note: 'changed' }],
      ['reserve', { identityId: 'other', number: 'n3' }, { note: 'changed' }],
      ['cancel', { number: 'n3' }, { note: 'changed' }],
    ];
    for (const [at, [method, request, another]] of requests.entries()) {
      const requestId = `request ${at} of ${method}`;
      await reservations.call(method, { ...request, requestId });
      expect([method, await reservations.refusal(method, { ...request, ...another, requestId })]).toEqual([method, 'REQUEST_ID_REUSED']);
      expect(await reservations.call(method, { ...request, requestId })).toMatchObject({ repeated: true });
    }
    expect(['n1', 'n2', 'n3'].map((number) => reservations.reservation(number)?.state)).toEqual(['COMPLETED', undefined, 'CANCELLED']);
  });

  test('a resource without capacity, and a request beyond it', async () => {
    const reservations = await started();
    expect(await reservations.reserve('guest', 'n1', { resourceId: 'nowhere', waitForPlace: true })).toBe('REJECTED, RESERVATION_RESOURCE_NOT_FOUND');
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 3n });
    expect(await reservations.reserve('guest', 'n2', { resourceId: 'hall', places: 4, waitForPlace: true })).toBe('REJECTED, RESERVATION_RESOURCE_FULL');
  });
});
