/** What every `Clock` promises. */
import type { Clock } from '@sluice/ports';

export interface ClockFixture {
  readonly clock: Clock;
  /** Lets so much of the clock's time pass. */
  readonly elapse: (milliseconds: number) => Promise<void>;
}

export function clockContract(name: string, makeFixture: () => ClockFixture): void {
  describe(`clock contract: ${name}`, () => {
    test('the time is in whole microseconds and goes on', async () => {
      const { clock, elapse } = makeFixture();
      const before = clock.nowUs();
      expect(Number.isSafeInteger(before)).toBe(true);
      await elapse(20);
      expect(clock.nowUs() - before).toBeGreaterThanOrEqual(19_000);
    });

    test('the monotonic time goes on as the time of day does', async () => {
      const { clock, elapse } = makeFixture();
      const before = clock.monotonicMs();
      await elapse(20);
      expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(19);
    });

    test('timers fire when they are due, not before, in the order of their times', async () => {
      const { clock, elapse } = makeFixture();
      const fired: string[] = [];
      clock.after(60, () => fired.push('late'));
      clock.after(10, () => fired.push('early'));
      await elapse(35);
      expect(fired).toEqual(['early']);
      await elapse(60);
      expect(fired).toEqual(['early', 'late']);
    });

    test('a cancelled timer does not fire; cancelling again, or after it fired, is harmless', async () => {
      const { clock, elapse } = makeFixture();
      const fired: string[] = [];
      const cancel = clock.after(10, () => fired.push('cancelled'));
      const cancelLater = clock.after(10, () => fired.push('kept'));
      cancel();
      cancel();
      await elapse(40);
      cancelLater();
      expect(fired).toEqual(['kept']);
    });

    test('a timer may be further away than one of Node can be', async () => {
      const { clock, elapse } = makeFixture();
      const fired: string[] = [];
      const cancel = clock.after(2 ** 31, () => fired.push('at once'));
      await elapse(20);
      cancel();
      expect(fired).toEqual([]);
    });

    test('a timer may set the next one', async () => {
      const { clock, elapse } = makeFixture();
      const fired: number[] = [];
      const tick = (): void => {
        fired.push(clock.nowUs());
        if (fired.length < 3) clock.after(10, tick);
      };
      clock.after(10, tick);
      // A machine that stalls fires late: as much time passes as it takes.
      while (fired.length < 3) await elapse(10);
      await elapse(20);
      expect(fired).toHaveLength(3);
    });
  });
}
