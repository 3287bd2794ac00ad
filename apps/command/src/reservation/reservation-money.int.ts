/** The money of reservations over the command service: held on an account, released, or paid to a payee. */
import type { Asked } from '../test/aggregates-under-test';
import { ReservationsUnderTest } from '../test/reservations-under-test';
import { reservationRecord } from './reservation-records';

let under: ReservationsUnderTest | undefined;

async function started(adapter = 'memory'): Promise<ReservationsUnderTest> {
  under = await ReservationsUnderTest.start(adapter);
  await under.open('guest wallet', 100n);
  await under.open('hotel');
  return under;
}

afterEach(async () => {
  expect(under?.troubles ?? []).toEqual([]);
  await under?.end();
  under = undefined;
});

const price = (amountMinor: bigint, rest: Asked = {}): Asked => ({
  money: { accountId: 'guest wallet', amountMinor, unit: 'EUR', payeeAccountId: 'hotel', ...rest },
});

/** Balance, what is held, and what is in transit. */
function amounts(reservations: ReservationsUnderTest, accountId = 'guest wallet'): bigint[] {
  const { balanceMinor, heldMinor, inTransitMinor } = reservations.account(accountId);
  return [balanceMinor, heldMinor, inTransitMinor];
}

const moneyStateOf = (reservations: ReservationsUnderTest, number = 'n1') => reservations.reservation(number)?.moneyState;

describe.each(['memory', 'SQLite'])('on the %s log', (adapter) => {
  test('money is held, captured when the reservation is completed, and paid; the log and a snapshot say so, too', async () => {
    const reservations = await started(adapter);
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
    const request = { ...price(60n), resourceId: 'hall', requestId: 'r1' };
    expect(await reservations.reserve('guest', 'n1', request)).toBe('RESERVED');
    expect(amounts(reservations)).toEqual([100n, 60n, 0n]);
    for (const again of [() => reservations.crash(), () => reservations.restart()]) {
      const before = Buffer.from(reservationRecord.encode(reservations.reservation('n1') as never)).toString('hex');
      await again();
      expect(Buffer.from(reservationRecord.encode(reservations.reservation('n1') as never)).toString('hex')).toBe(before);
      expect(amounts(reservations)).toEqual([100n, 60n, 0n]);
      expect(await reservations.reserve('guest', 'n1', request)).toBe('RESERVED');
      expect(await reservations.refusal('reserve', { identityId: 'guest', number: 'n1', ...request, ...price(61n) })).toBe('REQUEST_ID_REUSED');
    }
    expect(await reservations.associate('guest')).toBe('ASSOCIATED, n1');
    await reservations.call('complete', { number: 'n1', requestId: 'c1' });
    await reservations.until(() => moneyStateOf(reservations) === 'PAID' && reservations.account('guest wallet').inTransitMinor === 0n);
    expect([amounts(reservations), amounts(reservations, 'hotel')]).toEqual([
      [40n, 0n, 0n],
      [60n, 0n, 0n],
    ]);
    await reservations.restart();
    expect(await reservations.call('complete', { number: 'n1', requestId: 'c1' })).toMatchObject({ repeated: true });
    expect([moneyStateOf(reservations), amounts(reservations)]).toEqual(['PAID', [40n, 0n, 0n]]);
  });

  test('an expired and a cancelled reservation release what they hold, once', async () => {
    const reservations = await started(adapter);
    expect(await reservations.reserve('guest', 'n1', { ...price(60n), expiresAtUs: reservations.inMs(60_000) })).toBe('RESERVED');
    expect(await reservations.reserve('guest', 'n2', price(40n))).toBe('RESERVED');
    expect(amounts(reservations)).toEqual([100n, 100n, 0n]);
    await reservations.call('cancel', { number: 'n2', requestId: 'c2' });
    await reservations.clock.elapse(60_000);
    await reservations.until(() => reservations.account('guest wallet').heldMinor === 0n);
    expect([moneyStateOf(reservations), moneyStateOf(reservations, 'n2')]).toEqual(['RELEASED', 'RELEASED']);
    expect(await reservations.call('cancel', { number: 'n2', requestId: 'c2' })).toMatchObject({ repeated: true });
    await reservations.restart();
    expect(amounts(reservations)).toEqual([100n, 0n, 0n]);
  });
});

