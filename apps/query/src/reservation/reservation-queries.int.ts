/** Reads and watches of reservations over gRPC: what they say, how new it is, and what they refuse. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { PartitionFold, READ_COLLECTIONS } from '@sluice/projections';
import { projection, RESERVATIONS } from '@sluice/projections/reservation';
import { MAXIMUM_TIMESTAMP_US, MINIMUM_TIMESTAMP_US, type DecodedCommit, encodePositionToken, type EventRecord, timestampFromUs } from '@sluice/protocol';
import { reservationEvents, reservationpb } from '@sluice/protocol/reservation';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { type QueryRuntime, startQuery } from '../query';
import { first, type Unary, unary } from '../test/calls';

const INCARNATION = 'ab'.repeat(16);
const SECOND_US = 1_000_000;
const tokenOf = (...sequences: [number, number][]): string => encodePositionToken({ incarnation: INCARNATION, sequences: new Map(sequences) });

let store: MemoryReadStore;
let query: QueryRuntime;
let server: RunningServer;
let client: reservationpb.ReservationQueryServiceClient;
/** Newest sequences of the partitions. */
let sequences: number[];

/** The projector has one commit more of the partition. */
async function project(partition: number, ...events: EventRecord[]): Promise<void> {
  const sequence = (sequences[partition] as number) + 1;
  sequences[partition] = sequence;
  const fold = new PartitionFold(partition, [projection], new Map(), 100);
  fold.take({ partition, sequence, committedAtUs: sequence * SECOND_US, checksum: new Uint8Array(32), events } as unknown as DecodedCommit);
  const copy = await store.current();
  const loaded = new Map<string, Map<string, Row>>();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]))));
  }
  await copy.apply(fold.project(loaded, 'attempt').batch);
}

const money = { accountId: 'wallet', amountMinor: 2_500n, unit: 'EUR', payeeAccountId: 'hotel' };
const reserved = (number: string, identityId = 'ada', rest: Partial<reservationpb.NumberReserved> = {}): EventRecord =>
  reservationEvents.record('NumberReserved', reservationpb.NumberReserved.fromPartial({ number, identityId, ...rest }));
const associated = (number: string): EventRecord => reservationEvents.record('ReservationAssociated', { number, associateId: 'r/1', note: 'here' });
const cancelled = (number: string): EventRecord => reservationEvents.record('ReservationCancelled', { number, note: 'rain' });
const asked = (number: string): EventRecord => reservationEvents.record('NumberAsked', { identityId: 'ada', number, requestId: number });
const capacity = (resourceId: string): EventRecord => reservationEvents.record('CapacitySet', { resourceId, capacity: 10n });
const taken = (identityId: string, associateId: string, number = ''): EventRecord =>
  reservationEvents.record('AssociateTaken', { identityId, associateId, number, parkedUntilUs: 9_000_000n, note: '' });
const reported = (number: string, state: reservationpb.ReservationState, rest: Partial<reservationpb.NumberReport> = {}): EventRecord =>
  reservationEvents.record('NumberReported', { identityId: 'ada', report: reservationpb.NumberReport.fromPartial({ number, state, version: 1, ...rest }) });

beforeEach(async () => {
  store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } });
  sequences = [0, 0];
  await project(0, reserved('n1', 'ada', { resourceId: 'hall', places: 2, money, note: 'by the window' }), capacity('hall'));
  query = await startQuery({ readStore: store });
  server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
  client = new reservationpb.ReservationQueryServiceClient(server.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await server.stop(0);
  await query.stop();
  await store.close();
});

const call = <Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> => unary(method.bind(client), request);
const get = (request: Partial<reservationpb.GetReservationRequest>) =>
  call<reservationpb.GetReservationRequest, reservationpb.GetReservationResponse>(
    client.getReservation,
    reservationpb.GetReservationRequest.fromPartial({ number: 'n1', ...request }),
  );
