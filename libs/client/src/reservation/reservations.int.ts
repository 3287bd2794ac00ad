/** Reservations by the client library: drawn together, in batches, item by item. */
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { reservationpb } from '@sluice/protocol/reservation';
import { SluiceClient } from '../index';
import { grpcError, type Script, type ScriptedServices, startScriptedServices } from '../testing/scripted-services';

const running: { services: ScriptedServices; client: SluiceClient }[] = [];

async function clientOf(reservationCommands: Script['reservationCommands'], reservationQueries?: Script['reservationQueries']): Promise<SluiceClient> {
  const services = await startScriptedServices({ reservationCommands, reservationQueries });
  const client = new SluiceClient({ retry: { baseDelayMs: 1, maximumDelayMs: 2 }, target: services.target });
  running.push({ services, client });
  return client;
}

afterEach(() => {
  for (const { services, client } of running.splice(0)) {
    client.close();
    services.stop();
  }
});

const { RESERVATION_STATE_RESERVED, RESERVATION_STATE_REJECTED } = reservationpb.ReservationState;
const { ASSOCIATE_STATE_PARKED, ASSOCIATE_STATE_ASSOCIATED } = reservationpb.AssociateState;
const standing = (state: reservationpb.ReservationState, reason = ''): reservationpb.ReserveResult =>
  reservationpb.ReserveResult.fromPartial({ state, reason });
const refused = (code: status, reason: string): { error: reservationpb.ItemError } => ({ error: { code, reason, message: reason } });

test('what is reserved at the same time travels as one batch, each with its own answer', async () => {
  const seen: reservationpb.ReserveRequest[][] = [];
  const client = await clientOf({
    reserveBatch: ({ request: { reservations } }, callback) => {
      seen.push(reservations);
      const results = reservations.map(({ number }) => {
        if (number === 'full') return standing(RESERVATION_STATE_REJECTED, 'RESERVATION_RESOURCE_FULL');
        if (number === 'late') return reservationpb.ReserveResult.fromPartial(refused(status.FAILED_PRECONDITION, 'RESERVATION_EXPIRY_PAST'));
        return standing(RESERVATION_STATE_RESERVED);
      });
      callback(null, { results, positionToken: '' });
    },
  });
  const money = { accountId: 'wallet', amountMinor: 5n, unit: 'EUR', payeeAccountId: 'hotel' };
  const [plain, full, late] = await Promise.all([
    client.reservations.reserve({ requestId: 'a', identityId: 'ada', number: 'H1', resourceId: 'rooms', places: 2, waitForPlace: true, money, note: 'n' }),
    client.reservations.reserve({ requestId: 'b', identityId: 'ada', number: 'full' }),
    client.reservations.reserve({ requestId: 'c', identityId: 'ada', number: 'late', expiresAt: new Date(2) }).catch((error: unknown) => error),
  ]);
  const unset = { resourceId: '', places: 0, waitForPlace: false, expiresAtUs: 0n, note: '', money: undefined };
  expect(seen).toEqual([
    [
      { ...unset, requestId: 'a', identityId: 'ada', number: 'H1', resourceId: 'rooms', places: 2, waitForPlace: true, money, note: 'n' },
      { ...unset, requestId: 'b', identityId: 'ada', number: 'full' },
      { ...unset, requestId: 'c', identityId: 'ada', number: 'late', expiresAtUs: 2_000n },
    ],
  ]);
  expect(plain).toMatchObject({ requestId: 'a', number: 'H1', state: 'RESERVED', reason: '' });
  expect(full).toMatchObject({ state: 'REJECTED', reason: 'RESERVATION_RESOURCE_FULL' });
  expect(late).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'RESERVATION_EXPIRY_PAST', requestId: 'c', metadata: { number: 'late' } });
});

