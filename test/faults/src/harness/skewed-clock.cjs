/**
 * Preloaded into a process (NODE_OPTIONS=--require), it sets its time of day off by SLUICE_TEST_CLOCK_OFFSET_MS, as a host does whose clock
 * is wrong. Monotonic time and timers run as before. Worker threads load it, too.
 */
const offsetMs = Number(process.env.SLUICE_TEST_CLOCK_OFFSET_MS);
const RealDate = Date;
const { timeOrigin } = performance;

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + offsetMs);
    else super(...parts);
  }

  static now() {
    return RealDate.now() + offsetMs;
  }
};
Object.defineProperty(performance, 'timeOrigin', { value: timeOrigin + offsetMs });