const list = (request: Partial<reservationpb.ListReservationsRequest>) =>
  call<reservationpb.ListReservationsRequest, reservationpb.ListReservationsResponse>(
    client.listReservations,
    reservationpb.ListReservationsRequest.fromPartial(request),
  );
const places = (request: Partial<reservationpb.GetCapacityRequest>) =>
  call<reservationpb.GetCapacityRequest, reservationpb.GetCapacityResponse>(
    client.getCapacity,
    reservationpb.GetCapacityRequest.fromPartial({ resourceId: 'hall', ...request }),
  );
const user = (request: Partial<reservationpb.GetUserStateRequest>) =>
  call<reservationpb.GetUserStateRequest, reservationpb.GetUserStateResponse>(
    client.getUserState,
    reservationpb.GetUserStateRequest.fromPartial({ identityId: 'ada', ...request }),
  );
const parked = (request: Partial<reservationpb.ListParkedRequestsRequest>) =>
  call<reservationpb.ListParkedRequestsRequest, reservationpb.ListParkedRequestsResponse>(
    client.listParkedRequests,
    reservationpb.ListParkedRequestsRequest.fromPartial(request),
  );
const watch = (request: Partial<reservationpb.WatchReservationRequest>) =>
  client.watchReservation(reservationpb.WatchReservationRequest.fromPartial({ number: 'n1', ...request }));

interface Tokens {
  readonly positionToken: string;
  readonly positionTokens: string[];
}

const QUERIES: Readonly<Record<string, (tokens: Tokens) => Promise<{ readonly positionToken: string }>>> = {
  GetReservation: get,
  ListReservations: list,
  GetCapacity: places,
  GetUserState: user,
  ListParkedRequests: parked,
  WatchReservation: (tokens) => first(watch(tokens)),
};

test('every query of reservations is listed here', () => {
  const methods = Object.values(reservationpb.ReservationQueryServiceService).map(({ path }: { readonly path: string }) => path.split('/').at(-1));
  expect(Object.keys(QUERIES).sort()).toEqual(methods.sort());
});

test.each(Object.entries(QUERIES))('%s waits for every token of its request, and brings one that stands for all of them', async (_name, ask) => {
  expect((await ask({ positionToken: '', positionTokens: [] })).positionToken).toBe('');
  let answered = false;
  const answer = ask({ positionToken: tokenOf([0, 1]), positionTokens: [tokenOf([0, 2]), tokenOf([1, 1])] }).finally(() => {
    answered = true;
  });
  await project(0, reserved('n2'));
  // A query that covers what is there now is answered; the other one still waits for the second partition.
  await ask({ positionToken: '', positionTokens: [tokenOf([0, 2])] });
  expect(answered).toBe(false);
  await project(1, reserved('n3'));
  expect((await answer).positionToken).toBe(tokenOf([0, 2], [1, 1]));
  const ofTwoLogs = [tokenOf([0, 1]), encodePositionToken({ incarnation: 'cd'.repeat(16), sequences: new Map([[0, 1]]) })];
  const refused = (await ask({ positionToken: '', positionTokens: ofTwoLogs }).catch((error: ServiceError) => error)) as ServiceError;
  expect([status[refused.code], errorInfoOf(refused)?.reason]).toEqual(['INVALID_ARGUMENT', 'TOKEN_INVALID']);
});

