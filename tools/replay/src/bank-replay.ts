/**
 * Replays a bank's transactions through gRPC and compares every answer with the bank's own.
 *
 * The rows of one account are posted one after another, many accounts at once; the client draws what is posted at the same
 * time together. Account and request ids follow from the file alone, so that a second run posts nothing new: its rows are
 * answered as repeats. Accounts carry the name of the file, so that files do not mix on one server.
 */
import { basename } from 'node:path';
import { type PostingInput, type SluiceClient, SluiceError } from '@sluice/client';
import { readBankFile } from './bank-file';
import { type BankSurvey, type SurveyedAccount, surveyBank } from './bank-survey';
import type { BankTransaction } from './bank-transaction';
import { RowWindow } from './row-window';

export interface ReplayObserver {
  /** A new step begins; `total` is undefined where it is not known. */
  step(name: string, total: number | undefined): void;
  progress(done: number): void;
  stepDone(): void;
}

export interface Mismatch {
  /** Line of the file; undefined: about an account as a whole. */
  readonly line: number | undefined;
  readonly text: string;
}

export interface ReplayReport {
  readonly transactions: number;
  readonly accounts: number;
  /** Transactions that an earlier run had posted. */
  readonly repeats: number;
  /** Rows of amount 0: compared, but there is nothing to post. */
  readonly withoutAmount: number;
  readonly mismatches: readonly Mismatch[];
}

export interface BankReplayOptions {
  readonly file: string;
  readonly client: SluiceClient;
  readonly observer?: ReplayObserver;
}

const UNIT = 'CZK';
const CHANNEL = 'replay';
/** Rows that are read ahead of their answers: enough that many accounts are under way, few enough for memory. */
const MAXIMUM_ROWS_UNDER_WAY = 8_000;
/** Accounts whose entries are counted at once. */
const MAXIMUM_READS_UNDER_WAY = 16;
const CALL_DEADLINE_MS = 60_000;
const SILENT: ReplayObserver = { step: () => undefined, progress: () => undefined, stepDone: () => undefined };

export async function replayBank({ file, client, observer = SILENT }: BankReplayOptions): Promise<ReplayReport> {
  observer.step('reading', undefined);
  const survey = await surveyBank(file, readBankFile(file));
  observer.stepDone();
  const replay = new BankReplay(file, client, survey, observer);
  await replay.openAccounts();
  await replay.postTransactions();
  await replay.compareReadStore();
  return replay.report();
}

class BankReplay {
  readonly #file: string;
  readonly #client: SluiceClient;
  readonly #survey: BankSurvey;
  readonly #observer: ReplayObserver;
  readonly #namespace: string;
  readonly #mismatches: Mismatch[] = [];
  #repeats = 0;

  constructor(file: string, client: SluiceClient, survey: BankSurvey, observer: ReplayObserver) {
    this.#file = file;
    this.#client = client;
    this.#survey = survey;
    this.#observer = observer;
    this.#namespace = basename(file)
      .replace(/\.gz$/, '')
      .replace(/\.csv$/, '');
  }

