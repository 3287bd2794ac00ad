/** What tellers of a simulation ask of accounts whose branches have business dates. */
import { accountpb } from '@sluice/protocol/account';
import { answerOrReason } from '../world/call-failed';
import type { Callers } from '../world/deployment';

const COMMANDS = accountpb.AccountCommandServiceService;
const QUERIES = accountpb.AccountQueryServiceService;

/** A request of a teller. */
export interface Ask {
  readonly path: string;
  readonly request: Uint8Array;
}

export function postingAsk(posting: Pick<accountpb.Posting, 'requestId' | 'accountId' | 'amountMinor' | 'unit'>, direction: 'CREDIT' | 'DEBIT'): Ask {
  const type = accountpb.PostingType[`POSTING_TYPE_${direction}`];
  return { path: COMMANDS.post.path, request: accountpb.PostRequest.encode(accountpb.PostRequest.fromPartial({ posting: { ...posting, type } })).finish() };
}

export function transferAsk(transfer: Pick<accountpb.TransferOrder, 'requestId' | 'fromAccountId' | 'toAccountId' | 'amountMinor' | 'unit'>): Ask {
  return { path: COMMANDS.transfer.path, request: accountpb.TransferRequest.encode(accountpb.TransferRequest.fromPartial({ transfer })).finish() };
}

/** Every caller may ask for it: it is done once. */
export async function openDatedAccount(
  callers: Callers,
  opening: Pick<accountpb.AccountOpening, 'accountId' | 'unit' | 'branchId' | 'product'>,
): Promise<void> {
  const account = accountpb.AccountOpening.fromPartial({ requestId: 'open', ...opening });
  await answerOrReason(callers.call('command', COMMANDS.openAccount.path, accountpb.OpenAccountRequest.encode({ account }).finish()));
}

/** The balance at the end of a business date, YYYY-MM-DD, as queries say it. */
export async function balanceAtEndOf(callers: Callers, accountId: string, date: string): Promise<bigint> {
  const request = accountpb.GetBalanceAtRequest.fromPartial({ accountId, moment: { $case: 'businessDate', value: date } });
  const answer = await callers.call('query', QUERIES.getBalanceAt.path, accountpb.GetBalanceAtRequest.encode(request).finish());
  return accountpb.GetBalanceAtResponse.decode(answer).balanceMinor;
}
