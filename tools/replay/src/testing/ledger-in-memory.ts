/** The least that can answer a replay: accounts, their entries and repeats in memory, behind the real gRPC services. */
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';

export interface LedgerAccount {
  readonly openRequestId: string;
  readonly branchId: string;
  readonly product: string;
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

export interface LedgerOptions {
  /** The business date of what is booked now in a branch, or was initiated elsewhere at a date; undefined: branches have none. */
  readonly dateOf?: (branchId: string, initiated?: string) => string;
  /** Further services of the same server. */
  readonly addServices?: (server: Server, accounts: ReadonlyMap<string, LedgerAccount>) => void;
}

export async function startLedgerInMemory({ dateOf = () => '', addServices }: LedgerOptions = {}): Promise<LedgerInMemory> {
  const accounts = new Map<string, LedgerAccount>();

  const open = (opening: accountpb.AccountOpening): accountpb.OpenAccountsResult => {
    const existing = accounts.get(opening.accountId);
    if (existing !== undefined && existing.openRequestId !== opening.requestId)
      return { result: undefined, error: { code: status.ALREADY_EXISTS, reason: 'ACCOUNT_EXISTS', message: 'it exists' } };
    if (existing === undefined) {
      const { requestId: openRequestId, branchId, product } = opening;
      accounts.set(opening.accountId, {
        openRequestId,
        branchId,
        product,
        answers: new Map(),
        entries: [],
        overdraftMinor: opening.limits?.overdraftMinor ?? 0n,
        balanceMinor: 0n,
      });
    }
    return { result: accountpb.CommandResult.fromPartial({ accountId: opening.accountId, repeated: existing !== undefined }), error: undefined };
  };

  const post = (
    posting: accountpb.Posting,
    origin = accountpb.EntryOrigin.ENTRY_ORIGIN_UNSPECIFIED,
    date = dateOf(accounts.get(posting.accountId)?.branchId ?? ''),
  ): accountpb.PostingResult => {
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
    const entryNumber = BigInt(account.entries.length + 1);
    account.entries.push(accountpb.Entry.fromPartial({ ...posting, entryNumber, balanceAfterMinor: account.balanceMinor, origin, businessDate: date }));
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

  /** Both legs at once, at the date of the debited side. */
  const transfer = (order: accountpb.TransferOrder): accountpb.TransferResult => {
    const { requestId, fromAccountId, toAccountId, amountMinor, unit } = order;
    const leg = { requestId, amountMinor, unit };
    const { POSTING_TYPE_DEBIT, POSTING_TYPE_CREDIT } = accountpb.PostingType;
    const { ENTRY_ORIGIN_TRANSFER_DEBIT, ENTRY_ORIGIN_TRANSFER_CREDIT } = accountpb.EntryOrigin;
    const debit = accountpb.Posting.fromPartial({ ...leg, accountId: fromAccountId, type: POSTING_TYPE_DEBIT });
    const debited = post(debit, ENTRY_ORIGIN_TRANSFER_DEBIT);
    if (debited.error === undefined && !debited.repeated) {
      const initiated = accounts.get(fromAccountId)?.entries.at(-1)?.businessDate;
      const date = dateOf(accounts.get(toAccountId)?.branchId ?? '', initiated);
      post(accountpb.Posting.fromPartial({ ...leg, accountId: toAccountId, type: POSTING_TYPE_CREDIT }), ENTRY_ORIGIN_TRANSFER_CREDIT, date);
    }
    return accountpb.TransferResult.fromPartial({ ...debited, state: accountpb.TransferState.TRANSFER_STATE_SETTLED });
  };

  const server = new Server();
  server.addService(accountpb.AccountCommandServiceService, {
    openAccounts: ({ request }, callback) => callback(null, { results: request.accounts.map(open), positionToken: '' }),
    updateAccount: ({ request }, callback) => {
      const account = accounts.get(request.accountId);
      if (account !== undefined && request.limits !== undefined) account.overdraftMinor = request.limits.overdraftMinor;
      callback(null, { result: accountpb.CommandResult.fromPartial({ accountId: request.accountId }) });
    },
    postBatch: ({ request }, callback) => callback(null, { results: request.postings.map((posting) => post(posting)), positionToken: '', acceptedCount: 0 }),
    transfer: ({ request }, callback) => callback(null, { result: transfer(request.transfer ?? accountpb.TransferOrder.fromPartial({})), positionToken: '' }),
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
  addServices?.(server, accounts);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { target: `127.0.0.1:${port}`, accounts, stop: () => server.forceShutdown() };
}
