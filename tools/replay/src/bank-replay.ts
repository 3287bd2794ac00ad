/**
 * Replays a bank's transactions through gRPC and compares every answer with the bank's own.
 *
 * The rows of one account are posted in their order, those of many accounts at once, in batches. Account and request ids
 * follow from the file alone, so that a second run posts nothing new: its rows are answered as repeats. Accounts carry the
 * name of the file, so that files do not mix on one server.
 */
import { basename } from 'node:path';
import { type PostingInput, type SluiceClient, SluiceError } from '@sluice/client';
import { readBankFile } from './bank-file';
import { type BankSurvey, type SurveyedAccount, surveyBank } from './bank-survey';
import { type BankTransaction, describeTransaction, movementOf } from './bank-transaction';
import { PostingLane } from './posting-lane';
import { ReadWindow } from './read-window';

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
/** Batches under way at once, and their size: a server is kept busy, and what is read ahead stays small. */
const LANES = 4;
const ROWS_PER_BATCH = 1_000;
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
    return { requestId: 'opening-balance', accountId: this.#idOf(accountId), unit: UNIT, channel: CHANNEL, ...movementOf(openingMinor) };
  }

  async postTransactions(): Promise<void> {
    this.#observer.step('posting', this.#survey.rows);
    const balances = new Map([...this.#survey.accounts].map(([accountId, { openingMinor }]) => [accountId, openingMinor]));
    let done = 0;
    const lanes = Array.from(
      { length: LANES },
      () =>
        new PostingLane<BankTransaction>(ROWS_PER_BATCH, async (rows) => {
          await this.#replayRows(rows, balances);
          done += rows.length;
          this.#observer.progress(done);
        }),
    );
    const laneOf = new Map([...this.#survey.accounts.keys()].map((accountId, index) => [accountId, lanes[index % LANES]]));
    for await (const transaction of readBankFile(this.#file)) await laneOf.get(transaction.accountId)?.add(transaction);
    await Promise.all(lanes.map((lane) => lane.end()));
    this.#observer.stepDone();
  }

  /** @param balances the balance of each account after the row before; is brought up to date. */
  async #replayRows(rows: readonly BankTransaction[], balances: Map<string, bigint>): Promise<void> {
    const postings = rows.filter(({ amountMinor }) => amountMinor !== 0n).map((row) => this.#postingOf(row));
    const outcomes = postings.length === 0 ? [] : await this.#client.accounts.postBatch(postings, { deadlineMs: CALL_DEADLINE_MS });
    let next = 0;
    for (const row of rows) {
      const outcome = row.amountMinor === 0n ? undefined : outcomes[next++];
      if (outcome?.error !== undefined) {
        // A refusal is an answer that differs from the bank's; anything else ends the replay.
        if (!isVerdict(outcome.error)) throw outcome.error;
        this.#mismatches.push({ line: row.line, text: `${describeTransaction(row)}: refused, ${outcome.error.reason}: ${outcome.error.message}` });
        continue;
      }
      if (outcome?.result.repeated === true) this.#repeats += 1;
      if (outcome !== undefined) balances.set(row.accountId, outcome.result.balanceAfterMinor);
      this.#compareRow(row, balances.get(row.accountId) ?? 0n);
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
      ...movementOf(amountMinor),
    };
  }

  #compareRow(transaction: BankTransaction, balanceMinor: bigint): void {
    if (balanceMinor === transaction.balanceAfterMinor) return;
    this.#mismatches.push({
      line: transaction.line,
      text: `${describeTransaction(transaction)}: balance after it ${balanceMinor}, the bank says ${transaction.balanceAfterMinor}`,
    });
  }

  /** Balance and number of entries of every account, from the read store alone. */
  async compareReadStore(): Promise<void> {
    this.#observer.step('comparing the read store', this.#survey.accounts.size);
    const found = await this.#client.accounts.batchGet(
      [...this.#survey.accounts.keys()].map((accountId) => this.#idOf(accountId)),
      { deadlineMs: CALL_DEADLINE_MS },
    );
    const window = new ReadWindow(MAXIMUM_READS_UNDER_WAY);
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
