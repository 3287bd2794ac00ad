/**
 * The machine's clock. The wall clock says which millisecond it is; the monotonic clock says how much of it has passed. So the time of day has
 * microseconds, and follows the wall clock when that is corrected or the machine was suspended.
 */
import type { Clock } from './clock';

export interface TimeSources {
  /** Whole milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Milliseconds since an arbitrary moment, with fractions; it does not go on while the machine is suspended. */
  readonly monotonicMs: () => number;
  /** Calls back once after so many milliseconds, at most `LONGEST_TIMER_MS`. @returns how to cancel it. */
  readonly timer: (delayMs: number, callback: () => void) => () => void;
}

/** How much of a millisecond may be told as passed at most. */
const MOST_OF_A_MS = 0.999;
const US_PER_MS = 1_000;
/** A timer of Node that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function clockOn({ wallMs, monotonicMs, timer }: TimeSources): Clock {
  let wallAheadMs = wallMs() - monotonicMs();
  return {
    nowUs: () => {
      const monotonic = monotonicMs();
      const wall = wallMs();
      const passedMs = wallAheadMs + monotonic - wall;
      if (passedMs < 0) wallAheadMs = wall - monotonic;
      else if (passedMs > MOST_OF_A_MS) wallAheadMs = wall + MOST_OF_A_MS - monotonic;
      return Math.floor((wallAheadMs + monotonic) * US_PER_MS);
    },
    monotonicMs,
    after: (delayMs, callback) => {
      let cancel = (): void => undefined;
      const wait = (leftMs: number): void => {
        const nextMs = Math.min(leftMs, LONGEST_TIMER_MS);
        cancel = timer(nextMs, () => (leftMs > nextMs ? wait(leftMs - nextMs) : callback()));
      };
      wait(delayMs);
      return () => cancel();
    },
  };
}

/** Timers do not keep the process alive. */
function nodeTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}

export const systemClock: Clock = clockOn({ wallMs: () => Date.now(), monotonicMs: () => performance.now(), timer: nodeTimer });
