/**
 * A bank's file, a calendar day after the other: what is posted in each branch, and what every account of it has at the end of the day by the file. A day on which a branch, or the whole
 * bank, has no transactions is a day, too.
 */
import type { BankSurvey } from './bank-survey';
import type { BankTransaction } from './bank-transaction';
import { MalformedFileError } from './malformed-file-error';

/** One branch on one day. Amounts are minor units. */
export interface BranchOfDay {
  readonly branchId: string;
  /** In the order of the file. */
  readonly transactions: readonly BankTransaction[];
  /** Of every account of the branch: what it has at the end of the day. */
  readonly closings: ReadonlyMap<string, bigint>;
  /** Sum of the closings of the day before. */
  readonly openingMinor: bigint;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
  readonly closingMinor: bigint;
}

export interface BankDay {
  /** YYYY-MM-DD. */
  readonly date: string;
  /** Every branch of the file, in the order of the survey. */
  readonly branches: readonly BranchOfDay[];
}

const MS_PER_DAY = 86_400_000;

/** From the day of the first transaction to that of the last. Throws MalformedFileError where the file goes back in time. */
export async function* bankDays(file: string, survey: BankSurvey, transactions: AsyncIterable<BankTransaction>): AsyncGenerator<BankDay, void, undefined> {
  const running = runningBranches(survey);
  let date: string | undefined;
  for await (const transaction of transactions) {
    date ??= calendarDay(file, transaction);
    if (transaction.date < date)
      throw new MalformedFileError(file, transaction.line, `the date ${transaction.date} comes behind ${date}: days are replayed in their order`);
    if (transaction.date > date) {
      calendarDay(file, transaction);
      for (; date < transaction.date; date = dayAfter(date)) yield endOf(date, running);
    }
    running.get(transaction.branchId)?.transactions.push(transaction);
  }
  if (date !== undefined) yield endOf(date, running);
}

/** @param date YYYY-MM-DD of the calendar. */
export function dayAfter(date: string): string {
  return new Date(Date.parse(date) + MS_PER_DAY).toISOString().slice(0, 10);
}

function calendarDay(file: string, { date, line }: BankTransaction): string {
  const day = new Date(date);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date)
    throw new MalformedFileError(file, line, `date is ${JSON.stringify(date)}, no day of the calendar`);
  return date;
}

interface RunningBranch {
  readonly balances: Map<string, bigint>;
  transactions: BankTransaction[];
  closingMinor: bigint;
}

function runningBranches(survey: BankSurvey): Map<string, RunningBranch> {
  const branches = new Map<string, RunningBranch>();
  for (const { accountId, branchId, openingMinor } of survey.accounts.values()) {
    const branch = branches.get(branchId) ?? { balances: new Map(), transactions: [], closingMinor: 0n };
    branches.set(branchId, branch);
    branch.balances.set(accountId, openingMinor);
    branch.closingMinor += openingMinor;
  }
  return branches;
}

function endOf(date: string, running: ReadonlyMap<string, RunningBranch>): BankDay {
  return { date, branches: [...running].map(([branchId, branch]) => endOfBranch(branchId, branch)) };
}

/** The balances of the file are taken as they are: where they do not follow from the amounts, the sums do not follow from each other, either. */
function endOfBranch(branchId: string, branch: RunningBranch): BranchOfDay {
  const { transactions, balances, closingMinor: openingMinor } = branch;
  let debitMinor = 0n;
  let creditMinor = 0n;
  for (const { accountId, amountMinor, balanceAfterMinor } of transactions) {
    if (amountMinor < 0n) debitMinor -= amountMinor;
    else creditMinor += amountMinor;
    branch.closingMinor += balanceAfterMinor - (balances.get(accountId) ?? 0n);
    balances.set(accountId, balanceAfterMinor);
  }
  branch.transactions = [];
  return { branchId, transactions, closings: new Map(balances), openingMinor, debitMinor, creditMinor, closingMinor: branch.closingMinor };
}
