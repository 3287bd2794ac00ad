/**
 * Timers of holds that expire. A hold's timer is set in the commit that records the hold, and cancelled in the one that takes the last of it.
 */
import { decideHoldExpiry, type Account, type AcceptedPosting } from '@sluice/domain/account';
import type { InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import { accountpb, releaseOfExpired } from '@sluice/protocol/account';
import type { AccountTransfers, PartitionAccounts } from './account-transfers';

export const EXPIRE_HOLD = 'ExpireHold';
const NOTHING_TO_DO: InternalVerdict = { kind: 'accepted', payload: new Uint8Array(0) };

/** Sets or cancels the timer of the hold that the posting changes. Call before the posting is done. */
export function changeHoldTimer(turn: Turn, account: Account, { holdId, holdRemainingMinor, holdExpiresAtUs }: AcceptedPosting): void {
  if (holdId === undefined) return;
  const { accountId } = account;
  if (holdExpiresAtUs !== undefined) {
    const payload = accountpb.ExpireHold.encode({ accountId, holdId }).finish();
    turn.setTimer({ timerId: timerOf(holdId), dueAtUs: holdExpiresAtUs, capability: 'account', method: EXPIRE_HOLD, key: accountId, payload });
  } else if (holdRemainingMinor === 0n && account.holdExpiries.has(holdId)) {
    turn.cancelTimer({ timerId: timerOf(holdId), capability: 'account', key: accountId });
  }
}

/** Releases what is left of the hold. Nothing is left of it if a capture or a release came first: then nothing happens. */
export function expireHold(accounts: PartitionAccounts, turn: Turn, { payload }: InternalCommand, keep: AccountTransfers['keepUntilWritten']): InternalVerdict {
  let expire: accountpb.ExpireHold;
  try {
    expire = accountpb.ExpireHold.decode(payload);
  } catch (error) {
    return { kind: 'undecidable', reason: error instanceof Error ? error.message : String(error) };
  }
  const { accountId, holdId } = expire;
  const id = Buffer.from(accountId, 'utf8');
  const ordinal = accounts.ordinalOf(id, 0, id.length);
  if (ordinal === -1) return NOTHING_TO_DO;
  const account = accounts.account(ordinal);
  const expiry = decideHoldExpiry(account, holdId);
  if (expiry === undefined) return NOTHING_TO_DO;
  const release = releaseOfExpired({ accountId, holdId, releasedMinor: expiry.releasedMinor, unit: account.unit });
  // The timer has fired: there is none to cancel.
  accounts.touch(ordinal).holdExpiries.delete(holdId);
  accounts.enter(ordinal, release, 0, expiry, turn);
  keep(release);
  return NOTHING_TO_DO;
}

function timerOf(holdId: string): string {
  return `expire-hold ${holdId}`;
}
