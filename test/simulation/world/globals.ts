/**
 * Timers, clocks and random numbers of the JavaScript runtime, taken from the timeline and the seed while a simulation runs. The code under
 * test asks its `Clock` port for time; what it takes from the runtime directly (`setImmediate` between two turns, `Date.now()` for a
 * deadline, jitter) must not come from outside either.
 */
import type { Random } from './random';
import type { Timeline } from './timeline';

/** 2026-01-01T00:00:00Z, the moment at which every simulation starts. */
export const START_US = 1_767_225_600_000_000;

/** A `setImmediate` runs a moment later, so that a loop of them lets time pass. */
const IMMEDIATE_US = 1;

/** Replaces the runtime's time and chance; returns how to put the real ones back. */
export function installGlobals(timeline: Timeline, random: Random): () => void {
  const real = {
    setImmediate: globalThis.setImmediate,
    clearImmediate: globalThis.clearImmediate,
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };
  const { now: realDateNow } = Date;
  const { random: realRandom } = Math;
  const realPerformanceNow = performance.now.bind(performance);

  const after = (delayUs: number, callback: (...values: unknown[]) => void, values: unknown[]): SimulatedTimer =>
    new SimulatedTimer(timeline.schedule(delayUs, () => callback(...values)));
  const every = (delayUs: number, callback: (...values: unknown[]) => void, values: unknown[]): SimulatedTimer => {
    const timer = new SimulatedTimer(() => undefined);
    const next = (): void => {
      timer.cancel = timeline.schedule(Math.max(delayUs, IMMEDIATE_US), () => {
        next();
        callback(...values);
      });
    };
    next();
    return timer;
  };
  const clear = (timer: unknown): void => {
    if (timer instanceof SimulatedTimer) timer.cancel();
  };
  Object.assign(globalThis, {
    setImmediate: (callback: () => void, ...values: unknown[]) => after(IMMEDIATE_US, callback, values),
    clearImmediate: clear,
    setTimeout: (callback: () => void, delayMs = 0, ...values: unknown[]) => after(delayMs * 1_000, callback, values),
    clearTimeout: clear,
    setInterval: (callback: () => void, delayMs = 0, ...values: unknown[]) => every(delayMs * 1_000, callback, values),
    clearInterval: clear,
  });
  Date.now = () => Math.floor((START_US + timeline.nowUs) / 1_000);
  Math.random = () => random.next();
  performance.now = () => timeline.nowUs / 1_000;
  return () => {
    Object.assign(globalThis, real);
    Date.now = realDateNow;
    Math.random = realRandom;
    performance.now = realPerformanceNow;
  };
}

class SimulatedTimer {
  constructor(public cancel: () => void) {}

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}
