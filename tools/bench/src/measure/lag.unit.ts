import { lagPercentileMs, lagSlopeMsPerS, type LagSamples } from './lag';
import { median } from './median';
import { measureInterleaved, medianPerSecond, type Side } from './rounds';

const steady = (lagMs: number): LagSamples => Array.from({ length: 20 }, (_, index) => ({ atMs: index * 50, lagMs }));
const growing = (msPerS: number): LagSamples => Array.from({ length: 20 }, (_, index) => ({ atMs: index * 50, lagMs: 10 + (index * 50 * msPerS) / 1_000 }));

test('percentiles are of all rounds together', () => {
  expect(lagPercentileMs([steady(10), steady(20)], 50)).toBe(10);
  expect(lagPercentileMs([steady(10), steady(20)], 99)).toBe(20);
  expect(lagPercentileMs([], 99)).toBeUndefined();
});

test('a lag that stays does not grow, one that grows says how fast', () => {
  expect(lagSlopeMsPerS([steady(10), steady(500)])).toBe(0);
  expect(lagSlopeMsPerS([growing(0), growing(30), growing(40)])).toBeCloseTo(30);
  expect(lagSlopeMsPerS([[{ atMs: 0, lagMs: 1 }]])).toBeUndefined();
});

test.each`
  values          | middle
  ${[3]}          | ${3}
  ${[5, 1, 3]}    | ${3}
  ${[4, 1, 3, 2]} | ${2.5}
`('the median of $values is $middle', ({ values, middle }: { values: number[]; middle: number }) => {
  expect(median(values)).toBe(middle);
});

test('sides take turns; only those that warm up run once more, and that does not count', async () => {
  const order: string[] = [];
  const side = (name: string, warmsUp: boolean, speeds: number[]): Side => ({
    name,
    warmsUp,
    measure: async () => {
      order.push(name);
      return { perSecond: speeds.shift() ?? Number.NaN };
    },
  });
  const rounds = await measureInterleaved(
    { one: side('one', true, [1, 10, 30, 20]), other: side('other', false, [5, 7, 6]), absent: undefined },
    { rounds: 3, windowMs: 1, announce: () => {} },
  );
  expect(order).toEqual(['one', 'one', 'other', 'one', 'other', 'one', 'other']);
  expect(rounds.absent).toBeUndefined();
  expect([medianPerSecond(rounds.one ?? []), medianPerSecond(rounds.other ?? [])]).toEqual([20, 6]);
});
