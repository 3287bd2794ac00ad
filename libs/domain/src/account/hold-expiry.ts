/**
 * Holds that expire: a timer releases what is left of them. The account decides in order, so a capture and the expiry of one moment have one winner:
 * whichever the account decides first. The other finds less, or nothing.
 */

/** Longest duration of a hold, milliseconds: ten years. */
export const MAXIMUM_HOLD_DURATION_MS = 10 * 365 * 24 * 60 * 60 * 1_000;

/** What a caller may say about the end of a hold; 0: nothing. */
export interface HoldEnd {
  readonly expiresAtUs: number;
  readonly expiresAfterMs: number;
}

/** When the hold expires that is recorded at that time, microseconds; 0: never. */
export function holdExpiry({ expiresAtUs, expiresAfterMs }: HoldEnd, committedAtUs: number): number {
  return expiresAfterMs > 0 ? committedAtUs + expiresAfterMs * 1_000 : expiresAtUs;
}
