/** An account beside those of the load, for the calls that a test makes itself. */
import { type Access, called, type CallOptions, PLAIN_ACCESS, QUICK_RECONNECT } from '@sluice/judged-load';
import { accountpb } from '@sluice/protocol/account';

export function commandClient(address: string, access: Access = PLAIN_ACCESS): accountpb.AccountCommandServiceClient {
  return new accountpb.AccountCommandServiceClient(address, access.credentials, QUICK_RECONNECT);
}

export async function openSideAccount(client: accountpb.AccountCommandServiceClient, accountId: string, options: CallOptions = {}): Promise<void> {
  const account = accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit: 'EUR' });
  await called(client.openAccount.bind(client), { account }, options);
}

export function credit(accountId: string, requestId: string): accountpb.Posting {
  const type = accountpb.PostingType.POSTING_TYPE_CREDIT;
  return accountpb.Posting.fromPartial({ requestId, accountId, type, amountMinor: 1n, unit: 'EUR' });
}

/** Resolves with the reasons of the refusals; an accepted posting has none. */
export async function postReasons(
  client: accountpb.AccountCommandServiceClient,
  postings: readonly accountpb.Posting[],
  options: CallOptions = {},
): Promise<(string | undefined)[]> {
  const { results } = await called(client.postBatch.bind(client), accountpb.PostBatchRequest.fromPartial({ postings: [...postings] }), options);
  return results.map(({ error }) => error?.reason);
}
