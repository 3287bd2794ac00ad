/** Everything that can be done with the business days of branches. */
import { randomUUID } from 'node:crypto';
import type { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { callCommand } from '../command-call';
import type { PositionTracker } from '../position-tracker';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads, type WatchOptions } from '../reads';
import type { BatchRun } from './batch-run';
import { runFromWire } from './batch-run-wire';
import type { BeginRequest, BranchChanged, BranchInput, BranchSettingsInput, BusinessDay, DatesRequest, DayRequest, EndOfDayRequest } from './business-day';
import { changedFromWire, dayFromWire, settingsToWire } from './business-day-wire';
import type { DayProof, DayReport, ExportFormat, TrialBalance } from './day-report';
import { proofFromWire, reportFromWire, trialBalanceFromWire } from './day-report-wire';

/** @internal */
export interface BusinessDaysClientOptions {
  readonly caller: Caller;
  readonly commands: businessdaypb.BusinessDayCommandServiceClient;
  readonly queries: businessdaypb.BusinessDayQueryServiceClient;
  readonly log: logpb.LogServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
}

export class BusinessDaysClient {
  readonly #options: BusinessDaysClientOptions;

  /** @internal Made by SluiceClient. */
  constructor(options: BusinessDaysClientOptions) {
    this.#options = options;
  }

