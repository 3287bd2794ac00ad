/**
 * The process dies at every step of an end of day: before an append, or behind one of which it does not hear. The next process goes on from the log. Whatever the step, every account accrues
 * every day once, interest is booked once, a term ends once and its money arrives once, and the totals of the branch are those of its accounts.
 */
import { dateFromText } from '@sluice/domain/day';
import { businessdaypb } from '@sluice/protocol/businessday';
import { BusinessDaysUnderTest } from './test/business-days-under-test';
import { MortalLog, type Mortality } from './test/mortal-log';
import { Survivor } from './test/survivor';

const { CAPITALISATION_DAILY, CAPITALISATION_AT_MATURITY } = businessdaypb.Capitalisation;
/** 3.65 %: 10,000 earn 1 a day. */
const TIERS = [{ fromMinor: 0n, basisPoints: 365 }];
const FRIDAY = dateFromText('2026-11-27') as number;

async function story(mortality: Mortality): Promise<{ survivor: Survivor<BusinessDaysUnderTest>; appends: number }> {
  const under = await BusinessDaysUnderTest.start();
  const survivor = new Survivor(under);
  await under.call('createProduct', { product: { productId: 'savings', tiers: TIERS, capitalisation: CAPITALISATION_DAILY } });
  await under.call('createProduct', { product: { productId: 'term', tiers: TIERS, capitalisation: CAPITALISATION_AT_MATURITY, termDays: 2 } });
  await under.register('north', { stepAccounts: 2 });
  for (const id of ['s1', 's2', 's3']) await under.open(id, 100_000n, { branchId: 'north', product: 'savings' });
  await under.open('current', 0n, { branchId: 'north' });
  await under.open('deposit', 1_000_000n, { branchId: 'north', product: 'term', linkedAccountId: 'current' });
  Object.assign(under.mortality, mortality);
  const { appendsLeft } = mortality;
  // Friday is closed. The term of two days ends on Sunday, before the next business date.
  await survivor.call('runEndOfDay', { branchId: 'north' });
  await survivor.until(() => (under.branch('north')?.batchDate ?? 0) > FRIDAY && under.account('deposit').inTransitMinor === 0n);
  return { survivor, appends: appendsLeft - under.mortality.appendsLeft };
}

/** What was told of the story: interest as texts, and the balances. */
function outcome(under: BusinessDaysUnderTest): object {
  const interest = under
    .postings()
    .filter(({ interest: isInterest }) => isInterest)
    .map(({ accountId, requestId, amountMinor }) => `${accountId} ${requestId} ${amountMinor}`)
    .toSorted();
  return { interest, balances: under.balances('s1', 's2', 's3', 'current', 'deposit'), totals: under.totals(FRIDAY) };
}

test('the process dies at each append, and interest, terms and totals are right', async () => {
  const { survivor, appends } = await story(MortalLog.immortal());
  const expected = outcome(survivor.under);
  await survivor.under.kill();
  expect(expected).toMatchObject({ balances: [100_030n, 100_030n, 100_030n, 1_000_200n, 0n] });
  expect(appends).toBeGreaterThan(20);
  for (let at = 1; at <= appends; at += 2) {
    const isStored = at % 4 === 1;
    const { survivor: one } = await story({ appendsLeft: at, isStored, isDead: false });
    expect({ at, isStored, ...outcome(one.under) }).toEqual({ at, isStored, ...expected });
    await one.under.kill();
  }
});
