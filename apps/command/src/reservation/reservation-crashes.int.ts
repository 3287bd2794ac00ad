/**
 * The process dies at every step of reservations with places and money: before an append, or behind one of which it does not hear. The next process goes
 * on from the log. Whatever the step, places and money are taken once, and given back or paid once.
 */
import { MortalLog, type Mortality } from '../test/mortal-log';
import { ReservationsUnderTest } from '../test/reservations-under-test';
import { Survivor } from '../test/survivor';

const TIME_LEFT_MS = 60_000;

const NUMBERS = ['completed', 'cancelled', 'expired', 'refused'];

async function story(mortality: Mortality): Promise<{ survivor: Survivor<ReservationsUnderTest>; appends: number }> {
  const under = await ReservationsUnderTest.start();
  const survivor = new Survivor(under);
  await under.open('wallet', 100n);
  await under.open('empty');
  await under.open('hotel');
  await under.call('setCapacity', { resourceId: 'hall', capacity: 4n });
  Object.assign(under.mortality, mortality);
  const { appendsLeft } = mortality;
  const stateOf = (number: string) => under.reservation(number)?.state;
  await survivor.call('reserveBatch', {
    reservations: NUMBERS.map((number) => ({
      ...{ requestId: `reserve ${number}`, identityId: 'guest', number, resourceId: 'hall' },
      money: { accountId: number === 'refused' ? 'empty' : 'wallet', amountMinor: 30n, unit: 'EUR', payeeAccountId: 'hotel' },
    })),
  });
  await survivor.until(() => ['completed', 'cancelled', 'expired'].every((number) => stateOf(number) === 'RESERVED') && stateOf('refused') === 'REJECTED');
  await survivor.call('associate', { identityId: 'guest', number: 'completed' });
  await survivor.until(() => stateOf('completed') === 'ASSOCIATED');
  await survivor.call('complete', { number: 'completed' });
  await survivor.call('cancel', { number: 'cancelled' });
  await survivor.call('extendHold', { number: 'expired', expiresAtUs: under.inMs(TIME_LEFT_MS) });
  await under.clock.elapse(TIME_LEFT_MS);
  await survivor.until(() => stateOf('expired') === 'EXPIRED' && under.resource('hall')?.taken === 1);
  await survivor.until(
    () => under.account('wallet').heldMinor === 0n && under.account('wallet').inTransitMinor === 0n && under.account('hotel').balanceMinor > 0n,
  );
  await survivor.until(() => under.identity('guest')?.numbers.size === 0);
  return { survivor, appends: appendsLeft - under.mortality.appendsLeft };
}

test('the process dies at each append, and places and money are right', async () => {
  const { survivor, appends } = await story(MortalLog.immortal());
  await survivor.under.kill();
  expect(survivor.deaths).toBe(0);
  expect(appends).toBeGreaterThan(15);
  for (let at = 1; at <= appends; at += 1) {
    for (const isStored of [false, true]) {
      const { survivor: one } = await story({ appendsLeft: at, isStored, isDead: false });
      const { under } = one;
      const funds = under.postings().filter((posting) => posting.funds);
      const ofNumber = (number: string) => funds.filter(({ counterparty }) => counterparty === number).length;
      expect({ at, isStored, balances: under.balances('wallet', 'empty', 'hotel'), postings: NUMBERS.map(ofNumber) }).toEqual({
        ...{ at, isStored, balances: [70n, 0n, 30n] },
        // Held, and captured or released. A refused hold is no posting.
        postings: [2, 2, 2, 0],
      });
      const states = NUMBERS.map((number) => under.reservation(number)).map((reservation) => [reservation?.place, reservation?.moneyState]);
      expect([at, isStored, ...states]).toEqual([
        at,
        isStored,
        ['HELD', 'PAID'],
        ['GIVEN_BACK', 'RELEASED'],
        ['GIVEN_BACK', 'RELEASED'],
        ['GIVEN_BACK', 'NONE'],
      ]);
      await under.kill();
    }
  }
});
