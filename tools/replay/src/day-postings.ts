/** Opens the accounts of a file and posts its transactions, of which the server says the date. */
import type { PostingInput, SluiceClient } from '@sluice/client';
import type { AnswerLog } from './answer-log';
import type { BranchOfDay } from './bank-day';
import type { SurveyedAccount } from './bank-survey';
import { type BankTransaction, describeTransaction, movementOf } from './bank-transaction';
import { CALL, LOOK_MS } from './day-call';
import { BANK_PRODUCT } from './day-comparison';
import type { DayNames } from './day-names';
import { pause } from './task-outages';
import { isAway } from './until-answered';

const UNIT = 'CZK';
const CHANNEL = 'replay';
const ACCOUNTS_PER_CALL = 1_000;
const ROWS_PER_BATCH = 1_000;

export class DayPostings {
  readonly counts = { postings: 0, repeats: 0 };

  constructor(
    private readonly client: SluiceClient,
    private readonly names: DayNames,
    private readonly log: AnswerLog,
  ) {}

  async openAccounts(accounts: readonly SurveyedAccount[]): Promise<void> {
    for (let start = 0; start < accounts.length; start += ACCOUNTS_PER_CALL) await this.open(accounts.slice(start, start + ACCOUNTS_PER_CALL));
  }

  private async open(accounts: readonly SurveyedAccount[]): Promise<void> {
    const openings = accounts.map(({ accountId, branchId, overdraftMinor }) => ({
      requestId: `open-${overdraftMinor}`,
      accountId: this.names.account(accountId),
      unit: UNIT,
      branchId: this.names.branch(branchId),
      product: BANK_PRODUCT,
      limits: { overdraftMinor },
    }));
    for (const { error } of await this.client.accounts.openMany(openings, CALL)) if (error !== undefined) throw error;
    const before = accounts.filter(({ openingMinor }) => openingMinor !== 0n);
    const postings = before.map(({ accountId, openingMinor }) => {
      const opening = { requestId: 'opening-balance', accountId: this.names.account(accountId), unit: UNIT, channel: CHANNEL, ...movementOf(openingMinor) };
      return this.log.ask(`opening of account ${accountId}`, () => this.client.accounts.post(opening, CALL));
    });
    await Promise.all(postings);
  }

  /** The transactions of an account in their order. Resolves when every one is answered. */
  async post(date: string, { branchId, transactions }: BranchOfDay): Promise<void> {
    let left = transactions.filter(({ amountMinor }) => amountMinor !== 0n);
    while (left.length > 0) {
      const sent = left.slice(0, ROWS_PER_BATCH);
      const unanswered = await this.send(`postings of ${date} in branch ${branchId}`, sent);
      this.counts.postings += sent.length - unanswered.length;
      if (unanswered.length > 0) {
        this.log.countAgain();
        await pause(LOOK_MS);
      }
      left = [...unanswered, ...left.slice(sent.length)];
    }
  }

  /** @returns those that have no answer yet. */
  private async send(what: string, sent: readonly BankTransaction[]): Promise<BankTransaction[]> {
    const postings = sent.map((transaction) => this.postingOf(transaction));
    const outcomes = await this.log.ask(what, () => this.client.accounts.postBatch(postings, CALL));
    return sent.filter((transaction, at) => {
      const outcome = outcomes?.[at];
      if (outcome?.error !== undefined) {
        if (isAway(outcome.error)) return true;
        this.log.refused(describeTransaction(transaction), outcome.error);
      } else if (outcome?.result.repeated === true) this.counts.repeats += 1;
      return false;
    });
  }

  private postingOf({ accountId, transactionId, amountMinor, kind }: BankTransaction): PostingInput {
    return {
      requestId: `transaction-${transactionId}`,
      accountId: this.names.account(accountId),
      unit: UNIT,
      channel: CHANNEL,
      metadata: { kind },
      ...movementOf(amountMinor),
    };
  }
}
