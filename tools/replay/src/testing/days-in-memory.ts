/** The least that can answer a replay of business days: a ledger in memory whose branches have dates. An end of day is over at once. */
import { type sendUnaryData, type Server, status } from '@grpc/grpc-js';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { businessdaypb } from '@sluice/protocol/businessday';
import { dayAfter } from '../bank-day';
import { type LedgerAccount, type LedgerInMemory, startLedgerInMemory } from './ledger-in-memory';

interface BranchInMemory {
  readonly firstDate: string;
  onlineDate: string;
  /** The newest date whose end of day is over. */
  endedDate: string;
}

/** What a server may do wrong. */
export interface PlantedFault {
  /** Adds to the closing balance of an account. */
  readonly closing?: (accountId: string, date: string) => bigint;
  /** Refuses the first calls of a method as a server does that is away. */
  readonly away?: { readonly method: 'cutDay' | 'runEndOfDay'; times: number };
}

export function startDaysInMemory(fault: PlantedFault = {}): Promise<LedgerInMemory> {
  const branches = new Map<string, BranchInMemory>();
  return startLedgerInMemory({
    dateOf: (branchId, initiated = '') => {
      const { onlineDate, endedDate } = branches.get(branchId) ?? { onlineDate: '', endedDate: '' };
      return initiated > endedDate ? initiated : onlineDate;
    },
    addServices: (server, accounts) => {
      addCommands(server, branches, fault);
      addQueries(server, new Books(branches, accounts, fault));
    },
  });
}

function addCommands(server: Server, branches: Map<string, BranchInMemory>, { away }: PlantedFault): void {
  const answerOf = (branchId: string): businessdaypb.CutDayResponse =>
    businessdaypb.CutDayResponse.fromPartial({ day: { branchId, onlineDate: branches.get(branchId)?.onlineDate } });
  const end = (branchId: string, date: string): void => {
    const branch = branches.get(branchId) as BranchInMemory;
    if (branch.onlineDate === date) branch.onlineDate = dayAfter(date);
    branch.endedDate = date;
  };
  const isAway = (method: string): boolean => {
    if (away?.method !== method || away.times === 0) return false;
    away.times -= 1;
    return true;
  };
  const refuse = (callback: sendUnaryData<never>): void => callback({ code: status.UNAVAILABLE, details: 'it is away' });
  server.addService(businessdaypb.BusinessDayCommandServiceService, {
    registerBranch: ({ request: { branchId, onlineDate } }, callback) => {
      if (!branches.has(branchId)) branches.set(branchId, { firstDate: onlineDate, onlineDate, endedDate: '' });
      callback(null, answerOf(branchId));
    },
    cutDay: ({ request: { branchId, date } }, callback) => {
      if (isAway('cutDay')) return refuse(callback);
      const branch = branches.get(branchId) as BranchInMemory;
      if (branch.onlineDate === date) branch.onlineDate = dayAfter(date);
      callback(null, businessdaypb.CutDayResponse.fromPartial({ day: { branchId, onlineDate: dayAfter(date) } }));
    },
    runBatch: ({ request: { branchId } }, callback) => callback(null, answerOf(branchId)),
    beginDay: ({ request: { branchId, date } }, callback) => {
      end(branchId, date);
      callback(null, answerOf(branchId));
    },
    runEndOfDay: ({ request: { branchId, untilDate } }, callback) => {
      if (isAway('runEndOfDay')) return refuse(callback);
      end(branchId, untilDate);
      callback(null, answerOf(branchId));
    },
  } as Partial<businessdaypb.BusinessDayCommandServiceServer> as businessdaypb.BusinessDayCommandServiceServer);
  server.addService(businessdaypb.ProductCommandServiceService, {
    createProduct: ({ request: { product } }, callback) => callback(null, businessdaypb.CreateProductResponse.fromPartial({ product })),
  } as Partial<businessdaypb.ProductCommandServiceServer> as businessdaypb.ProductCommandServiceServer);
}

function addQueries(server: Server, books: Books): void {
  server.addService(businessdaypb.BusinessDayQueryServiceService, {
    listBranches: (_call, callback) => callback(null, businessdaypb.ListBranchesResponse.fromPartial({ days: books.days() })),
    listBatchRuns: ({ request: { branchId } }, callback) => callback(null, businessdaypb.ListBatchRunsResponse.fromPartial({ runs: books.runs(branchId) })),
    watchBatchRun: (call) => {
      call.write({ run: books.run(call.request.runId) });
      call.end();
    },
    getTrialBalance: ({ request: { branchId, date } }, callback) => callback(null, { trialBalance: books.trialBalance(branchId, date), positionToken: '' }),
    exportDayReport: (call) => {
      const { branchId, date } = call.request;
      const rows = books
        .accountsOf(branchId)
        .map(([accountId, account]) => ({ account_id: accountId, closing_minor: String(books.closing(accountId, account, date)) }));
      for (const row of rows) call.write({ lines: Buffer.from(`${JSON.stringify(row)}\n`) });
      call.end();
    },
  } as Partial<businessdaypb.BusinessDayQueryServiceServer> as businessdaypb.BusinessDayQueryServiceServer);
  server.addService(logpb.LogServiceService, {
    verifyDay: ({ request: { branchId, date } }, callback) => callback(null, books.proof(branchId, date)),
  } as Partial<logpb.LogServiceServer> as logpb.LogServiceServer);
}