  /** Gives a branch its dates: from the answer on its postings are dated. */
  async register({ branchId, settings, onlineDate = '', requestId = randomUUID() }: BranchInput, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.registerBranch.bind(commands), { requestId, branchId, settings: settingsToWire(settings), onlineDate }, options);
  }

  /** Sets all settings anew. They hold from the next end of day on; the cut time from the next date on. */
  async update(branchId: string, settings: BranchSettingsInput, requestId: string = randomUUID(), options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.updateBranch.bind(commands), { requestId, branchId, settings: settingsToWire(settings) }, options);
  }

  /** Begins the end of day of the online date. Resolves when every partition has cut it: what is initiated from then on has the next date. */
  async cut(branchId: string, request: DayRequest = {}, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.cutDay.bind(commands), dayRequestToWire(branchId, request), options);
  }

  /** Lets the run of a date that is cut go on through its jobs. Resolves when that is recorded; `watchRun` tells the rest. */
  async run(branchId: string, request: DayRequest = {}, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.runBatch.bind(commands), dayRequestToWire(branchId, request), options);
  }

  /** Moves the batch date, when the batch of the date is whole. */
  async begin(branchId: string, { forcedReason, ...request }: BeginRequest = {}, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    const forced = { force: forcedReason !== undefined, reason: forcedReason ?? '' };
    return this.#changed(commands.beginDay.bind(commands), { ...dayRequestToWire(branchId, request), ...forced }, options);
  }

  /** The whole chain, for one date or for all up to one. Resolves when it has begun; `watchRun` tells the rest. */
  async end(branchId: string, { untilDate = '', requestId = randomUUID() }: EndOfDayRequest = {}, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.runEndOfDay.bind(commands), { requestId, branchId, untilDate }, options);
  }

  /** Sets both dates by hand. */
  async setDates(branchId: string, { date, reason, requestId = randomUUID() }: DatesRequest, options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.setDates.bind(commands), { requestId, branchId, date, reason }, options);
  }

  /** Lets the run under way stand still behind the step that is being done. */
  async pause(branchId: string, requestId: string = randomUUID(), options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.pauseBatch.bind(commands), { requestId, branchId }, options);
  }

  /** Lets it go on. */
  async resume(branchId: string, requestId: string = randomUUID(), options?: CallOptions): Promise<BranchChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.resumeBatch.bind(commands), { requestId, branchId }, options);
  }

  // Reads.

  async get(branchId: string, options?: ReadOptions): Promise<BusinessDay> {
    const { queries, reads } = this.#options;
    const request = { branchId, positionTokens: reads.coveringAll(options) };
    return dayFromWire((await reads.read(queries.getBusinessDay.bind(queries), request, options)).day);
  }

  async branchesPage(options: PageOptions = {}): Promise<Page<BusinessDay>> {
    const { queries, reads } = this.#options;
    const request = { pageSize: options.pageSize ?? 0, pageToken: options.pageToken ?? '', positionTokens: reads.coveringAll(options) };
    const { days, nextPageToken } = await reads.read(queries.listBranches.bind(queries), request, options);
    return { items: days.map(dayFromWire), nextPageToken };
  }

  /** Branches in the order of their ids, page after page as they are asked for. */
  branches(options: PageOptions = {}): AsyncGenerator<BusinessDay, void, undefined> {
    return iteratePages((page) => this.branchesPage(page), options);
  }

  async runsPage(branchId: string, options: PageOptions = {}): Promise<Page<BatchRun>> {
    const { queries, reads } = this.#options;
    const request = { branchId, pageSize: options.pageSize ?? 0, pageToken: options.pageToken ?? '', positionTokens: reads.coveringAll(options) };
    const { runs, nextPageToken } = await reads.read(queries.listBatchRuns.bind(queries), request, options);
    return { items: runs.map(runFromWire), nextPageToken };
  }

  /** Runs of a branch, the newest date first, page after page as they are asked for. */
  runs(branchId: string, options: PageOptions = {}): AsyncGenerator<BatchRun, void, undefined> {
    return iteratePages((page) => this.runsPage(branchId, page), options);
  }

  /** @param runId the branch, a slash and the date. */
  async getRun(runId: string, options?: ReadOptions): Promise<BatchRun> {
    const { queries, reads } = this.#options;
    const request = { runId, positionTokens: reads.coveringAll(options) };
    return runFromWire((await reads.read(queries.getBatchRun.bind(queries), request, options)).run);
  }

  /** The run as it is now, then again after changes, until it has ended. */
  async *watchRun(runId: string, options?: WatchOptions): AsyncGenerator<BatchRun, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { runId, positionTokens: reads.coveringAll(options) };
    for await (const { run } of caller.stream((metadata) => queries.watchBatchRun(request, metadata), options)) yield runFromWire(run);
  }

  /** Balances by product and postings by contra line at the end of a date that is closed. */
  async trialBalance(branchId: string, date: string, options?: ReadOptions): Promise<TrialBalance> {
    const { queries, reads } = this.#options;
    const request = { branchId, date, positionTokens: reads.coveringAll(options) };
    return trialBalanceFromWire((await reads.read(queries.getTrialBalance.bind(queries), request, options)).trialBalance);
  }

  async report(branchId: string, date: string, options?: ReadOptions): Promise<DayReport> {
    const { queries, reads } = this.#options;
    const request = { branchId, date, positionTokens: reads.coveringAll(options) };
    return reportFromWire((await reads.read(queries.getDayReport.bind(queries), request, options)).report);
  }

  /** Closing balances of a date, account by account: pieces of text, each of whole lines. */
  async *exportReport(
    branchId: string,
    date: string,
    { format = 'CSV', ...options }: WatchOptions & { readonly format?: ExportFormat } = {},
  ): AsyncGenerator<string, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { branchId, date, format: businessdaypb.ExportFormat[`EXPORT_FORMAT_${format}`], positionTokens: reads.coveringAll(options) };
    for await (const { lines } of caller.stream((metadata) => queries.exportDayReport(request, metadata), options)) yield lines.toString('utf8');
  }

  /** Proves a date, account by account, from the log. Reads the log: the larger it is, the more time `deadlineMs` must give. */
  async verify(branchId: string, date: string, options?: CallOptions): Promise<DayProof> {
    const { caller, log } = this.#options;
    return proofFromWire(await caller.unary(log.verifyDay.bind(log), { branchId, date }, options));
  }

  async #changed<Request extends { readonly requestId: string }>(
    method: UnaryMethod<Request, businessdaypb.CutDayResponse>,
    request: Request,
    options: CallOptions | undefined,
  ): Promise<BranchChanged> {
    return changedFromWire(request.requestId, await callCommand(this.#options, method, request, options));
  }
}

function dayRequestToWire(branchId: string, { date = '', requestId = randomUUID() }: DayRequest): businessdaypb.CutDayRequest {
  return { requestId, branchId, date };
}
