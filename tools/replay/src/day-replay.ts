/**
 * Replays a bank's file as business days of its branches, and holds every closing balance against the file.
 *
 *   postings of T ─▶ cut ─┬─▶ postings of T+1 ─▶ cut …
 *                         └─▶ end of day of T ─▶ closing balances, trial balance and day proof of T compared
 *
 * Every branch goes through its days by itself; a day is cut anywhere only when the day before is cut everywhere. Postings say nothing of their date: the server dates them. Ids follow from
 * the file alone, so that a second run gets the first answers again.
 */
import type { BatchRun, SluiceClient } from '@sluice/client';
import { AnswerLog } from './answer-log';
import { bankDays, dayAfter, type BankDay, type BranchOfDay } from './bank-day';
import { readBankFile } from './bank-file';
import type { ReplayObserver } from './bank-replay';
import { surveyBank, type BankSurvey } from './bank-survey';
import type { BankTransaction } from './bank-transaction';
import { DayAudit, type DayOfBranch } from './day-audit';
import { CALL, isPassing, LOOK_MS } from './day-call';
import { BANK_PRODUCT } from './day-comparison';
import { COURIER_PRODUCT, DayCouriers } from './day-couriers';
import { DayBoard } from './day-board';
import { DayNames } from './day-names';
import { DayOutages, type KnownStep } from './day-outages';
import { DayPostings } from './day-postings';
import { pause, type KillableService } from './task-outages';

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
  /** Closing balances, and entries by their dates, that were compared. */
  readonly closings: number;
  readonly entries: number;
  /** Ends of day that the server was asked to prove from its log, and whose proof holds. */
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

const TIME_ZONE = 'Europe/Prague';
const MS_PER_DAY = 86_400_000;