test.each<[string, () => Promise<unknown>, string, string]>([
  ['a number that is not reserved', () => get({ number: 'x' }), 'NOT_FOUND', 'RESERVATION_NOT_FOUND'],
  ['a watch of one', () => first(watch({ number: 'x' })), 'NOT_FOUND', 'RESERVATION_NOT_FOUND'],
  ['a resource that was never set', () => places({ resourceId: 'x' }), 'NOT_FOUND', 'RESERVATION_RESOURCE_NOT_FOUND'],
  ['an empty number', () => get({ number: '' }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a number that is too long', () => get({ number: 'n'.repeat(129) }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['an empty identity', () => user({ identityId: '' }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['an empty resource', () => places({ resourceId: '' }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a list of an identity that is too long', () => list({ identityId: 'i'.repeat(129) }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a page that is too long', () => list({ pageSize: 1_001 }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a page of less than none', () => parked({ pageSize: -1 }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a state that is none', () => list({ state: 99 as reservationpb.ReservationState }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['a page token that is none', () => list({ pageToken: 'x' }), 'INVALID_ARGUMENT', 'PAGE_TOKEN_INVALID'],
  ['a page token that is none', () => parked({ pageToken: 'x' }), 'INVALID_ARGUMENT', 'PAGE_TOKEN_INVALID'],
  ['a time that is none', () => list({ reservedFrom: { seconds: 0n, nanos: -1 } }), 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
])('%s is refused', async (_what, ask, code, reason) => {
  const refused = (await ask().catch((error: ServiceError) => error)) as ServiceError;
  expect([status[refused.code], errorInfoOf(refused)?.reason]).toEqual([code, reason]);
});

test('a reservation is shown with its places and its money', async () => {
  const { RESERVATION_STATE_PENDING: PENDING, RESERVATION_STATE_RESERVED: RESERVED, RESERVATION_STATE_CANCELLED: CANCELLED } = reservationpb.ReservationState;
  const { MONEY_STATE_ASKED: ASKED, MONEY_STATE_HELD: HELD, MONEY_STATE_RELEASED: RELEASED } = reservationpb.MoneyState;
  expect((await get({})).reservation).toEqual(
    reservationpb.Reservation.fromPartial({
      ...{ number: 'n1', identityId: 'ada', state: PENDING, resourceId: 'hall', places: 2, note: 'by the window', version: 1, sequence: 1n },
      placesState: reservationpb.PlacesState.PLACES_STATE_ASKED,
      money: { hold: money, state: ASKED, reason: '' },
      reservedAt: timestampFromUs(SECOND_US),
    }),
  );
  await project(
    0,
    reservationEvents.record('PlaceObtained', { number: 'n1', pending: true }),
    reservationEvents.record('MoneyHeld', { number: 'n1', pending: false }),
  );
  expect((await get({})).reservation).toMatchObject({ state: RESERVED, placesState: reservationpb.PlacesState.PLACES_STATE_HELD, money: { state: HELD } });
  await project(0, cancelled('n1'));
  expect((await get({})).reservation).toMatchObject({
    ...{ state: CANCELLED, endedNote: 'rain', endedAt: timestampFromUs(3 * SECOND_US), version: 4 },
    placesState: reservationpb.PlacesState.PLACES_STATE_GIVEN_BACK,
    money: { state: RELEASED },
  });
});

test('reservations are listed by identity, resource, state and time, in both directions, page by page', async () => {
  await project(0, reserved('n2', 'bob', { resourceId: 'hall' }), reserved('n3', 'ada'));
  await project(0, reserved('n4', 'ada', { resourceId: 'hall' }), associated('n3'));
  const { RESERVATION_STATE_PENDING: PENDING, RESERVATION_STATE_ASSOCIATED: ASSOCIATED } = reservationpb.ReservationState;
  const all = async (request: Partial<reservationpb.ListReservationsRequest>): Promise<string> => {
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await list({ ...request, pageToken });
      expect(page.reservations.length).toBeLessThanOrEqual(request.pageSize || 100);
      found.push(...page.reservations.map(({ number }) => number));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found.join();
  };
  const times = { reservedFrom: timestampFromUs(2 * SECOND_US), reservedBefore: timestampFromUs(3 * SECOND_US) };
  for (const pageSize of [0, 1, 2]) {
    expect(await all({ pageSize })).toBe('n1,n2,n3,n4');
    expect(await all({ pageSize, newestFirst: true })).toBe('n4,n3,n2,n1');
    expect(await all({ pageSize, identityId: 'ada' })).toBe('n1,n3,n4');
    expect(await all({ pageSize, resourceId: 'hall', newestFirst: true })).toBe('n4,n2,n1');
    expect(await all({ pageSize, state: ASSOCIATED })).toBe('n3');
    expect(await all({ pageSize, identityId: 'ada', resourceId: 'hall', state: PENDING })).toBe('n1,n4');
    expect(await all({ pageSize, ...times })).toBe('n2,n3');
    expect(await all({ pageSize, ...times, identityId: 'bob' })).toBe('n2');
    expect(await all({ pageSize, identityId: 'nobody' })).toBe('');
    expect(await all({ pageSize, reservedFrom: timestampFromUs(MINIMUM_TIMESTAMP_US), reservedBefore: timestampFromUs(MAXIMUM_TIMESTAMP_US) })).toBe(
      'n1,n2,n3,n4',
    );
  }
  const page = await list({ pageSize: 1 });
  const refused = (await list({ pageSize: 1, identityId: 'ada', pageToken: page.nextPageToken }).catch((error: ServiceError) => error)) as ServiceError;
  expect(errorInfoOf(refused)?.reason).toBe('PAGE_TOKEN_INVALID');
});

test('a resource is shown with its waiting list', async () => {
  const queued = (number: string) => reservationEvents.record('PlacesQueued', { resourceId: 'hall', number, places: 4 });
  await project(0, reservationEvents.record('PlacesTaken', { resourceId: 'hall', number: 'n1', places: 9, taken: 9n }), queued('n2'), queued('n3'));
  expect((await places({})).resource).toMatchObject({ resourceId: 'hall', capacity: 10n, taken: 9n, waitingCount: 2n, waitingPlaces: 8n });
  await project(
    0,
    reservationEvents.record('PlacesReturned', { resourceId: 'hall', number: 'n1', places: 9, waited: false, taken: 0n }),
    reservationEvents.record('PlacesGranted', { resourceId: 'hall', number: 'n2', places: 4, taken: 4n }),
    reservationEvents.record('PlacesReturned', { resourceId: 'hall', number: 'n3', places: 4, waited: true, taken: 4n }),
  );
  expect((await places({})).resource).toMatchObject({
    taken: 4n,
    waitingCount: 0n,
    waitingPlaces: 0n,
    capacitySetAt: timestampFromUs(SECOND_US),
    sequence: 3n,
  });
});

test('an identity is what its strongest reservation is, then what was over last', async () => {
  const states = reservationpb.ReservationState;
  const said = async () => {
    const { state, reservations, ended } = await user({});
    return [states[state].slice(18), reservations.map(({ number }) => number).join(), ended?.number ?? ''];
  };
  expect(await said()).toEqual(['UNSPECIFIED', '', '']);
  await project(0, asked('n1'), asked('n2'), asked('n3'));
  expect(await said()).toEqual(['PENDING', 'n1,n2,n3', '']);
  await project(0, reported('n2', states.RESERVATION_STATE_RESERVED));
  expect(await said()).toEqual(['RESERVED', 'n1,n2,n3', '']);
  const ended = { identityId: 'ada', associateId: 'r/a', number: 'n2', reason: '', version: 2, sequence: 9n };
  const associate = reservationEvents.record('AssociateEnded', { ...ended, state: reservationpb.AssociateState.ASSOCIATE_STATE_ASSOCIATED });
  await project(0, taken('ada', 'r/a'), associate, reported('n1', states.RESERVATION_STATE_REJECTED, { reason: 'RESERVATION_NUMBER_TAKEN' }));
  expect(await said()).toEqual(['ASSOCIATED', 'n2,n3', 'n1']);
  await project(0, reported('n3', states.RESERVATION_STATE_EXPIRED), reported('n2', states.RESERVATION_STATE_COMPLETED));
  expect(await user({})).toMatchObject({ state: states.RESERVATION_STATE_COMPLETED, reservations: [], ended: { number: 'n2', reason: '' }, sequence: 5n });
});

test('requests are listed while they are parked, of an identity or of all, and counted with those that were sent', async () => {
  await project(0, taken('ada', 'r/a', 'n9'), taken('ada', 'n/n1'));
  await project(
    0,
    taken('bob', 'r/b'),
    taken('ada', 'r/c'),
    reservationEvents.record('AssociateSent', { identityId: 'ada', associateId: 'r/c', number: 'n1' }),
  );
  const said = async (request: Partial<reservationpb.ListParkedRequestsRequest>): Promise<string[]> => {
    const { requests } = await parked(request);
    return requests.map(({ identityId, requestId, passedOnFrom, number }) => `${identityId} ${requestId || `from ${passedOnFrom}`} ${number}`.trim());
  };
  expect((await said({})).sort()).toEqual(['ada a n9', 'ada from n1', 'bob b']);
  expect(await said({ newestFirst: true, pageSize: 1 })).toEqual(['bob b']);
  const page = await parked({ identityId: 'ada', pageSize: 1 });
  expect((await said({ identityId: 'ada', pageSize: 1, pageToken: page.nextPageToken })).length + page.requests.length).toBe(2);
  expect(await user({})).toMatchObject({ parkedCount: 2, sentCount: 1 });
  await project(0, reservationEvents.record('AssociateParked', { identityId: 'ada', associateId: 'r/c' }));
  expect(await user({})).toMatchObject({ parkedCount: 3, sentCount: 0 });
  expect((await parked({ identityId: 'ada' })).requests[0]).toMatchObject({
    acceptedAt: timestampFromUs(2 * SECOND_US),
    parkedUntil: timestampFromUs(9_000_000),
  });
});

test('a watch says each change that it sees, and ends when the reservation is over and its money has arrived', async () => {
  const steps: readonly EventRecord[][] = [
    [reservationEvents.record('PlaceObtained', { number: 'n1', pending: true }), reservationEvents.record('MoneyHeld', { number: 'n1', pending: false })],
    [associated('n1')],
    [reservationEvents.record('ReservationCompleted', { number: 'n1', note: 'left' })],
    [reservationEvents.record('MoneyCaptured', { number: 'n1' })],
    [reservationEvents.record('MoneyPaid', { number: 'n1' })],
  ];
  const seen: string[] = [];
  for await (const { reservation } of watch({}) as AsyncIterable<reservationpb.WatchReservationResponse>) {
    const { state = 0, money: paid } = reservation ?? {};
    seen.push(`${reservationpb.ReservationState[state]?.slice(18)} ${reservationpb.MoneyState[paid?.state ?? 0]?.slice(12)}`);
    const next = steps[seen.length - 1];
    if (next !== undefined) await project(0, ...next);
  }
  expect(seen).toEqual(['PENDING ASKED', 'RESERVED HELD', 'ASSOCIATED HELD', 'COMPLETED CAPTURING', 'COMPLETED CAPTURED', 'COMPLETED PAID']);
  // One that is over is said once.
  const again: unknown[] = [];
  for await (const one of watch({})) again.push(one);
  expect(again).toHaveLength(1);
});

test('watchers of one reservation share one reading of each change', async () => {
  const WATCHERS = 200;
  const copy: ReadCopy = await store.current();
  let reads = 0;
  const read = copy.getMany.bind(copy);
  copy.getMany = (collection, keys) => {
    if (collection === RESERVATIONS.name) reads += 1;
    return read(collection, keys);
  };
  let begun = 0;
  let allBegun = (): void => undefined;
  const began = new Promise<void>((resolve) => {
    allBegun = resolve;
  });
  const told = Array.from({ length: WATCHERS }, async () => {
    const versions: number[] = [];
    for await (const { reservation } of watch({}) as AsyncIterable<reservationpb.WatchReservationResponse>) {
      versions.push(reservation?.version ?? 0);
      begun += versions.length === 1 ? 1 : 0;
      if (begun === WATCHERS) allBegun();
    }
    return versions;
  });
  await began;
  const before = reads;
  await project(0, cancelled('n1'));
  for (const versions of await Promise.all(told)) expect(versions).toEqual([1, 2]);
  // The projector reads the row once; looks go by the clock, however many watch.
  expect(reads - before).toBeLessThan(WATCHERS / 4);
});
