/** An account that callers of a simulation open and fund; with the same request ids each time, so that it is done once. */
import { accountpb } from '@sluice/protocol/account';
import type { Callers } from '../world/deployment';

const COMMANDS = accountpb.AccountCommandServiceService;

/** @param amountMinor 0: the account gets nothing. */
export async function fundedAccount(callers: Callers, accountId: string, unit: string, amountMinor: bigint): Promise<void> {
  const account = accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit });
  await callers.call('command', COMMANDS.openAccount.path, accountpb.OpenAccountRequest.encode({ account }).finish());
  if (amountMinor === 0n) return;
  const posting = { requestId: 'funds', accountId, type: accountpb.PostingType.POSTING_TYPE_CREDIT, amountMinor, unit };
  await callers.call('command', COMMANDS.post.path, accountpb.PostRequest.encode(accountpb.PostRequest.fromPartial({ posting })).finish());
}