export async function replayDays(options: DayReplayOptions): Promise<DayReplayReport> {
  const { file, limit, observer } = options;
  observer.step('reading', undefined);
  const dates = { first: '', last: '' };
  const survey = await surveyBank(file, datedBy(readBankFile(file), dates));
  observer.stepDone();
  const days = Math.min(limit, Math.round((Date.parse(dates.last) - Date.parse(dates.first)) / MS_PER_DAY) + 1);
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
  private readonly names: DayNames;
  private readonly log = new AnswerLog();
  private readonly postings: DayPostings;
  private readonly couriers: DayCouriers;
  private readonly audit: DayAudit;
  private readonly board: DayBoard;
  private readonly outages: DayOutages | undefined;
  private readonly branches = new Map<string, BranchUnderWay>();
  private readonly dates: string[] = [];
  private watching: Promise<void> = Promise.resolve();
  private readonly mismatches: string[] = [];

  constructor(
    private readonly options: DayReplayOptions,
    private readonly survey: BankSurvey,
    private readonly days: number,
  ) {
    const { client, file, chaos, observer } = options;
    this.names = new DayNames(file);
    for (const { branchId } of survey.accounts.values()) this.branches.set(branchId, { posted: Promise.resolve(), ended: Promise.resolve() });
    this.board = new DayBoard(client);
    this.outages = chaos && new DayOutages(chaos, days);
    this.postings = new DayPostings(client, this.names, this.log);
    this.couriers = new DayCouriers({
      client,
      branchIds: [...this.branches.keys()],
      branchOf: this.names.branch,
      ask: (what, call) => this.log.ask(what, call, 'throughCut'),
      deadlineMs: CALL.deadlineMs,
    });
    this.audit = new DayAudit({ client, names: this.names, couriers: this.couriers, observer, days, branches: this.branches.size });
  }

  /** Opens the accounts, then gives the branches their first date. */
  async prepare(firstDate: string): Promise<void> {
    const { client, observer } = this.options;
    observer.step('opening accounts', undefined);
    await this.postings.openAccounts([...this.survey.accounts.values()]);
    await this.couriers.open();
    for (const productId of [BANK_PRODUCT, COURIER_PRODUCT])
      await this.log.ask(`product ${productId}`, () => client.products.create({ productId }, `create-${productId}`, CALL));
    observer.stepDone();
    observer.step('registering branches', undefined);
    const registrations = [...this.branches.keys()].map((branchId) => {
      const branch = { requestId: 'register', branchId: this.names.branch(branchId), settings: { timeZone: TIME_ZONE }, onlineDate: firstDate };
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
    await this.audit.ended();
    await this.watching;
    await this.outages?.over();
    observer.stepDone();
    await this.audit.compareRuns([...this.branches.keys()], this.dates);
    await this.audit.compareEntries([...this.survey.accounts.keys()], this.dates.at(-1) ?? '');
    observer.step('comparing transfers', undefined);
    this.mismatches.push(...(await this.couriers.differences(this.dates)));
    observer.stepDone();
  }

  report(): DayReplayReport {
    const { log, mismatches, audit } = this;
    return {
      days: this.dates.length,
      branches: this.branches.size,
      accounts: this.survey.accounts.size,
      transfers: this.couriers.transfers,
      ...this.postings.counts,
      ...audit.counts,
      refused: log.refusals.length,
      again: log.again,
      longestMs: log.longestMs,
      kills: this.outages?.kills ?? {},
      mismatches: [...log.refusals, ...mismatches, ...audit.mismatches],
    };
  }

  // ---- a day ----

  /** Cuts the day in every branch. What is posted of the next one, and the ends of day, are on their way when it resolves. */
  private async close(day: BankDay, next: BankDay | undefined): Promise<void> {
    const at = this.dates.length;
    this.dates.push(day.date);
    const isLast = this.dates.length === this.days;
    const [first] = this.branches.keys();
    const watching = watched(this.watchSteps(first as string, day.date, at));
    await Promise.all(
      day.branches.map(async (branch, number) => {
        await this.cut(branch, day.date, at);
        const following = isLast ? undefined : next?.branches[number];
        if (next !== undefined && following !== undefined) this.post(next.date, following);
        const underWay = this.underWay(branch.branchId);
        underWay.ended = watched(this.endDay(branch, { date: day.date, at, number }));
        await this.couriers.back(branch.branchId, day.date);
      }),
    );
    this.watching = watching;
    this.options.observer.progress(this.dates.length);
  }

  private async cut({ branchId }: BranchOfDay, date: string, at: number): Promise<void> {
    const { posted, ended } = this.underWay(branchId);
    await Promise.all([posted, ended]);
    const there = watched(this.couriers.there(branchId, date));
    const request = { date, requestId: `cut-${date}` };
    const cut = await this.log.ask(`cut of ${date} in branch ${branchId}`, () =>
      this.options.client.businessDays.cut(this.names.branch(branchId), request, CALL),
    );
    // A repeat is answered with the dates of its own time.
    if (cut !== undefined && (cut.repeated ? cut.day.onlineDate <= date : cut.day.onlineDate !== dayAfter(date)))
      this.mismatches.push(`${date}, branch ${branchId}: the online date behind the cut is ${cut.day.onlineDate}`);
    this.outages?.seen(at, date, 'CUT');
    await there;
  }

  /** In one command, or step by step. */
  private async endDay(branch: BranchOfDay, { date, at, number }: DayOfBranch): Promise<void> {
    const { businessDays } = this.options.client;
    const { branchId } = branch;
    const name = this.names.branch(branchId);
    const what = `end of day of ${date} in branch ${branchId}`;
    if ((at + number) % 2 === 0) {
      await this.log.ask(what, () => businessDays.end(name, { untilDate: date, requestId: `end-${date}` }, CALL));
    } else {
      const run = await this.log.ask(what, () => businessDays.run(name, { date, requestId: `run-${date}` }, CALL));
      const version = run?.day.version ?? 0n;
      await this.board.until(name, (day) => day.version >= version && (day.runState === 'WAITING' || day.batchDate > date));
      await this.log.ask(what, () => businessDays.begin(name, { date, requestId: `begin-${date}` }, CALL));
    }
    await this.board.until(name, ({ batchDate }) => batchDate > date);
    this.outages?.seen(at, date, 'BEGIN');
    await this.audit.begin(branch, { date, at, number });
  }

  /** Tells the outages of the steps of one branch; the others are at about the same. */
  private async watchSteps(branchId: string, date: string, at: number): Promise<void> {
    for (let isOver = this.outages?.isOver(at, date) ?? true; !isOver; await pause(LOOK_MS)) {
      try {
        for await (const run of this.options.client.businessDays.watchRun(this.names.run(branchId, date), { positionTokens: [] }))
          for (const step of begunSteps(run)) this.outages?.seen(at, date, step);
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        isOver = this.outages?.isOver(at, date) ?? true;
      }
    }
  }

  private post(date: string, branch: BranchOfDay): void {
    this.underWay(branch.branchId).posted = watched(this.postings.post(date, branch));
  }

  private underWay(branchId: string): BranchUnderWay {
    return this.branches.get(branchId) as BranchUnderWay;
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
