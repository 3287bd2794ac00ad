/**
 * Timers of holds that expire. A hold's timer is set in the commit that records the hold, and cancelled in the one that takes the last of it. Its
 * key and its id name the account and the hold, so it carries nothing else: a million of them are in memory.
 */
import { decideWholeRelease, type Account, type AcceptedPosting } from '@sluice/domain/account';
import type { InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import { accountpb, releaseOfExpired } from '@sluice/protocol/account';
import type { AccountTransfers, PartitionAccounts } from './account-transfers';

/** The timer names the hold. A version that does not know the method keeps the timer until one that does owns the partition. */
export const EXPIRE_HOLD = 'ExpireNamedHold';
/** The payload names the hold: in logs of before. */
export const EXPIRE_HOLD_OF_PAYLOAD = 'ExpireHold';
const TIMER_PREFIX = 'expire-hold ';
const NO_PAYLOAD = new Uint8Array(0);
const NOTHING_TO_DO: InternalVerdict = { kind: 'accepted', payload: NO_PAYLOAD };

/** Sets or cancels the timer of the hold that the posting changes. Call before the posting is done. */
export function changeHoldTimer(turn: Turn, account: Account, { holdId, holdRemainingMinor, holdExpiresAtUs }: AcceptedPosting): void {
  if (holdId === undefined) return;
  const { accountId } = account;
  if (holdExpiresAtUs !== undefined) {
    const name = { timerId: timerOf(holdId), capability: 'account', key: accountId };
    turn.setTimer({ ...name, dueAtUs: holdExpiresAtUs, method: EXPIRE_HOLD, payload: NO_PAYLOAD });
  } else if (holdRemainingMinor === 0n && account.holdExpiries.has(holdId)) {
    turn.cancelTimer({ timerId: timerOf(holdId), capability: 'account', key: accountId });
  }
}

/** Releases what is left of the hold. Nothing is left of it if a capture or a release came first: then nothing happens. */
export function expireHold(accounts: PartitionAccounts, turn: Turn, command: InternalCommand, keep: AccountTransfers['keepUntilWritten']): InternalVerdict {
  const expiring = holdOf(command);
  if (expiring === undefined) return { kind: 'undecidable', reason: 'the timer names no hold' };
  const { accountId, holdId } = expiring;
  const id = Buffer.from(accountId, 'utf8');
  const ordinal = accounts.ordinalOf(id, 0, id.length);
  if (ordinal === -1) return NOTHING_TO_DO;
  const account = accounts.account(ordinal);
  const expiry = decideWholeRelease(account, holdId);
  if (expiry === undefined) return NOTHING_TO_DO;
  const release = releaseOfExpired({ accountId, holdId, releasedMinor: expiry.releasedMinor, unit: account.unit });
  // The timer has fired: there is none to cancel.
  accounts.touch(ordinal).holdExpiries.delete(holdId);
  accounts.enter(ordinal, release, 0, expiry, turn);
  keep(release);
  return NOTHING_TO_DO;
}

function holdOf({ method, key, timerId, payload }: InternalCommand): accountpb.ExpireHold | undefined {
  if (method === EXPIRE_HOLD) return timerId?.startsWith(TIMER_PREFIX) ? { accountId: key, holdId: timerId.slice(TIMER_PREFIX.length) } : undefined;
  try {
    return accountpb.ExpireHold.decode(payload);
  } catch {
    return undefined;
  }
}

function timerOf(holdId: string): string {
  return `${TIMER_PREFIX}${holdId}`;
}
