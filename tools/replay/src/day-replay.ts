/**
 * Replays a bank's file as business days of its branches, and holds every closing balance against the file.
 *
 *   postings of T ─▶ cut ─┬─▶ postings of T+1 ─▶ cut …
 *                         └─▶ end of day of T ─▶ closing balances, trial balance and day proof of T compared
 *
 * Every branch goes through its days by itself; a day is cut anywhere only when the day before is cut everywhere. Postings say nothing of their date: the server dates them. Ids follow from
 * the file alone, so that a second run gets the first answers again.
 */
import { basename } from 'node:path';
import { type BatchRun, type PostingInput, type SluiceClient, SluiceError } from '@sluice/client';
import { AnswerLog } from './answer-log';
import { bankDays, dayAfter, type BankDay, type BranchOfDay } from './bank-day';
import { readBankFile } from './bank-file';
import type { ReplayObserver } from './bank-replay';
import { surveyBank, type BankSurvey, type SurveyedAccount } from './bank-survey';
import { type BankTransaction, describeTransaction, movementOf } from './bank-transaction';
import { BANK_PRODUCT, closingDifferences, closingsOf, proofDifferences, trialBalanceDifferences } from './day-comparison';
import { COURIER_PRODUCT, DayCouriers } from './day-couriers';
import { DayOutages, type KnownStep } from './day-outages';
import { ReadWindow } from './read-window';
import { pause, type KillableService } from './task-outages';
import { isAway } from './until-answered';

export interface DayReplayOptions {
  readonly file: string;
  /** Days of the file that are replayed. */
  readonly limit: number;
  readonly client: SluiceClient;
  /** Given: the service is killed in the middle of ends of day. */
  readonly chaos?: KillableService | undefined;
  readonly observer: ReplayObserver;
}

export interface DayReplayReport {
  readonly days: number;
  readonly branches: number;
  readonly accounts: number;
  readonly postings: number;
  /** Postings that an earlier run had sent. */
  readonly repeats: number;
  /** Transfers between branches, sent while the day was cut. */
  readonly transfers: number;
  /** Closing balances that were compared, and ends of day whose proof holds. */
  readonly closings: number;
  readonly proofs: number;
  /** Transfers that came behind the seal of their date, as the runs say. */
  readonly stragglers: number;
  readonly refused: number;
  /** Calls that were made again because the server was away. */
  readonly again: number;
  readonly longestMs: Readonly<Record<'throughCut' | 'other', number>>;
  /** How often the server was killed, by the step of the end of day. */
  readonly kills: Readonly<Record<string, number>>;
  readonly mismatches: readonly string[];
}

const UNIT = 'CZK';
const CHANNEL = 'replay';
const TIME_ZONE = 'Europe/Prague';
const ACCOUNTS_PER_CALL = 1_000;
const ROWS_PER_BATCH = 1_000;
/** Ends of day that are compared at once. */
const COMPARISONS_AT_ONCE = 16;
const CALL = { deadlineMs: 60_000 };
/** What is there, not what this client wrote: a read of one branch need not wait for all the others. */
const READ = { ...CALL, positionTokens: [] };
const LOOK_MS = 20;
/** An end of day, or its rows in the read store, that do not come for so long are lost. */
const PATIENCE_MS = 120_000;
/** What a read says until the rows are there. */
const NOT_THERE_YET = new Set(['DATE_NOT_CLOSED', 'BATCH_RUN_NOT_FOUND', 'BRANCH_NOT_FOUND']);

export async function replayDays(options: DayReplayOptions): Promise<DayReplayReport> {
  const { file, limit, observer } = options;
  observer.step('reading', undefined);
  const dates = { first: '', last: '' };
  const survey = await surveyBank(file, datedBy(readBankFile(file), dates));
  observer.stepDone();
  const days = Math.min(limit, Math.round((Date.parse(dates.last) - Date.parse(dates.first)) / 86_400_000) + 1);
  const replay = new DayReplay(options, survey, days);
  await replay.prepare(dates.first);
  await replay.run(bankDays(file, survey, readBankFile(file)));
  return replay.report();
}

