/**
 * Postings: the hot path. `decidePosting` reads the account and changes nothing; `applyPosting` changes it in place.
 * The order of the checks is part of the interface (docs/design.md §3) and pinned by tests. Shape and repeats are
 * checked before, by who calls.
 */
import { INT64_MAX, INT64_MIN, MAXIMUM_OPEN_HOLDS, type Account, type PostingType, type Rejection } from './account';

export interface Posting {
  /** Read for HOLD only: it is the hold's id. */
  readonly requestId: string;
  readonly type: PostingType;
  readonly amountMinor: bigint;
  readonly unit: string;
  /** CAPTURE and RELEASE: the hold. */
  readonly holdId: string;
  /** CAPTURE: give the rest back. */
  readonly final: boolean;
  /** HOLD: when it expires, microseconds; 0 or undefined: never. */
  readonly holdExpiresAtUs?: number;
}

export interface AcceptedPosting {
  readonly accepted: true;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** The hold that changes, if one does, and what is left of it (0: it is gone). */
  readonly holdId?: string;
  readonly holdRemainingMinor?: bigint;
  /** A new hold that expires: when, microseconds. */
  readonly holdExpiresAtUs?: number;
}

export interface RejectedPosting {
  readonly accepted: false;
  readonly rejection: Rejection;
}

export type PostingDecision = AcceptedPosting | RejectedPosting;

const rejections = new Map<Rejection, RejectedPosting>();

export function reject(rejection: Rejection): RejectedPosting {
  let rejected = rejections.get(rejection);
  if (rejected === undefined) {
    rejected = Object.freeze({ accepted: false, rejection });
    rejections.set(rejection, rejected);
  }
  return rejected;
}

/**
 * @param signatureValid whether the signature verifies, or the account has no signing key.
 */
export function decidePosting(account: Account | undefined, posting: Posting, signatureValid: boolean): PostingDecision {
  if (account === undefined) return reject('ACCOUNT_NOT_FOUND');
  if (!signatureValid) return reject('SIGNATURE_INVALID');
  if (posting.amountMinor <= 0n) return reject('AMOUNT_NOT_POSITIVE');
  if (posting.unit !== account.unit) return reject('UNIT_MISMATCH');
  if (account.status !== 'OPEN') {
    if (account.status === 'CLOSED') return reject('ACCOUNT_CLOSED');
    if (posting.type !== 'CREDIT' && posting.type !== 'RELEASE') return reject('ACCOUNT_FROZEN');
  }
  const { limits } = account;
  if (limits.allowedTypes.length > 0 && !limits.allowedTypes.includes(posting.type)) return reject('TYPE_NOT_ALLOWED');
  if (limits.maximumPostingMinor !== undefined && posting.amountMinor > limits.maximumPostingMinor) return reject('POSTING_LIMIT_EXCEEDED');
  switch (posting.type) {
    case 'CREDIT':
      return decideCredit(account, posting);
    case 'DEBIT':
      return decideDebit(account, posting);
    case 'HOLD':
      return decideHold(account, posting);
    case 'CAPTURE':
      return decideCapture(account, posting);
    case 'RELEASE':
      return decideRelease(account, posting);
    default:
      return unreachable(posting.type);
  }
}

function decideCredit(account: Account, posting: Posting): PostingDecision {
  const balanceAfterMinor = account.balanceMinor + posting.amountMinor;
  const maximum = account.limits.maximumBalanceMinor;
  if (maximum !== undefined && balanceAfterMinor > maximum) return reject('MAXIMUM_BALANCE_EXCEEDED');
  // What is in transit may come back: there is always room for a refund.
  if (balanceAfterMinor + account.inTransitMinor > INT64_MAX) return reject('AMOUNT_OVERFLOW');
  return { accepted: true, balanceAfterMinor, heldAfterMinor: account.heldMinor };
}

function decideDebit(account: Account, posting: Posting): PostingDecision {
  const { balanceMinor, heldMinor, limits } = account;
  if (posting.amountMinor > balanceMinor - heldMinor + limits.overdraftMinor) return reject('INSUFFICIENT_FUNDS');
  const balanceAfterMinor = balanceMinor - posting.amountMinor;
  if (balanceAfterMinor < INT64_MIN) return reject('AMOUNT_OVERFLOW');
  return { accepted: true, balanceAfterMinor, heldAfterMinor: heldMinor };
}

function decideHold(account: Account, posting: Posting): PostingDecision {
  const { balanceMinor, heldMinor, limits, holds } = account;
  if (holds.has(posting.requestId)) throw new Error(`account ${account.accountId}: request id ${posting.requestId} of a hold is used twice`);
  if (holds.size >= MAXIMUM_OPEN_HOLDS) return reject('TOO_MANY_HOLDS');
  if (posting.amountMinor > balanceMinor - heldMinor + limits.overdraftMinor) return reject('INSUFFICIENT_FUNDS');
  const heldAfterMinor = heldMinor + posting.amountMinor;
  if (heldAfterMinor > INT64_MAX) return reject('AMOUNT_OVERFLOW');
  const { requestId: holdId, amountMinor: holdRemainingMinor, holdExpiresAtUs } = posting;
  const held = { accepted: true, balanceAfterMinor: balanceMinor, heldAfterMinor, holdId, holdRemainingMinor } as const;
  return holdExpiresAtUs === undefined || holdExpiresAtUs === 0 ? held : { ...held, holdExpiresAtUs };
}

