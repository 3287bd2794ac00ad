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
}

/** How much of a millisecond may be told as passed at most. */
const MOST_OF_A_MS = 0.999;
const US_PER_MS = 1_000;

/** Timers do not keep the process alive. */
export function clockOn({ wallMs, monotonicMs }: TimeSources): Clock {
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
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}

export const systemClock: Clock = clockOn({ wallMs: () => Date.now(), monotonicMs: () => performance.now() });