/** Passes the rows on, and keeps the first and the last date. */
async function* datedBy(
  transactions: AsyncIterable<BankTransaction>,
  dates: { first: string; last: string },
): AsyncGenerator<BankTransaction, void, undefined> {
  for await (const transaction of transactions) {
    if (dates.first === '') dates.first = transaction.date;
    dates.last = transaction.date;
    yield transaction;
  }
}

/** What is under way of a branch. */
interface BranchUnderWay {
  posted: Promise<void>;
  ended: Promise<void>;
}

class DayReplay {
  private readonly namespace: string;
  private readonly log = new AnswerLog();
  private readonly couriers: DayCouriers;
  private readonly outages: DayOutages | undefined;
  private readonly comparisons = new ReadWindow(COMPARISONS_AT_ONCE);
  private readonly branches = new Map<string, BranchUnderWay>();
  private readonly dates: string[] = [];
  private readonly mismatches: string[] = [];
  private readonly counts = { postings: 0, repeats: 0, closings: 0, proofs: 0, stragglers: 0 };

  constructor(
    private readonly options: DayReplayOptions,
    private readonly survey: BankSurvey,
    private readonly days: number,
  ) {
    // Not the accounts and branches of a replay of the same file without days.
    this.namespace = `${basename(options.file).replace(/(\.csv)?(\.gz)?$/, '')}-days`;
    for (const { branchId } of survey.accounts.values()) this.branches.set(branchId, { posted: Promise.resolve(), ended: Promise.resolve() });
    this.outages = options.chaos && new DayOutages(options.chaos, days);
    this.couriers = new DayCouriers({
      client: options.client,
      branchIds: [...this.branches.keys()],
      branchOf: (branchId) => this.branchOf(branchId),
      ask: (what, call) => this.log.ask(what, call, 'throughCut'),
      deadlineMs: CALL.deadlineMs,
    });
  }

  /** Opens the accounts, then gives the branches their first date. */
  async prepare(firstDate: string): Promise<void> {
    const { client, observer } = this.options;
    observer.step('opening accounts', undefined);
    await this.openAccounts();
    await this.couriers.open();
    for (const productId of [BANK_PRODUCT, COURIER_PRODUCT])
      await this.log.ask(`product ${productId}`, () => client.products.create({ productId }, `create-${productId}`, CALL));
    observer.stepDone();
    observer.step('registering branches', undefined);
    const registrations = [...this.branches.keys()].map((branchId) => {
      const branch = { requestId: 'register', branchId: this.branchOf(branchId), settings: { timeZone: TIME_ZONE }, onlineDate: firstDate };
      return this.log.ask(`registration of branch ${branchId}`, () => client.businessDays.register(branch, CALL));
    });
    await Promise.all(registrations);
    observer.stepDone();
  }

  async run(days: AsyncIterable<BankDay>): Promise<void> {
    const { observer } = this.options;
    observer.step('replaying days', this.days);
    let online: BankDay | undefined;
    for await (const day of days) {
      if (online === undefined) for (const branch of day.branches) this.post(day.date, branch);
      else await this.close(online, day);
      if (this.dates.length === this.days) break;
      online = day;
    }
    if (this.dates.length < this.days && online !== undefined) await this.close(online, undefined);
    await Promise.all([...this.branches.values()].flatMap(({ posted, ended }) => [posted, ended]));
    await this.comparisons.allLeft();
    await this.outages?.over();
    observer.stepDone();
    observer.step('comparing transfers', undefined);
    this.mismatches.push(...(await this.couriers.differences(this.dates)));
    observer.stepDone();
  }

  report(): DayReplayReport {
    const { log, mismatches } = this;
    return {
      days: this.dates.length,
      branches: this.branches.size,
      accounts: this.survey.accounts.size,
      transfers: this.couriers.transfers,
      ...this.counts,
      refused: log.refusals.length,
      again: log.again,
      longestMs: log.longestMs,
      kills: this.outages?.kills ?? {},
      mismatches: [...log.refusals, ...mismatches],
    };
  }

  // ---- a day ----