/** What queries say, summed from the entries. */
class Books {
  constructor(
    private readonly branches: ReadonlyMap<string, BranchInMemory>,
    private readonly accounts: ReadonlyMap<string, LedgerAccount>,
    private readonly fault: PlantedFault,
  ) {}

  accountsOf(branchId: string): [string, LedgerAccount][] {
    return [...this.accounts].filter(([, account]) => account.branchId === branchId);
  }

  closing(accountId: string, { entries }: LedgerAccount, date: string): bigint {
    return sumOf(entries, (entry) => entry.businessDate <= date) + (this.fault.closing?.(accountId, date) ?? 0n);
  }

  /** A run waits for its next command at once. */
  days(): businessdaypb.BusinessDay[] {
    const { RUN_STATE_WAITING } = businessdaypb.RunState;
    return [...this.branches].map(([branchId, { firstDate, onlineDate, endedDate }]) =>
      businessdaypb.BusinessDay.fromPartial({
        branchId,
        onlineDate,
        batchDate: endedDate === '' ? firstDate : dayAfter(endedDate),
        runState: RUN_STATE_WAITING,
        settings: {},
      }),
    );
  }

  runs(branchId: string): businessdaypb.BatchRun[] {
    const { firstDate, endedDate } = this.branches.get(branchId) as BranchInMemory;
    const runs: businessdaypb.BatchRun[] = [];
    for (let date = firstDate; date <= endedDate; date = dayAfter(date)) runs.push(this.run(`${branchId}/${date}`));
    return runs;
  }

  /** Its goal is the batch until its day has begun. */
  run(runId: string): businessdaypb.BatchRun {
    const { RUN_STATE_ENDED, RUN_STATE_WAITING } = businessdaypb.RunState;
    const at = runId.lastIndexOf('/');
    const [branchId, date] = [runId.slice(0, at), runId.slice(at + 1)];
    const state = (this.branches.get(branchId)?.endedDate ?? '') >= date ? RUN_STATE_ENDED : RUN_STATE_WAITING;
    return businessdaypb.BatchRun.fromPartial({ runId, branchId, date, state, goal: businessdaypb.RunGoal.RUN_GOAL_BATCH });
  }

  trialBalance(branchId: string, date: string): businessdaypb.TrialBalance {
    const accountsOfBranch = this.accountsOf(branchId);
    const products = new Set(accountsOfBranch.map(([, { product }]) => product));
    const balance = businessdaypb.TrialBalance.fromPartial({ branchId, date, balanced: true });
    for (const product of products) {
      const accounts = accountsOfBranch.filter(([, account]) => account.product === product);
      const entries = accounts.flatMap(([, account]) => account.entries);
      const isOfDate = (entry: accountpb.Entry): boolean => entry.businessDate === date;
      const credit = sumOf(entries, (entry) => isOfDate(entry) && signed(entry) > 0n);
      const debit = -sumOf(entries, (entry) => isOfDate(entry) && signed(entry) < 0n);
      const texts = { creditMinor: String(credit), debitMinor: String(debit) };
      balance.products.push(
        businessdaypb.ProductBalance.fromPartial({
          product,
          unit: 'CZK',
          openingMinor: String(sumOf(entries, (entry) => entry.businessDate < date)),
          closingMinor: String(sumOf(entries, (entry) => entry.businessDate <= date)),
          accounts: BigInt(accounts.length),
          ...texts,
        }),
      );
      const line = product === 'courier' ? logpb.ContraLine.CONTRA_LINE_INTER_BRANCH : logpb.ContraLine.CONTRA_LINE_CASH;
      balance.lines.push(businessdaypb.LineBalance.fromPartial({ product, unit: 'CZK', line, debitMinor: texts.creditMinor, creditMinor: texts.debitMinor }));
    }
    return balance;
  }

  proof(branchId: string, date: string): logpb.VerifyDayResponse {
    const accounts = this.accountsOf(branchId);
    const closing = accounts.reduce((sum, [accountId, account]) => sum + this.closing(accountId, account, date), 0n);
    const posted = sumOf(
      accounts.flatMap(([, { entries }]) => entries),
      (entry) => entry.businessDate === date,
    );
    const texts = { openingMinor: { CZK: String(closing - posted) }, postedMinor: { CZK: String(posted) }, closingMinor: { CZK: String(closing) } };
    return logpb.VerifyDayResponse.fromPartial({ accounts: BigInt(accounts.length), ...texts });
  }
}

function sumOf(entries: readonly accountpb.Entry[], isCounted: (entry: accountpb.Entry) => boolean): bigint {
  return entries.filter(isCounted).reduce((sum, entry) => sum + signed(entry), 0n);
}

function signed({ type, amountMinor }: accountpb.Entry): bigint {
  return type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -amountMinor : amountMinor;
}