test('items of a batch that have no verdict are sent again, alone', async () => {
  const seen: string[][] = [];
  const client = await clientOf({
    associateBatch: ({ request: { associates } }, callback) => {
      seen.push(associates.map(({ requestId, number, parkMs }) => `${requestId} ${number} ${parkMs}`));
      const results = associates.map(({ requestId, number }) => {
        if (requestId === 'b' && seen.length === 1) return reservationpb.AssociateResult.fromPartial(refused(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE'));
        return reservationpb.AssociateResult.fromPartial(
          number === '' ? { state: ASSOCIATE_STATE_ASSOCIATED, number: 'H1' } : { state: ASSOCIATE_STATE_PARKED },
        );
      });
      callback(null, { results, positionToken: '' });
    },
  });
  const outcomes = await client.reservations.associateBatch([
    { requestId: 'a', identityId: 'ada' },
    { requestId: 'b', identityId: 'ada', number: 'H2', parkMs: 7 },
  ]);
  expect(seen).toEqual([['a  0', 'b H2 7'], ['b H2 7']]);
  expect(outcomes.map(({ result }) => [result?.state, result?.number])).toEqual([
    ['ASSOCIATED', 'H1'],
    ['PARKED', ''],
  ]);
});

test('a request that cannot be encoded is refused alone, and those beside it are sent', async () => {
  const client = await clientOf({
    reserveBatch: ({ request: { reservations } }, callback) =>
      callback(null, { results: reservations.map(() => standing(RESERVATION_STATE_RESERVED)), positionToken: '' }),
  });
  const money = { accountId: 'wallet', amountMinor: 2n ** 63n, unit: 'EUR', payeeAccountId: 'hotel' };
  const outcomes = await Promise.allSettled([
    client.reservations.reserve({ identityId: 'ada', number: 'H1' }),
    client.reservations.reserve({ requestId: 'b', identityId: 'eve', number: 'H2', places: -1 }),
    client.reservations.reserve({ requestId: 'c', identityId: 'eve', number: 'H3', money }),
    client.reservations.reserve({ identityId: 'eve', number: 'H4', expiresAt: new Date(Number.NaN) }),
    client.reservations.reserve({ identityId: 'bob', number: 'H5' }),
  ]);
  const invalid = { code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' };
  expect(outcomes).toMatchObject([
    { value: { number: 'H1', state: 'RESERVED' } },
    { reason: { ...invalid, requestId: 'b' } },
    { reason: { ...invalid, requestId: 'c' } },
    { status: 'rejected' },
    { value: { number: 'H5', state: 'RESERVED' } },
  ]);
});

test.each([
  ['complete', (client: SluiceClient) => client.reservations.complete('H1', { requestId: 'r', identityId: 'ada', note: 'n' })],
  ['cancel', (client: SluiceClient) => client.reservations.cancel('H1', { requestId: 'r', identityId: 'ada', note: 'n' })],
  ['extendHold', (client: SluiceClient) => client.reservations.extendHold('H1', new Date(3), { requestId: 'r', identityId: 'ada' })],
] as const)('%s names its number, and its refusal names its request', async (method, call) => {
  const seen: unknown[] = [];
  const client = await clientOf({
    [method]: (({ request }, callback) => {
      seen.push(request);
      if (seen.length === 1) callback(null, { repeated: true, positionToken: 'p' });
      else callback(grpcError(status.FAILED_PRECONDITION, 'RESERVATION_CANCELLED'));
    }) satisfies handleUnaryCall<unknown, reservationpb.CancelResponse>,
  });
  expect(await call(client)).toEqual({ requestId: 'r', number: 'H1', repeated: true, positionToken: 'p' });
  const said = method === 'extendHold' ? { expiresAtUs: 3_000n } : { note: 'n' };
  expect(seen).toEqual([{ requestId: 'r', number: 'H1', identityId: 'ada', ...said }]);
  await expect(call(client)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'RESERVATION_CANCELLED', requestId: 'r' });
});

test('a capacity is answered with what is taken and what waits', async () => {
  const client = await clientOf({
    setCapacity: ({ request: { capacity } }, callback) => callback(null, { taken: capacity, waiting: 3, repeated: false, positionToken: '' }),
  });
  expect(await client.reservations.setCapacity('rooms', 100, 'r')).toMatchObject({ requestId: 'r', resourceId: 'rooms', taken: 100, waiting: 3 });
});

describe('reads', () => {
  const reservation = reservationpb.Reservation.fromPartial({
    number: 'H1',
    state: RESERVATION_STATE_RESERVED,
    placesState: reservationpb.PlacesState.PLACES_STATE_WAITING,
    expiresAt: { seconds: 5n },
    money: { hold: { accountId: 'w', amountMinor: 5n, unit: 'EUR', payeeAccountId: 'h' }, state: reservationpb.MoneyState.MONEY_STATE_HELD },
  });
  const seen: [string, string][] = [];
  const noted =
    <Request extends { readonly positionToken: string }, Response>(what: string, response: Response): handleUnaryCall<Request, Response> =>
    ({ request }, callback) => {
      seen.push([what, request.positionToken]);
      callback(null, response);
    };

  test('carry the position that is asked for, and tell of it as users see it', async () => {
    const client = await clientOf(undefined, {
      getReservation: noted('get', { reservation, positionToken: '' }),
      listReservations: noted('list', { reservations: [reservation], nextPageToken: '', positionToken: '' }),
      getCapacity: noted('capacity', {
        resource: reservationpb.Resource.fromPartial({ resourceId: 'hall', capacity: 9n, waitingCount: 2n }),
        positionToken: '',
      }),
      getUserState: noted('userState', reservationpb.GetUserStateResponse.fromPartial({ reservations: [{ number: 'H1' }], parkedCount: 1 })),
      listParkedRequests: noted('parked', { requests: [reservationpb.ParkedRequest.fromPartial({ requestId: 'r' })], nextPageToken: '', positionToken: '' }),
      watchReservation: (call) => {
        seen.push(['watch', call.request.positionToken]);
        call.write({ reservation, positionToken: '' });
        call.end();
      },
    });
    const { reservations } = client;
    const options = { positionToken: 'asked' };
    const found = await reservations.get('H1', options);
    expect(found).toMatchObject({ number: 'H1', state: 'RESERVED', placesState: 'WAITING', expiresAt: new Date(5_000), endedAt: undefined });
    expect(found.money).toEqual({ accountId: 'w', amountMinor: 5n, unit: 'EUR', payeeAccountId: 'h', state: 'HELD', reason: '' });
    for await (const one of reservations.list({ resourceId: 'hall', state: 'RESERVED' }, options)) expect(one).toEqual(found);
    expect(await reservations.capacity('hall', options)).toMatchObject({ resourceId: 'hall', capacity: 9, taken: 0, waitingCount: 2 });
    expect(await reservations.userState('ada', options)).toMatchObject({
      state: undefined,
      reservations: [{ number: 'H1', state: undefined }],
      parkedCount: 1,
    });
    for await (const one of reservations.parked({}, options)) expect(one).toMatchObject({ requestId: 'r', parkedUntil: undefined });
    for await (const one of reservations.watch('H1', options)) expect(one).toEqual(found);
    expect(seen).toEqual(['get', 'list', 'capacity', 'userState', 'parked', 'watch'].map((what) => [what, 'asked']));
  });
});
