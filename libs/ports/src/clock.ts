/** The only source of time outside the adapters, so that tests own it. */
export interface Clock {
  /** Microseconds since 1970-01-01T00:00:00Z, as a safe integer. */
  nowUs(): number;
  /** Milliseconds since an arbitrary moment. Never goes back and never jumps, whatever happens to the time of day. */
  monotonicMs(): number;
  /** Calls back after so many milliseconds; returns how to cancel. */
  after(delayMs: number, callback: () => void): () => void;
}
