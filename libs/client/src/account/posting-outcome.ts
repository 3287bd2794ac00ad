/** The verdict on one item of a batch or a stream, as a result or as the error that a unary call would have thrown. */
import type { accountpb } from '@sluice/protocol/account';
import type { PostingOutcome } from './posting';
import { missingResult } from '../item-error';
import { SluiceError, statusName } from '../sluice-error';

export function outcomeOf(
  posting: { readonly requestId: string; readonly accountId: string },
  result: accountpb.PostingResult | undefined,
  positionToken: string,
): PostingOutcome {
  const { requestId, accountId } = posting;
  if (result === undefined) return { requestId, accountId, error: missingResult('posting', requestId) };
  const { balanceAfterMinor, heldAfterMinor, entryNumber, repeated, error } = result;
  if (error === undefined) {
    return { requestId, accountId, result: { requestId, accountId, balanceAfterMinor, heldAfterMinor, entryNumber, repeated, positionToken } };
  }
  return {
    requestId,
    accountId,
    error: new SluiceError({
      code: statusName(error.code),
      reason: error.reason,
      message: error.message,
      metadata: { account_id: accountId },
      requestId,
      verdict: { balanceMinor: balanceAfterMinor, heldMinor: heldAfterMinor, repeated },
    }),
  };
}
