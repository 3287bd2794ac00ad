import type { accountpb } from '@sluice/protocol/account';
import { ReadLag } from './read-lag';
import type { ServiceCalls } from './service-calls';

let nowMs = 0;
let answered: Readonly<Record<string, bigint>> = {};
const addresses = ['away', 'query'];

const calls = {
  account: async (address: string, accountId: string): Promise<accountpb.Account> => {
    const entryCount = answered[accountId];
    if (address === 'away' || entryCount === undefined) throw new Error('no answer');
    return { entryCount } as accountpb.Account;
  },
} as unknown as ServiceCalls;

const lagOf = (): ReadLag => new ReadLag({ calls, queryAddresses: () => addresses, nowMs: () => nowMs });

beforeEach(() => {
  nowMs = 0;
  answered = { a: 0n, b: 0n };
});

test('the age of the oldest acknowledged posting that a query does not answer yet', async () => {
  const lag = lagOf();
  for (const entryNumber of [1n, 2n, 3n]) {
    lag.acknowledged('a', 0, entryNumber);
    nowMs += 100;
  }
  expect(await lag.sample()).toBe(300);
  answered = { a: 1n };
  expect(await lag.sample()).toBe(200);
  answered = { a: 3n };
  expect(await lag.sample()).toBe(0);
});

test('the largest of all partitions; a second account of a partition is not asked for', async () => {
  const lag = lagOf();
  lag.acknowledged('a', 0, 1n);
  lag.acknowledged('never answered', 0, 1n);
  nowMs = 500;
  lag.acknowledged('b', 1, 1n);
  nowMs = 700;
  answered = { a: 1n, b: 0n };
  expect(await lag.sample()).toBe(200);
});

test('unknown while no query answers', async () => {
  const lag = lagOf();
  lag.acknowledged('a', 0, 1n);
  answered = {};
  expect(await lag.sample()).toBeUndefined();
});

test('fresh once every sample for a while was below the limit', async () => {
  const lag = lagOf();
  lag.acknowledged('a', 0, 1n);
  nowMs = 1_500;
  const fresh = lag.untilFresh({ belowMs: 1_000, forMs: 0, limitMs: 60_000 });
  await new Promise((resolve) => setImmediate(resolve));
  answered = { a: 1n };
  nowMs = 1_700;
  expect(await fresh).toEqual({ afterMs: 200, worstMs: 1_500, lastMs: 0 });
});

test('not fresh within the limit: the figures say how bad it is', async () => {
  const lag = lagOf();
  lag.acknowledged('a', 0, 1n);
  nowMs = 1_500;
  const fresh = lag.untilFresh({ belowMs: 1_000, forMs: 0, limitMs: 100 });
  nowMs = 1_601;
  expect(await fresh).toEqual({ afterMs: undefined, worstMs: 1_500, lastMs: 1_500 });
});