function decideCapture(account: Account, posting: Posting): PostingDecision {
  const remaining = account.holds.get(posting.holdId);
  if (remaining === undefined) return reject('HOLD_NOT_FOUND');
  if (posting.amountMinor > remaining) return reject('HOLD_EXCEEDED');
  const balanceAfterMinor = account.balanceMinor - posting.amountMinor;
  if (balanceAfterMinor < INT64_MIN) return reject('AMOUNT_OVERFLOW');
  const taken = posting.final ? remaining : posting.amountMinor;
  return {
    accepted: true,
    balanceAfterMinor,
    heldAfterMinor: account.heldMinor - taken,
    holdId: posting.holdId,
    holdRemainingMinor: remaining - taken,
  };
}

function decideRelease(account: Account, posting: Posting): PostingDecision {
  const remaining = account.holds.get(posting.holdId);
  if (remaining === undefined) return reject('HOLD_NOT_FOUND');
  if (posting.amountMinor > remaining) return reject('HOLD_EXCEEDED');
  return {
    accepted: true,
    balanceAfterMinor: account.balanceMinor,
    heldAfterMinor: account.heldMinor - posting.amountMinor,
    holdId: posting.holdId,
    holdRemainingMinor: remaining - posting.amountMinor,
  };
}

/** Takes an accepted posting into the account. */
export function applyPosting(account: Account, accepted: AcceptedPosting, committedAtUs: number): void {
  if (accepted.balanceAfterMinor !== account.balanceMinor) account.balanceUpdatedAtUs = committedAtUs;
  account.balanceMinor = accepted.balanceAfterMinor;
  account.heldMinor = accepted.heldAfterMinor;
  if (accepted.holdId !== undefined) setHold(account, accepted.holdId, accepted.holdRemainingMinor ?? 0n, accepted.holdExpiresAtUs);
  account.entryCount += 1;
  account.version += 1;
}

/** @param expiresAtUs of a new hold; undefined: it does not expire, or is known already. */
export function setHold(account: Account, holdId: string, remainingMinor: bigint, expiresAtUs?: number): void {
  if (remainingMinor === 0n) {
    account.holds.delete(holdId);
    account.holdExpiries.delete(holdId);
    return;
  }
  account.holds.set(holdId, remainingMinor);
  if (expiresAtUs !== undefined) account.holdExpiries.set(holdId, expiresAtUs);
}

/** The net effect of one turn on one account: what the log keeps beside the entries, and what replay applies in O(1). */
export interface PostingsSummary {
  readonly balanceBeforeMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly heldBeforeMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** Sum of what the turn took from the balance, and of what it added: a turn may touch the balance and leave it where it was. */
  readonly totalDebitMinor: bigint;
  readonly totalCreditMinor: bigint;
  readonly entriesBefore: number;
  readonly acceptedCount: number;
  readonly rejectedCount: number;
  readonly version: number;
  /** In the order in which the holds first changed in the turn, so that new holds stand in the order of their making. */
  readonly changedHolds: readonly ChangedHold[];
}

export interface ChangedHold {
  readonly holdId: string;
  /** 0: it is gone. */
  readonly remainingMinor: bigint;
  /** Undefined: it does not expire. */
  readonly expiresAtUs?: number;
}

/** Evolves the account by a whole turn; the same result as applying its accepted postings one by one. Throws if the summary does not continue the account. */
export function evolvePostings(account: Account, summary: PostingsSummary, committedAtUs: number): void {
  if (account.balanceMinor !== summary.balanceBeforeMinor || account.heldMinor !== summary.heldBeforeMinor || account.entryCount !== summary.entriesBefore) {
    throw new Error(
      `account ${account.accountId}: the recorded turn starts at balance ${summary.balanceBeforeMinor}, held ${summary.heldBeforeMinor}, ` +
        `${summary.entriesBefore} entries; the account stands at ${account.balanceMinor}, ${account.heldMinor}, ${account.entryCount}`,
    );
  }
  if (summary.totalDebitMinor !== 0n || summary.totalCreditMinor !== 0n) account.balanceUpdatedAtUs = committedAtUs;
  account.balanceMinor = summary.balanceAfterMinor;
  account.heldMinor = summary.heldAfterMinor;
  for (const hold of summary.changedHolds) setHold(account, hold.holdId, hold.remainingMinor, hold.expiresAtUs);
  account.entryCount += summary.acceptedCount;
  account.rejectionCount += summary.rejectedCount;
  account.version = summary.version;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
