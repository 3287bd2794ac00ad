/**
 * Transfers: a DEBIT at one account and a CREDIT at another, its target.
 *
 *   target in the same partition    debit and credit are decided together and committed together: SETTLED, or refused
 *   target in another partition     PENDING ──target credits──▶ SETTLED
 *                                           ──target refuses──▶ REFUNDED
 *
 * A PENDING amount is in transit: it is in neither balance. Only the target's recorded refusal gives it back.
 */
import { INT64_MAX, type Account, type Rejection, type TargetRejection } from './account';
import { decidePosting, reject, type AcceptedPosting, type Posting, type PostingDecision, type RejectedPosting } from './posting';

export type TransferState = 'PENDING' | 'SETTLED' | 'REFUNDED';

/** Where a transfer goes by its target's verdict. Another event finds it ended, and is a fault in the log. */
export const TRANSFER_TRANSITIONS: Readonly<Record<TransferState, { readonly credited?: TransferState; readonly refused?: TransferState }>> = {
  PENDING: { credited: 'SETTLED', refused: 'REFUNDED' },
  SETTLED: {},
  REFUNDED: {},
};

/** @param pending the credit is owed to another partition. */
export function decideTransferDebit(account: Account | undefined, debit: Posting, signatureValid: boolean, pending: boolean): PostingDecision {
  const decision = decidePosting(account, debit, signatureValid);
  // An overdraft near the range of int64 could put more in transit than can be counted.
  if (pending && decision.accepted && (account as Account).inTransitMinor + debit.amountMinor > INT64_MAX) return reject('AMOUNT_OVERFLOW');
  return decision;
}

/** The credit at the target: the checks of a CREDIT, in their order. */
export function decideTransferCredit(
  target: Account | undefined,
  credit: Posting,
): AcceptedPosting | (RejectedPosting & { readonly rejection: TargetRejection }) {
  const decision = decidePosting(target, credit, true);
  return decision.accepted ? decision : (reject(targetRejection(decision.rejection)) as RejectedPosting & { readonly rejection: TargetRejection });
}

function targetRejection(rejection: Rejection): TargetRejection {
  switch (rejection) {
    case 'ACCOUNT_NOT_FOUND':
      return 'TARGET_NOT_FOUND';
    case 'UNIT_MISMATCH':
      return 'TARGET_UNIT_MISMATCH';
    case 'ACCOUNT_CLOSED':
      return 'TARGET_CLOSED';
    case 'TYPE_NOT_ALLOWED':
      return 'TARGET_TYPE_NOT_ALLOWED';
    case 'POSTING_LIMIT_EXCEEDED':
      return 'TARGET_POSTING_LIMIT_EXCEEDED';
    case 'MAXIMUM_BALANCE_EXCEEDED':
      return 'TARGET_MAXIMUM_BALANCE_EXCEEDED';
    case 'AMOUNT_OVERFLOW':
      return 'TARGET_AMOUNT_OVERFLOW';
    default:
      throw new Error(`a credit is never refused with ${rejection}`);
  }
}

/** The credit that gives a refused transfer back. It passes freezes, allowed types and limits; there is room for it (decideCredit). */
export function decideRefund(account: Account, amountMinor: bigint): AcceptedPosting {
  if (account.status === 'CLOSED') throw new Error(`account ${account.accountId} is closed with transfers in transit`);
  return { accepted: true, balanceAfterMinor: account.balanceMinor + amountMinor, heldAfterMinor: account.heldMinor };
}

/** The debit of a transfer was recorded, and its credit is owed. */
export function beginTransit(account: Account, amountMinor: bigint): void {
  account.inTransitMinor += amountMinor;
}

/** Verdicts on transfers of that sum came. */
export function endTransit(account: Account, amountMinor: bigint): void {
  if (amountMinor > account.inTransitMinor) {
    throw new Error(`account ${account.accountId}: ${amountMinor} is settled, and only ${account.inTransitMinor} is in transit`);
  }
  account.inTransitMinor -= amountMinor;
}