describe('the account refuses', () => {
  test.each`
    what                              | money                      | reason
    ${'an account that is not there'} | ${{ accountId: 'nobody' }} | ${'ACCOUNT_NOT_FOUND'}
    ${'more than is there'}           | ${{ amountMinor: 101n }}   | ${'INSUFFICIENT_FUNDS'}
    ${'another unit'}                 | ${{ unit: 'USD' }}         | ${'UNIT_MISMATCH'}
    ${'a frozen account'}             | ${{ accountId: 'frozen' }} | ${'ACCOUNT_FROZEN'}
    ${'a closed account'}             | ${{ accountId: 'closed' }} | ${'ACCOUNT_CLOSED'}
  `('$what: REJECTED with $reason, and the places are given back', async ({ money, reason }: { money: Asked; reason: string }) => {
    const reservations = await started();
    for (const accountId of ['frozen', 'closed']) await reservations.open(accountId);
    await reservations.change('freezeAccount', 'frozen');
    await reservations.change('closeAccount', 'closed');
    await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
    expect(await reservations.reserve('guest', 'n1', { ...price(60n, money), resourceId: 'hall' })).toBe(`REJECTED, ${reason}`);
    await reservations.until(() => reservations.resource('hall')?.taken === 0 && reservations.reservation('n1')?.place === 'GIVEN_BACK');
    expect(moneyStateOf(reservations)).toBe('NONE');
    expect(await reservations.reserve('guest', 'n2', { ...price(60n), resourceId: 'hall' })).toBe('RESERVED');
  });
});

test('where the resource refuses, the money is released', async () => {
  const reservations = await started();
  await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
  expect(await reservations.reserve('guest', 'n1', { ...price(60n), resourceId: 'hall', places: 2 })).toBe('REJECTED, RESERVATION_RESOURCE_FULL');
  await reservations.until(() => moneyStateOf(reservations) === 'RELEASED' && reservations.account('guest wallet').heldMinor === 0n);
});

test('money is held while a reservation waits for its places, and released where it leaves the waiting list', async () => {
  const reservations = await started();
  await reservations.call('setCapacity', { resourceId: 'hall', capacity: 1n });
  await reservations.reserve('first', 'n0', { resourceId: 'hall' });
  for (const number of ['n1', 'n2']) {
    expect(await reservations.reserve('guest', number, { ...price(30n), resourceId: 'hall', waitForPlace: true })).toBe('PENDING, waiting');
    await reservations.until(() => moneyStateOf(reservations, number) === 'HELD');
  }
  await reservations.call('cancel', { number: 'n1' });
  await reservations.call('cancel', { number: 'n0' });
  await reservations.until(() => reservations.reservation('n2')?.state === 'RESERVED' && reservations.account('guest wallet').heldMinor === 30n);
});

test('a reservation that is cancelled before the account has answered releases the late hold', async () => {
  const reservations = await started();
  const reserved = reservations.reserve('guest', 'n1', price(60n));
  await reservations.until(() => moneyStateOf(reservations) === 'ASKED');
  await reservations.call('cancel', { number: 'n1' });
  expect(await reserved).toBe('CANCELLED');
  await reservations.until(() => moneyStateOf(reservations) === 'RELEASED' && reservations.account('guest wallet').heldMinor === 0n);
  expect(reservations.postings().filter(({ funds }) => funds)).toHaveLength(2);
});

test('a payee that does not take the money leaves it with the account that paid, and the reservation says why', async () => {
  const reservations = await started();
  expect(await reservations.reserve('guest', 'n1', price(60n, { payeeAccountId: 'gone' }))).toBe('RESERVED');
  await reservations.associate('guest');
  await reservations.change('freezeAccount', 'guest wallet');
  await reservations.call('complete', { number: 'n1' });
  await reservations.until(() => moneyStateOf(reservations) === 'RETURNED' && reservations.account('guest wallet').inTransitMinor === 0n);
  expect(reservations.reservation('n1')).toMatchObject({ state: 'COMPLETED', moneyReason: 'TARGET_NOT_FOUND' });
  expect(amounts(reservations)).toEqual([100n, 0n, 0n]);
  const funds = reservations.postings().filter((posting) => posting.funds);
  // A HOLD, a CAPTURE and a CREDIT.
  expect(funds.map(({ type, amountMinor, counterparty }) => [type, amountMinor, counterparty])).toEqual([3, 4, 1].map((type) => [type, 60n, 'n1']));
});

test('long numbers that begin alike hold apart', async () => {
  const reservations = await started();
  const numbers = ['a', 'b'].map((last) => `${'n'.repeat(127)}${last}`);
  for (const number of numbers) expect(await reservations.reserve('guest', number, price(10n))).toBe('RESERVED');
  expect(reservations.account('guest wallet').holds.size).toBe(2);
});

test.each`
  money                                 | field
  ${{ amountMinor: 0n }}                | ${'money.amount_minor'}
  ${{ amountMinor: -1n }}               | ${'money.amount_minor'}
  ${{ accountId: '' }}                  | ${'money.account_id'}
  ${{ payeeAccountId: '' }}             | ${'money.payee_account_id'}
  ${{ payeeAccountId: 'guest wallet' }} | ${'money.payee_account_id'}
  ${{ unit: '' }}                       | ${'money.unit'}
  ${{ unit: 'U'.repeat(17) }}           | ${'money.unit'}
`('$money is refused, naming $field', async ({ money, field }: { money: Asked; field: string }) => {
  const reservations = await started();
  await expect(reservations.reserve('guest', 'n1', price(1n, money))).rejects.toMatchObject({
    reason: 'INVALID_REQUEST',
    message: expect.stringContaining(field) as string,
  });
});
