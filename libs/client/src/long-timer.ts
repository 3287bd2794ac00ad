/** A timer of Node that is set for longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back after so many milliseconds. @returns how to cancel it. */
export type Timer = (delayMs: number, callback: () => void) => () => void;

/** A timer for any number of milliseconds. It does not keep the process alive. @param timer for `LONGEST_TIMER_MS` at most. */
export function longTimer(delayMs: number, callback: () => void, timer: Timer = nodeTimer): () => void {
  let cancel = (): void => undefined;
  const wait = (leftMs: number): void => {
    const nextMs = Math.min(leftMs, LONGEST_TIMER_MS);
    cancel = timer(nextMs, () => (leftMs > nextMs ? wait(leftMs - nextMs) : callback()));
  };
  wait(delayMs);
  return () => cancel();
}

function nodeTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
}
