/** What decides when to write and what is said about it, on a clock that stands still. */
import { ManualClock } from '@sluice/memory';
import { attemptPrefix } from '@sluice/projections';
import { AttemptNames } from './attempt-names';
import { BusiestAccount } from './busiest-account';
import { FlushPacer } from './flush-pacer';
import { LagWindow } from './lag-window';

describe('the pacer', () => {
  /** Flushes that take `tookMs`; resolves with how long after the first one the second one began. */
  async function restAfter(tookMs: number, ageMs: number, urgent = false): Promise<number> {
    const clock = new ManualClock();
    const pacer = new FlushPacer(clock);
    const startUs = clock.nowUs();
    const paced = { oldestUs: () => clock.nowUs() - ageMs * 1_000, urgent: () => urgent };
    await pacer.run(paced, async () => clock.advance(tookMs));
    const endUs = clock.nowUs();
    let secondUs = 0;
    const second = pacer.run(paced, async () => {
      secondUs = clock.nowUs();
    });
    await clock.elapse(0);
    for (let waited = 0; waited < 5_000 && secondUs === 0; waited += 1) await clock.elapse(1);
    await second;
    expect(endUs - startUs).toBe(tookMs * 1_000);
    return (secondUs - endUs) / 1_000;
  }

  test.each`
    tookMs   | ageMs     | urgent   | restMs   | why
    ${10}    | ${5}      | ${false} | ${20}    | ${'in time: a third of the time is spent writing'}
    ${0}     | ${5}      | ${false} | ${5}     | ${'the shortest rest: single postings share a flush'}
    ${10}    | ${5_000}  | ${false} | ${10}    | ${'late: half of it'}
    ${10}    | ${60_000} | ${false} | ${0}     | ${'very late: all of it'}
    ${10}    | ${5}      | ${true}  | ${0}     | ${'too much waits'}
    ${3_000} | ${500}    | ${false} | ${1_000} | ${'no rest is longer than a second'}
  `('rests $restMs ms after a flush of $tookMs ms when the oldest commit is $ageMs ms old ($why)', async ({ tookMs, ageMs, urgent, restMs }) => {
    expect(await restAfter(tookMs, ageMs, urgent)).toBe(restMs);
  });

  test('lets those that share it take turns, and wakes who rests when it becomes urgent', async () => {
    const clock = new ManualClock();
    const pacer = new FlushPacer(clock);
    const order: string[] = [];
    let urgent = false;
    const paced = { oldestUs: () => clock.nowUs(), urgent: () => urgent };
    await pacer.run(paced, async () => clock.advance(50));
    const flushes = ['a', 'b'].map((name) => pacer.run(paced, async () => order.push(name)));
    await clock.elapse(1);
    expect(order).toEqual([]);
    urgent = true;
    pacer.hurry();
    await Promise.all(flushes);
    expect(order).toEqual(['a', 'b']);
  });

  test('a flush that fails passes its turn on', async () => {
    const pacer = new FlushPacer(new ManualClock());
    const paced = { oldestUs: () => 0, urgent: () => false };
    await expect(pacer.run(paced, () => Promise.reject(new Error('the disk is full')))).rejects.toThrow('the disk is full');
    await expect(pacer.run(paced, async () => 'next')).resolves.toBe('next');
  });
});

describe('the lag window', () => {
  test('percentiles are right to a few per cent, and only of the last half minute', () => {
    const clock = new ManualClock();
    const lag = new LagWindow(clock);
    expect(lag.percentiles()).toEqual({ commits: 0, p50Us: 0, p99Us: 0 });
    for (let us = 1; us <= 1_000; us += 1) lag.add(us * 100);
    const { commits, p50Us, p99Us } = lag.percentiles();
    expect(commits).toBe(1_000);
    expect(p50Us / 50_000).toBeCloseTo(1, 1);
    expect(p99Us / 99_000).toBeCloseTo(1, 1);
    clock.advance(31_000);
    lag.add(7);
    expect(lag.percentiles().commits).toBe(1);
  });
});

describe('the hottest account', () => {
  test('is the one with the most postings of this period and the last', () => {
    const clock = new ManualClock();
    const busiest = new BusiestAccount(clock);
    expect(busiest.hottest()).toBeUndefined();
    busiest.count('a', 10);
    busiest.count('b', 15);
    clock.advance(5_000);
    busiest.count('a', 6);
    expect(busiest.hottest()).toBe('a');
    clock.advance(5_000);
    expect(busiest.hottest()).toBe('a');
    clock.advance(10_000);
    expect(busiest.hottest()).toBeUndefined();
  });
});

test('names of attempts are never the same and rise', () => {
  const names = new AttemptNames(37, 1_700_000_000_000_000);
  const made = Array.from({ length: 2_000 }, () => names.next());
  expect(new Set([...made, new AttemptNames(37, 1_700_000_000_000_000).next()]).size).toBe(2_001);
  expect([...made].sort()).toEqual(made);
  expect(made.every((name) => name.startsWith(attemptPrefix(37)))).toBe(true);
});
