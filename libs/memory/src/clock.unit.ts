import { systemClock } from '@sluice/ports';
import { clockContract } from '@sluice/testing';
import { ManualClock } from './manual-clock';

clockContract('manual', () => {
  const clock = new ManualClock();
  return { clock, elapse: (milliseconds) => clock.elapse(milliseconds) };
});

clockContract('system', () => ({ clock: systemClock, elapse: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) }));

describe('the manual clock', () => {
  test('every timer sees exactly the time at which it was due', () => {
    const clock = new ManualClock(1_000_000);
    const seen: number[] = [];
    clock.after(2, () => seen.push(clock.nowUs()));
    clock.after(1, () => {
      seen.push(clock.nowUs());
      clock.after(0.5, () => seen.push(clock.nowUs()));
    });
    clock.advance(10);
    expect(seen).toEqual([1_001_000, 1_001_500, 1_002_000]);
    expect(clock.nowUs()).toBe(1_010_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('promises that a timer sets in motion go on before the next timer fires', async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => order.push('promise of the first')));
    clock.after(2, () => order.push('second'));
    await clock.elapse(5);
    expect(order).toEqual(['promise of the first', 'second']);
  });

  test.each([-60_000_000, 60_000_000])('putting the time of day elsewhere (by %d µs) moves neither timers nor the monotonic time', (byUs) => {
    const clock = new ManualClock(100_000_000);
    const fired: string[] = [];
    clock.after(10, () => fired.push('timer'));
    clock.set(clock.nowUs() + byUs);
    clock.advance(9);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual(['timer']);
    expect(clock.monotonicMs()).toBe(10);
    expect(clock.nowUs()).toBe(100_010_000 + byUs);
  });
});