  /** Cuts the day in every branch. What is posted of the next one, and the ends of day, are on their way when it resolves. */
  private async close(day: BankDay, next: BankDay | undefined): Promise<void> {
    const at = this.dates.length;
    this.dates.push(day.date);
    const isLast = this.dates.length === this.days;
    await Promise.all(
      day.branches.map(async (branch, number) => {
        await this.cut(branch, day.date, at);
        const following = isLast ? undefined : next?.branches[number];
        if (next !== undefined && following !== undefined) this.post(next.date, following);
        const underWay = this.underWay(branch.branchId);
        underWay.ended = watched(this.endDay(branch, day.date, at, (at + number) % 2 === 0));
        await this.couriers.back(branch.branchId, day.date);
      }),
    );
    this.options.observer.progress(this.dates.length);
  }

  private async cut({ branchId }: BranchOfDay, date: string, at: number): Promise<void> {
    const { posted, ended } = this.underWay(branchId);
    await Promise.all([posted, ended]);
    const there = watched(this.couriers.there(branchId, date));
    const request = { date, requestId: `cut-${date}` };
    const cut = await this.log.ask(`cut of ${date} in branch ${branchId}`, () => this.options.client.businessDays.cut(this.branchOf(branchId), request, CALL));
    if (cut !== undefined && cut.day.onlineDate !== dayAfter(date))
      this.mismatches.push(`${date}, branch ${branchId}: the online date behind the cut is ${cut.day.onlineDate}`);
    this.outages?.seen(at, date, 'CUT');
    await there;
  }

  /** In one command, or step by step. */
  private async endDay(branch: BranchOfDay, date: string, at: number, isAtOnce: boolean): Promise<void> {
    const { businessDays } = this.options.client;
    const { branchId } = branch;
    const name = this.branchOf(branchId);
    const what = `end of day of ${date} in branch ${branchId}`;
    if (isAtOnce) {
      await this.log.ask(what, () => businessDays.end(name, { untilDate: date, requestId: `end-${date}` }, CALL));
    } else {
      await this.log.ask(what, () => businessDays.run(name, { date, requestId: `run-${date}` }, CALL));
      await this.untilRun(branchId, date, at, ({ state, goal }) => state === 'ENDED' || (state === 'WAITING' && goal === 'BATCH'));
      await this.log.ask(what, () => businessDays.begin(name, { date, requestId: `begin-${date}` }, CALL));
    }
    const run = await this.untilRun(branchId, date, at, ({ state }) => state === 'ENDED');
    this.counts.stragglers += run.stragglers;
    if (run.setAsideCount > 0)
      this.mismatches.push(`${date}, branch ${branchId}: ${run.setAsideCount} accounts were set aside, the first: ${run.setAside[0]?.reason}`);
    await this.comparisons.enter();
    this.comparisons.leaveWhen(this.compare(branch, date), () => undefined);
  }

