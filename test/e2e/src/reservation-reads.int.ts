/** Reservations in the read store, from their commands to the queries. On both stores. */
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import { haveServer } from '@sluice/infra';
import { reservationpb } from '@sluice/protocol/reservation';
import { PARTITIONS, type StoreName } from './harness/capability-on-stores';
import { ReservationsOnStores } from './harness/reservations';

const stores: StoreName[] = haveServer('mongodb') ? ['SQLite', 'MongoDB'] : ['SQLite'];
const money = { accountId: 'wallet', amountMinor: 30n, unit: 'EUR', payeeAccountId: 'hotel' };
const hall = { resourceId: 'hall' };
const {
  RESERVATION_STATE_RESERVED: RESERVED,
  RESERVATION_STATE_ASSOCIATED: ASSOCIATED,
  RESERVATION_STATE_COMPLETED: COMPLETED,
  RESERVATION_STATE_CANCELLED: CANCELLED,
} = reservationpb.ReservationState;
const stateNamed = (state: reservationpb.ReservationState | undefined): string => reservationpb.ReservationState[state ?? 0]?.slice(18) ?? '';

/** A number with braces that is not in the partition of the text in them. */
function numberHashedWhole(): string {
  const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
  const candidates = Array.from({ length: 64 }, (_, at) => `{room}${at}`);
  const found = candidates.find((number) => partitionOfWholeKey(bytes(number), PARTITIONS) !== partitionOfKey(bytes(number), PARTITIONS));
  if (found === undefined) throw new Error('every number is in one partition');
  return found;
}

describe.each(stores)('on %s', (name) => {
  const PAID = numberHashedWhole();
  let reservations: ReservationsOnStores;

  beforeAll(async () => {
    reservations = await ReservationsOnStores.start(name);
    await reservations.openAccount('wallet', 100n);
    await reservations.openAccount('hotel', 0n);
    await reservations.call('setCapacity', { ...hall, capacity: 2n });
  });
  afterAll(() => reservations.stop());

  const userOf = (identityId: string) => reservations.call('getUserState', { identityId });
  const all = async () => (await reservations.call('listReservations', {})).reservations;

  test('a request that comes early is listed until its number is there, and the money arrives', async () => {
    const { positionToken } = await reservations.call('associate', { identityId: 'ada', number: PAID, requestId: 'early', note: 'first' });
    const { requests } = await reservations.call('listParkedRequests', { identityId: 'ada', positionToken });
    expect(requests).toMatchObject([{ identityId: 'ada', requestId: 'early', number: PAID, note: 'first' }]);
    expect(await reservations.call('getUserState', { identityId: 'ada', positionToken })).toMatchObject({ reservations: [], parkedCount: 1 });
    const reserved = await reservations.call('reserve', { identityId: 'ada', number: PAID, ...hall, money });
    // The answer is read back at once: the query waits for the projector.
    const read = await reservations.call('getReservation', { number: PAID, positionToken: reserved.positionToken });
    expect(read.reservation).toMatchObject({ identityId: 'ada', resourceId: 'hall', places: 1, money: { hold: money } });
    expect(['RESERVED', 'ASSOCIATED']).toContain(stateNamed(read.reservation?.state));
    await reservations.untilShown(async () => (await userOf('ada')).state === ASSOCIATED);
    await reservations.call('complete', { number: PAID, note: 'left' });
    await reservations.untilShown(async () => (await userOf('ada')).state === COMPLETED);
    const { MONEY_STATE_PAID: paid } = reservationpb.MoneyState;
    await reservations.untilShown(async () => (await reservations.call('getReservation', { number: PAID })).reservation?.money?.state === paid);
    expect((await reservations.call('getReservation', { number: PAID })).reservation).toMatchObject({
      ...{ state: COMPLETED, associatedNote: 'first', endedNote: 'left', money: { state: paid, reason: '' } },
    });
    expect((await reservations.call('listParkedRequests', {})).requests).toEqual([]);
  });

  test('who waits for a place is counted, and has it when it comes free', async () => {
    await reservations.call('reserve', { identityId: 'bob', number: 'n2', ...hall });
    const waits = await reservations.call('reserve', { identityId: 'carl', number: 'n3', ...hall, waitForPlace: true });
    await reservations.projected();
    const { resource } = await reservations.call('getCapacity', { ...hall, positionToken: waits.positionToken });
    expect(resource).toMatchObject({ capacity: 2n, taken: 2n, waitingCount: 1n, waitingPlaces: 1n });
    expect(await reservations.call('getUserState', { identityId: 'carl' })).toMatchObject({ reservations: [{ number: 'n3', waiting: true }] });
    await reservations.call('cancel', { number: 'n2' });
    await reservations.untilShown(async () => (await userOf('carl')).state === RESERVED && (await userOf('bob')).state === CANCELLED);
    expect((await reservations.call('getCapacity', hall)).resource).toMatchObject({ taken: 2n, waitingCount: 0n, waitingPlaces: 0n });
    expect((await reservations.call('listReservations', { ...hall, state: RESERVED })).reservations.map(({ number }) => number)).toEqual(['n3']);
    expect((await all()).map(({ number, state }) => `${number} ${stateNamed(state)}`)).toEqual([`${PAID} COMPLETED`, 'n2 CANCELLED', 'n3 RESERVED']);
  });

  test('the rows are those of the log, before a rebuild and after it', async () => {
    const before = await all();
    for (const again of [async () => undefined, () => reservations.rebuild()]) {
      await again();
      await reservations.projected();
      const { differences, equal, compared } = await reservations.verified();
      expect([differences, equal]).toEqual([[], true]);
      expect(compared).toMatchObject({ reservations: 3, 'reservation resources': 1, 'reservation identities': 3, 'associate requests': 1 });
      expect(await all()).toEqual(before);
      // Found although its braces name another partition.
      expect(await reservations.numberVerified(PAID)).toEqual([]);
    }
    expect(reservations.troubles).toEqual([]);
  });
});