  #idOf(accountId: string): string {
    return `${this.#namespace}/${accountId}`;
  }

  async openAccounts(): Promise<void> {
    const accounts = [...this.#survey.accounts.values()];
    this.#observer.step('opening accounts', undefined);
    const outcomes = await this.#client.accounts.openMany(
      accounts.map(({ accountId, branchId, overdraftMinor }) => ({
        requestId: `open-${overdraftMinor}`,
        accountId: this.#idOf(accountId),
        unit: UNIT,
        branchId,
        limits: { overdraftMinor },
      })),
      { deadlineMs: CALL_DEADLINE_MS },
    );
    await Promise.all(
      outcomes.map(async ({ accountId, error }, index) => {
        if (error === undefined) return;
        const limits = { overdraftMinor: accounts[index]?.overdraftMinor };
        // Opened by an earlier run over a file of the same name that went less far below zero.
        if (error.reason === 'ACCOUNT_EXISTS')
          await this.#client.accounts.update({ requestId: `overdraft-${limits.overdraftMinor}`, accountId, limits }, { deadlineMs: CALL_DEADLINE_MS });
        else
          throw new SluiceError({
            code: error.code,
            reason: error.reason,
            message: `account ${accountId} could not be opened: ${error.message}`,
            cause: error,
          });
      }),
    );
    const openings = accounts.filter(({ openingMinor }) => openingMinor !== 0n);
    await Promise.all(openings.map((account) => this.#client.accounts.post(this.#openingPosting(account), { deadlineMs: CALL_DEADLINE_MS })));
    this.#observer.stepDone();
  }

  /** What the account had before the file begins. */
  #openingPosting({ accountId, openingMinor }: SurveyedAccount): PostingInput {
    return { requestId: 'opening-balance', accountId: this.#idOf(accountId), unit: UNIT, channel: CHANNEL, ...movement(openingMinor) };
  }

  async postTransactions(): Promise<void> {
    this.#observer.step('posting', this.#survey.rows);
    const window = new RowWindow(MAXIMUM_ROWS_UNDER_WAY);
    const lastOfAccount = new Map<string, Promise<bigint>>();
    let done = 0;
    for await (const transaction of readBankFile(this.#file)) {
      await window.enter();
      const opening = this.#survey.accounts.get(transaction.accountId)?.openingMinor ?? 0n;
      const before = lastOfAccount.get(transaction.accountId) ?? Promise.resolve(opening);
      const after = before.then((balanceMinor) => this.#replayRow(transaction, balanceMinor));
      lastOfAccount.set(transaction.accountId, after);
      window.leaveWhen(after, () => {
        done += 1;
        this.#observer.progress(done);
      });
    }
    await window.allLeft();
    this.#observer.stepDone();
  }

  /** Resolves with the account's balance after the row. */
  async #replayRow(transaction: BankTransaction, balanceBeforeMinor: bigint): Promise<bigint> {
    if (transaction.amountMinor === 0n) {
      this.#compareRow(transaction, balanceBeforeMinor);
      return balanceBeforeMinor;
    }
    try {
      const result = await this.#client.accounts.post(this.#postingOf(transaction), { deadlineMs: CALL_DEADLINE_MS });
      if (result.repeated) this.#repeats += 1;
      this.#compareRow(transaction, result.balanceAfterMinor);
      return result.balanceAfterMinor;
    } catch (error) {
      // A refusal is an answer that differs from the bank's; anything else ends the replay.
      if (!(error instanceof SluiceError) || !isVerdict(error)) throw error;
      this.#mismatches.push({ line: transaction.line, text: `${describe(transaction)}: refused, ${error.reason}: ${error.message}` });
      return error.verdict?.balanceMinor ?? balanceBeforeMinor;
    }
  }

  #postingOf({ accountId, transactionId, amountMinor, date, kind }: BankTransaction): PostingInput {
    return {
      requestId: `transaction-${transactionId}`,
      accountId: this.#idOf(accountId),
      unit: UNIT,
      channel: CHANNEL,
      initiatedDate: date,
      metadata: { kind },
      ...movement(amountMinor),
    };
  }

  #compareRow(transaction: BankTransaction, balanceMinor: bigint): void {
    if (balanceMinor === transaction.balanceAfterMinor) return;
    this.#mismatches.push({
      line: transaction.line,
      text: `${describe(transaction)}: balance after it ${balanceMinor}, the bank says ${transaction.balanceAfterMinor}`,
    });
  }

  /** Balance and number of entries of every account, from the read store alone. */
  async compareReadStore(): Promise<void> {
    this.#observer.step('comparing the read store', this.#survey.accounts.size);
    const found = await this.#client.accounts.batchGet(
      [...this.#survey.accounts.keys()].map((accountId) => this.#idOf(accountId)),
      { deadlineMs: CALL_DEADLINE_MS },
    );
    const window = new RowWindow(MAXIMUM_READS_UNDER_WAY);
    let done = 0;
    for (const account of this.#survey.accounts.values()) {
      await window.enter();
      const compared = this.#compareAccount(account, found.get(this.#idOf(account.accountId))?.balanceMinor);
      window.leaveWhen(compared, () => {
        done += 1;
        this.#observer.progress(done);
      });
    }
    await window.allLeft();
    this.#observer.stepDone();
  }

  async #compareAccount(account: SurveyedAccount, balanceMinor: bigint | undefined): Promise<void> {
    if (balanceMinor !== account.finalBalanceMinor) {
      this.#mismatches.push({
        line: undefined,
        text: `account ${account.accountId}: balance ${balanceMinor ?? 'absent'} in the read store, the bank says ${account.finalBalanceMinor}`,
      });
    }
    const expected = account.postings + (account.openingMinor === 0n ? 0 : 1);
    let entries = 0;
    if (balanceMinor !== undefined) {
      for await (const _entry of this.#client.accounts.entries(this.#idOf(account.accountId), {}, { deadlineMs: CALL_DEADLINE_MS })) entries += 1;
    }
    if (entries !== expected) {
      this.#mismatches.push({ line: undefined, text: `account ${account.accountId}: ${entries} entries in the read store, ${expected} expected` });
    }
  }

  report(): ReplayReport {
    const { rows, postings, accounts } = this.#survey;
    const byLine = (left: Mismatch, right: Mismatch): number => (left.line ?? Number.POSITIVE_INFINITY) - (right.line ?? Number.POSITIVE_INFINITY) || 0;
    return {
      transactions: rows,
      accounts: accounts.size,
      repeats: this.#repeats,
      withoutAmount: rows - postings,
      mismatches: [...this.#mismatches].sort(byLine),
    };
  }
}

function movement(amountMinor: bigint): Pick<PostingInput, 'type' | 'amountMinor'> {
  return amountMinor < 0n ? { type: 'DEBIT', amountMinor: -amountMinor } : { type: 'CREDIT', amountMinor };
}

function describe({ line, transactionId, accountId, date }: BankTransaction): string {
  return `row ${line - 1} (line ${line}): transaction ${transactionId} of account ${accountId} on ${date}`;
}

/** Whether a server decided, as opposed to: could not be asked. */
function isVerdict(error: SluiceError): boolean {
  switch (error.code) {
    case 'FAILED_PRECONDITION':
    case 'OUT_OF_RANGE':
    case 'ALREADY_EXISTS':
    case 'INVALID_ARGUMENT':
      return true;
    default:
      return false;
  }
}
