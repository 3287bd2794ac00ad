/**
 * Holds that expire: a timer releases what is left of them. The account decides in order, so a capture and the expiry of one moment have one winner:
 * whichever the account decides first. The other finds less, or nothing.
 */
import type { Account } from './account';
import type { AcceptedPosting } from './posting';

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

/**
 * Releases what is left of the hold; undefined: nothing is left, and nothing happens. It passes freezes, allowed types and limits: the
 * account owes it to the holder.
 */
export function decideHoldExpiry(account: Account, holdId: string): (AcceptedPosting & { readonly releasedMinor: bigint }) | undefined {
  const releasedMinor = account.holds.get(holdId);
  if (releasedMinor === undefined) return undefined;
  return {
    accepted: true,
    balanceAfterMinor: account.balanceMinor,
    heldAfterMinor: account.heldMinor - releasedMinor,
    holdId,
    holdRemainingMinor: 0n,
    releasedMinor,
  };
}
