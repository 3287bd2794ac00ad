/** What an accepted posting does to an account, worked out anew from the request alone: the verification trusts no column. */
import { accountpb } from '@sluice/protocol/account';

export interface VerifiedBalance {
  balanceMinor: bigint;
  heldMinor: bigint;
  /** Hold id to what is left of it, oldest first; made when there is one. */
  holds: Map<string, bigint> | undefined;
}

/** Applies the request. Throws where a hold that it is about is not there. */
export function applyRequest(account: VerifiedBalance, { type, amountMinor, requestId, holdId, final }: accountpb.Posting): void {
  switch (type) {
    case accountpb.PostingType.POSTING_TYPE_CREDIT:
      account.balanceMinor += amountMinor;
      return;
    case accountpb.PostingType.POSTING_TYPE_DEBIT:
      account.balanceMinor -= amountMinor;
      return;
    case accountpb.PostingType.POSTING_TYPE_HOLD:
      account.holds ??= new Map();
      account.holds.set(requestId, amountMinor);
      account.heldMinor += amountMinor;
      return;
    case accountpb.PostingType.POSTING_TYPE_CAPTURE:
      account.balanceMinor -= amountMinor;
      return takeFromHold(account, holdId, amountMinor, final);
    case accountpb.PostingType.POSTING_TYPE_RELEASE:
      return takeFromHold(account, holdId, amountMinor, false);
    default:
      throw new Error(`posting type ${type} is not known`);
  }
}

function takeFromHold(account: VerifiedBalance, holdId: string, amountMinor: bigint, all: boolean): void {
  const remaining = account.holds?.get(holdId);
  if (account.holds === undefined || remaining === undefined || amountMinor > remaining) throw new Error(`hold "${holdId}" has less than ${amountMinor}`);
  const taken = all ? remaining : amountMinor;
  account.heldMinor -= taken;
  if (taken === remaining) account.holds.delete(holdId);
  else account.holds.set(holdId, remaining - taken);
}
