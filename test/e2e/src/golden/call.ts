/** What a scenario asks of the command service. */
import { POSTING_TYPES, type PostingType } from '@sluice/domain/account';
import { accountpb } from '@sluice/protocol/account';

export interface Call {
  readonly method: string;
  readonly request: Uint8Array;
}

export function posting(
  type: PostingType,
  accountId: string,
  requestId: string,
  amountMinor: bigint,
  rest: Partial<accountpb.Posting> = {},
): accountpb.Posting {
  return accountpb.Posting.fromPartial({ type: POSTING_TYPES.indexOf(type) + 1, accountId, requestId, amountMinor, unit: 'EUR', ...rest });
}

export const batch = (postings: accountpb.Posting[], atomic = false): Call => ({
  method: 'postBatch',
  request: accountpb.PostBatchRequest.encode({ postings, atomic }).finish(),
});
export const post = (one: accountpb.Posting): Call => ({ method: 'post', request: accountpb.PostRequest.encode({ posting: one }).finish() });
export const open = (account: Partial<accountpb.AccountOpening>): Call => ({
  method: 'openAccount',
  request: accountpb.OpenAccountRequest.encode(
    accountpb.OpenAccountRequest.fromPartial({ account: { unit: 'EUR', requestId: `open ${account.accountId}`, ...account } }),
  ).finish(),
});
export const update = (request: Partial<accountpb.UpdateAccountRequest>): Call => ({
  method: 'updateAccount',
  request: accountpb.UpdateAccountRequest.encode(accountpb.UpdateAccountRequest.fromPartial(request)).finish(),
});

export const order = (fromAccountId: string, requestId: string, toAccountId: string, amountMinor: bigint): accountpb.TransferOrder =>
  accountpb.TransferOrder.fromPartial({ fromAccountId, requestId, toAccountId, amountMinor, unit: 'EUR', channel: 'app', metadata: { for: 'lunch' } });
export const transfer = (one: accountpb.TransferOrder): Call => ({
  method: 'transfer',
  request: accountpb.TransferRequest.encode({ transfer: one }).finish(),
});
export const transfers = (orders: accountpb.TransferOrder[]): Call => ({
  method: 'transferBatch',
  request: accountpb.TransferBatchRequest.encode({ transfers: orders }).finish(),
});
