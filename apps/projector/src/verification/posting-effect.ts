/** What an accepted posting does to an account, worked out anew from the request alone: the verification trusts no column. */
import { accountpb, ByteReader } from '@sluice/protocol';

export interface VerifiedBalance {
  balanceMinor: bigint;
  heldMinor: bigint;
  /** Hold id to what is left of it, oldest first; made when there is one. */
  holds: Map<string, bigint> | undefined;
}

/** Applies the encoded request. Throws where a hold that it is about is not there. */
export function applyRequest(account: VerifiedBalance, request: Uint8Array): void {
  const { type, amountMinor, requestId, holdId, final } = readEffect(request);
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

interface Effect {
  readonly type: number;
  readonly amountMinor: bigint;
  readonly requestId: string;
  readonly holdId: string;
  readonly final: boolean;
}

function readEffect(request: Uint8Array): Effect {
  const reader = new ByteReader(request, 0, request.length);
  let type = 0;
  let amountMinor = 0n;
  let requestIdAt = -1;
  let holdId = '';
  let final = false;
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case 0x0a:
        requestIdAt = reader.at;
        reader.skip(2);
        break;
      case 0x18:
        type = reader.varint();
        break;
      case 0x20:
        amountMinor = reader.int64();
        break;
      case 0x32:
        holdId = reader.string();
        break;
      case 0x38:
        final = reader.varint() !== 0;
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  // Only the request id of a HOLD says something about the account; the others are not even decoded.
  const isHold = type === (accountpb.PostingType.POSTING_TYPE_HOLD as number);
  const requestId = isHold && requestIdAt >= 0 ? new ByteReader(request, requestIdAt, request.length).string() : '';
  return { type, amountMinor, requestId, holdId, final };
}