  /** Resolves with the run when it stands so; looks again while the server, or the run in the read store, is away. */
  private async untilRun(branchId: string, date: string, at: number, isThere: (run: BatchRun) => boolean): Promise<BatchRun> {
    const runId = `${this.branchOf(branchId)}/${date}`;
    for (const untilMs = Date.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
      try {
        for await (const run of this.options.client.businessDays.watchRun(runId, { positionTokens: [] })) {
          for (const step of begunSteps(run)) this.outages?.seen(at, date, step);
          if (isThere(run)) return run;
        }
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      if (Date.now() > untilMs) throw new Error(`the end of day of ${date} in branch ${branchId} does not go on`);
    }
  }

  // ---- postings ----

  private post(date: string, branch: BranchOfDay): void {
    this.underWay(branch.branchId).posted = watched(this.postAll(date, branch));
  }

  /** The transactions of an account in their order. */
  private async postAll(date: string, { branchId, transactions }: BranchOfDay): Promise<void> {
    let left = transactions.filter(({ amountMinor }) => amountMinor !== 0n);
    while (left.length > 0) {
      const sent = left.slice(0, ROWS_PER_BATCH);
      const postings = sent.map((transaction) => this.postingOf(transaction));
      const what = `postings of ${date} in branch ${branchId}`;
      const outcomes = await this.log.ask(what, () => this.options.client.accounts.postBatch(postings, CALL));
      const unanswered = sent.filter((transaction, at) => {
        const outcome = outcomes?.[at];
        if (outcome?.error !== undefined) {
          if (isAway(outcome.error)) return true;
          this.log.refused(describeTransaction(transaction), outcome.error);
        } else if (outcome?.result.repeated === true) this.counts.repeats += 1;
        return false;
      });
      this.counts.postings += sent.length - unanswered.length;
      if (unanswered.length > 0) {
        this.log.countAgain();
        await pause(LOOK_MS);
      }
      left = [...unanswered, ...left.slice(sent.length)];
    }
  }

  private postingOf({ accountId, transactionId, amountMinor, kind }: BankTransaction): PostingInput {
    return {
      requestId: `transaction-${transactionId}`,
      accountId: this.idOf(accountId),
      unit: UNIT,
      channel: CHANNEL,
      metadata: { kind },
      ...movementOf(amountMinor),
    };
  }

  // ---- comparing ----

  private async compare(branch: BranchOfDay, date: string): Promise<void> {
    const { businessDays } = this.options.client;
    const name = this.branchOf(branch.branchId);
    const closings = closingsOf(
      await this.untilRead(async () => (await gathered(businessDays.exportReport(name, date, { positionTokens: [], format: 'JSON_LINES' }))).join('')),
    );
    const trialBalance = await this.untilRead(() => businessDays.trialBalance(name, date, READ));
    const proof = await this.untilRead(() => businessDays.verify(name, date, CALL));
    this.couriers.closedWith(branch.branchId, date, closings);
    const differences = [
      ...closingDifferences(branch, closings, (accountId) => this.idOf(accountId)),
      ...trialBalanceDifferences(branch, trialBalance),
      ...proofDifferences(proof, closings),
    ];
    this.counts.closings += branch.closings.size;
    if (proof.failureCount === 0) this.counts.proofs += 1;
    this.mismatches.push(...differences.map((text) => `${date}, branch ${branch.branchId}: ${text}`));
  }

  private async untilRead<Answer>(read: () => Promise<Answer>): Promise<Answer> {
    for (const untilMs = Date.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
      try {
        return await read();
      } catch (error) {
        if (!isPassing(error) || Date.now() > untilMs) throw error;
      }
    }
  }

  // ---- accounts ----

  private async openAccounts(): Promise<void> {
    const accounts = [...this.survey.accounts.values()];
    for (let start = 0; start < accounts.length; start += ACCOUNTS_PER_CALL) await this.open(accounts.slice(start, start + ACCOUNTS_PER_CALL));
  }

  private async open(accounts: readonly SurveyedAccount[]): Promise<void> {
    const { client } = this.options;
    const openings = accounts.map(({ accountId, branchId, overdraftMinor }) => ({
      requestId: `open-${overdraftMinor}`,
      accountId: this.idOf(accountId),
      unit: UNIT,
      branchId: this.branchOf(branchId),
      product: BANK_PRODUCT,
      limits: { overdraftMinor },
    }));
    const outcomes = await client.accounts.openMany(openings, CALL);
    for (const { error } of outcomes) if (error !== undefined) throw error;
    const before = accounts.filter(({ openingMinor }) => openingMinor !== 0n);
    const postings = before.map(({ accountId, openingMinor }) =>
      this.log.ask(`opening of account ${accountId}`, () =>
        client.accounts.post(
          { requestId: 'opening-balance', accountId: this.idOf(accountId), unit: UNIT, channel: CHANNEL, ...movementOf(openingMinor) },
          CALL,
        ),
      ),
    );
    await Promise.all(postings);
  }

  private underWay(branchId: string): BranchUnderWay {
    return this.branches.get(branchId) as BranchUnderWay;
  }

  private idOf(accountId: string): string {
    return `${this.namespace}/${accountId}`;
  }

  private branchOf(branchId: string): string {
    return `${this.namespace}/branch-${branchId}`;
  }
}

/** Its failure is thrown where it is waited for. */
function watched<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined);
  return work;
}

function begunSteps({ steps, state }: BatchRun): KnownStep[] {
  const begun: KnownStep[] = [];
  for (const { kind, job, begunAt } of steps) {
    if (begunAt === undefined) continue;
    if (kind === 'ROLL') begun.push('ROLL');
    if (job === 'INTEREST') begun.push('INTEREST');
    if (kind === 'BEGIN') begun.push('BEGIN');
  }
  return state === 'ENDED' ? [...begun, 'BEGIN'] : begun;
}

function isPassing(error: unknown): boolean {
  return error instanceof SluiceError && (isAway(error) || NOT_THERE_YET.has(error.reason));
}

async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
