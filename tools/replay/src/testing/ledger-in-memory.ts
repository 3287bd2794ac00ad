/** The least that can answer a replay: accounts, their entries and repeats in memory, behind the real gRPC services. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';

interface LedgerAccount {
  readonly openRequestId: string;
  readonly branchId: string;
  readonly answers: Map<string, accountpb.PostingResult>;
  readonly entries: accountpb.Entry[];
  overdraftMinor: bigint;
  balanceMinor: bigint;
}

export interface LedgerInMemory {
  readonly target: string;
  readonly accounts: ReadonlyMap<string, LedgerAccount>;
  stop(): void;
}

export async function startLedgerInMemory(): Promise<LedgerInMemory> {
  const accounts = new Map<string, LedgerAccount>();

  const open = (opening: accountpb.AccountOpening): accountpb.OpenAccountsResult => {
    const existing = accounts.get(opening.accountId);
    if (existing !== undefined && existing.openRequestId !== opening.requestId)
      return { result: undefined, error: { code: status.ALREADY_EXISTS, reason: 'ACCOUNT_EXISTS', message: 'it exists' } };
    if (existing === undefined) {
      const { requestId: openRequestId, branchId } = opening;
      accounts.set(opening.accountId, {
        openRequestId,
        branchId,
        answers: new Map(),
        entries: [],
        overdraftMinor: opening.limits?.overdraftMinor ?? 0n,
        balanceMinor: 0n,
      });
    }
    return { result: accountpb.CommandResult.fromPartial({ accountId: opening.accountId, repeated: existing !== undefined }), error: undefined };
  };

  const post = (posting: accountpb.Posting): accountpb.PostingResult => {
    const account = accounts.get(posting.accountId);
    const refused = (reason: string): accountpb.PostingResult => ({
      balanceAfterMinor: account?.balanceMinor ?? 0n,
      heldAfterMinor: 0n,
      entryNumber: 0n,
      repeated: false,
      error: { code: status.FAILED_PRECONDITION, reason, message: reason },
    });
    if (account === undefined) return refused('ACCOUNT_NOT_FOUND');
    const first = account.answers.get(posting.requestId);
    if (first !== undefined) return { ...first, repeated: true };
    const signedMinor = posting.type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -posting.amountMinor : posting.amountMinor;
    if (account.balanceMinor + signedMinor < -account.overdraftMinor) return refused('INSUFFICIENT_FUNDS');
    account.balanceMinor += signedMinor;
    account.entries.push(accountpb.Entry.fromPartial({ ...posting, entryNumber: BigInt(account.entries.length + 1), balanceAfterMinor: account.balanceMinor }));
    const answer = {
      balanceAfterMinor: account.balanceMinor,
      heldAfterMinor: 0n,
      entryNumber: BigInt(account.entries.length),
      repeated: false,
      error: undefined,
    };
    account.answers.set(posting.requestId, answer);
    return answer;
  };

  const server = new Server();
  server.addService(accountpb.AccountCommandServiceService, {
    openAccounts: ({ request }, callback) => callback(null, { results: request.accounts.map(open), positionToken: '' }),
    updateAccount: ({ request }, callback) => {
      const account = accounts.get(request.accountId);
      if (account !== undefined && request.limits !== undefined) account.overdraftMinor = request.limits.overdraftMinor;
      callback(null, { result: accountpb.CommandResult.fromPartial({ accountId: request.accountId }) });
    },
    postBatch: ({ request }, callback) => callback(null, { results: request.postings.map(post), positionToken: '', acceptedCount: 0 }),
  } as Partial<accountpb.AccountCommandServiceServer> as accountpb.AccountCommandServiceServer);
  server.addService(accountpb.AccountQueryServiceService, {
    batchGetAccounts: ({ request }, callback) => {
      const found = request.accountIds.filter((id) => accounts.has(id));
      callback(null, {
        accounts: found.map((accountId) => accountpb.Account.fromPartial({ accountId, balanceMinor: accounts.get(accountId)?.balanceMinor })),
        notFound: [],
        positionToken: '',
      });
    },
    listEntries: ({ request }, callback) => callback(null, { entries: accounts.get(request.accountId)?.entries ?? [], nextPageToken: '', positionToken: '' }),
  } as Partial<accountpb.AccountQueryServiceServer> as accountpb.AccountQueryServiceServer);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { target: `127.0.0.1:${port}`, accounts, stop: () => server.forceShutdown() };
}
