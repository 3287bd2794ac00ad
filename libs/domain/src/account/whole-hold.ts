/**
 * What ends a hold as a whole: its expiry, and the capability that made it. It passes freezes, allowed types and limits, because the account owes it to
 * the holder. Undefined: nothing is left of the hold.
 */
import { INT64_MAX, type Account } from './account';
import { reject, type AcceptedPosting, type RejectedPosting } from './posting';

/** Releases what is left of the hold. */
export function decideWholeRelease(account: Account, holdId: string): (AcceptedPosting & { readonly releasedMinor: bigint }) | undefined {
  const releasedMinor = account.holds.get(holdId);
  if (releasedMinor === undefined) return undefined;
  const heldAfterMinor = account.heldMinor - releasedMinor;
  return { accepted: true, balanceAfterMinor: account.balanceMinor, heldAfterMinor, holdId, holdRemainingMinor: 0n, releasedMinor };
}

/**
 * Captures what is left of the hold, to be in transit. The balance has room for it: the balance is never further below what is held than an overdraft, which
 * is within int64.
 */
export function decideWholeCapture(account: Account, holdId: string): AcceptedPosting | RejectedPosting | undefined {
  const capturedMinor = account.holds.get(holdId);
  if (capturedMinor === undefined) return undefined;
  if (account.inTransitMinor + capturedMinor > INT64_MAX) return reject('AMOUNT_OVERFLOW');
  const balanceAfterMinor = account.balanceMinor - capturedMinor;
  return { accepted: true, balanceAfterMinor, heldAfterMinor: account.heldMinor - capturedMinor, holdId, holdRemainingMinor: 0n };
}
