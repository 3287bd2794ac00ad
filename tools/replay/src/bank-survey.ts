/**
 * The first pass over a file: what each account must be opened with so that the file can be replayed as it is, and where
 * each account must stand in the end.
 */
import type { BankTransaction } from './bank-transaction';
import { MalformedFileError } from './malformed-file-error';

export interface SurveyedAccount {
  readonly accountId: string;
  readonly branchId: string;
  /** What the account had before its first row; an uncounted opening posting supplies it. May be negative. */
  readonly openingMinor: bigint;
  /** How far below zero the sum of the rows goes; 0: never. */
  readonly overdraftMinor: bigint;
  readonly rows: number;
  /** Rows that move money; a row of amount 0 is no posting. */
  readonly postings: number;
  /** The bank's balance after the last row. */
  readonly finalBalanceMinor: bigint;
}

export interface BankSurvey {
  readonly accounts: ReadonlyMap<string, SurveyedAccount>;
  readonly rows: number;
  readonly postings: number;
}

interface RunningAccount {
  readonly branchId: string;
  readonly openingMinor: bigint;
  readonly transactionLines: Map<string, number>;
  sumMinor: bigint;
  lowestMinor: bigint;
  rows: number;
  postings: number;
  finalBalanceMinor: bigint;
}

export async function surveyBank(file: string, transactions: AsyncIterable<BankTransaction>): Promise<BankSurvey> {
  const running = new Map<string, RunningAccount>();
  let rows = 0;
  for await (const transaction of transactions) {
    rows += 1;
    const account = running.get(transaction.accountId) ?? opened(transaction);
    running.set(transaction.accountId, account);
    if (account.branchId !== transaction.branchId) {
      throw new MalformedFileError(
        file,
        transaction.line,
        `account ${transaction.accountId} was in branch ${account.branchId} before and is in ${transaction.branchId} here`,
      );
    }
    const earlierLine = account.transactionLines.get(transaction.transactionId);
    if (earlierLine !== undefined) {
      throw new MalformedFileError(
        file,
        transaction.line,
        `transaction ${transaction.transactionId} of account ${transaction.accountId} is on line ${earlierLine} already`,
      );
    }
    account.transactionLines.set(transaction.transactionId, transaction.line);
    account.sumMinor += transaction.amountMinor;
    if (account.sumMinor < account.lowestMinor) account.lowestMinor = account.sumMinor;
    account.rows += 1;
    if (transaction.amountMinor !== 0n) account.postings += 1;
    account.finalBalanceMinor = transaction.balanceAfterMinor;
  }
  const accounts = new Map([...running].map(([accountId, account]) => [accountId, surveyed(accountId, account)]));
  return { accounts, rows, postings: [...accounts.values()].reduce((sum, account) => sum + account.postings, 0) };
}

function opened(first: BankTransaction): RunningAccount {
  const openingMinor = first.balanceAfterMinor - first.amountMinor;
  return {
    branchId: first.branchId,
    openingMinor,
    transactionLines: new Map(),
    sumMinor: openingMinor,
    lowestMinor: openingMinor,
    rows: 0,
    postings: 0,
    finalBalanceMinor: openingMinor,
  };
}

function surveyed(accountId: string, account: RunningAccount): SurveyedAccount {
  const { branchId, openingMinor, lowestMinor, rows, postings, finalBalanceMinor } = account;
  return { accountId, branchId, openingMinor, overdraftMinor: lowestMinor < 0n ? -lowestMinor : 0n, rows, postings, finalBalanceMinor };
}
