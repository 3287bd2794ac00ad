/** BusinessDayQueryService: branches, runs and reports, from the read store alone. */
import { branchOfRunId, runIdOf } from '@sluice/domain/businessday';
import { type CalendarDate, textOfDate } from '@sluice/domain/day';
import type { Clock, ReadCopy, Row } from '@sluice/ports';
import {
  BATCH_RUNS,
  batchRunMessage,
  BRANCHES,
  businessDayMessage,
  type DayTotalsState,
  readDayTotals,
  readOpeningBalances,
} from '@sluice/projections/businessday';
import { businessdaypb } from '@sluice/protocol/businessday';
import { type CallContext, invalidRequest, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { type Freshness, mergedToken } from '../freshness';
import { GatheredReads } from '../gathered-reads';
import { checkedDate, checkKey } from '../request-shape';
import type { SharedWatches } from '../shared-watches';
import { listRows } from './business-day-listing';
import { exportClosingBalances } from './closing-balance-export';
import { lineFormatOf } from './closing-balance-lines';
import { dayReportOf, trialBalanceOf } from './trial-balance';

export interface BusinessDayQueries {
  readonly freshness: Freshness;
  readonly clock: Clock;
  /** Rows of runs: how fast a step is depends on when it is shown. */
  readonly runs: SharedWatches<Row>;
}

const DATE_LENGTH = 'YYYY-MM-DD'.length;
const RUN_ENDED = 'ENDED';

export function businessDayQueryService(queries: BusinessDayQueries): ServiceRegistration {
  const implementation: businessdaypb.BusinessDayQueryServiceServer = { ...branchMethods(queries), ...runMethods(queries), ...reportMethods(queries) };
  return {
    name: 'sluice.businessday.v1.BusinessDayQueryService',
    definition: businessdaypb.BusinessDayQueryServiceService,
    implementation: { ...implementation },
  };
}

type Methods<Name extends keyof businessdaypb.BusinessDayQueryServiceServer> = Pick<businessdaypb.BusinessDayQueryServiceServer, Name>;

function branchMethods({ freshness }: BusinessDayQueries): Methods<'getBusinessDay' | 'listBranches'> {
  return {
    getBusinessDay: unary<businessdaypb.GetBusinessDayRequest, businessdaypb.GetBusinessDayResponse>(async (request, call) => {
      checkKey('branch_id', request.branchId);
      const row = await foundBranch(await freshness.copyFor(request, call), request.branchId);
      return { day: businessDayMessage(row), positionToken: mergedToken(request) };
    }),

    listBranches: unary<businessdaypb.ListBranchesRequest, businessdaypb.ListBranchesResponse>(async (request, call) => {
      const { rows, nextPageToken } = await listRows(() => freshness.copyFor(request, call), BRANCHES, {}, ['branches'], request);
      return { days: rows.map(businessDayMessage), nextPageToken, positionToken: mergedToken(request) };
    }),
  };
}

function runMethods({ freshness, clock, runs }: BusinessDayQueries): Methods<'listBatchRuns' | 'getBatchRun' | 'watchBatchRun'> {
  // Many calls may begin to watch one run at once.
  const gathered = new GatheredReads<ReadCopy, Row | undefined>((copy, runId) => copy.get(BATCH_RUNS.name, runId));
  return {
    listBatchRuns: unary<businessdaypb.ListBatchRunsRequest, businessdaypb.ListBatchRunsResponse>(async (request, call) => {
      const { branchId } = request;
      checkKey('branch_id', branchId);
      const query = { index: 'by_branch', equals: { branch_id: branchId }, direction: 'descending' } as const;
      const { rows, nextPageToken } = await listRows(() => freshness.copyFor(request, call), BATCH_RUNS, query, ['runs', branchId], request);
      return { runs: rows.map((row) => batchRunMessage(row, clock.nowUs())), nextPageToken, positionToken: mergedToken(request) };
    }),

    getBatchRun: unary<businessdaypb.GetBatchRunRequest, businessdaypb.GetBatchRunResponse>(async (request, call) => {
      const { runId } = request;
      checkRunId(runId);
      const row = foundRun(await (await freshness.copyFor(request, call)).get(BATCH_RUNS.name, runId), runId);
      return { run: batchRunMessage(row, clock.nowUs()), positionToken: mergedToken(request) };
    }),

    watchBatchRun: serverStream<businessdaypb.WatchBatchRunRequest, businessdaypb.WatchBatchRunResponse>(async function* (request, call) {
      const { runId } = request;
      checkRunId(runId);
      const now = foundRun(await gathered.now(await freshness.copyFor(request, call), runId), runId);
      yield { run: batchRunMessage(now, clock.nowUs()) };
      if (now.state === RUN_ENDED) return;
      for await (const { state: row } of runs.watch(runId, now.sequence as number, call.signal)) {
        yield { run: batchRunMessage(row, clock.nowUs()) };
        if (row.state === RUN_ENDED) return;
      }
    }),
  };
}

/** What a request asks of a date. */
interface OfDate {
  readonly branchId: string;
  readonly date: string;
  readonly positionTokens: readonly string[];
}

function reportMethods({ freshness, clock }: BusinessDayQueries): Methods<'getTrialBalance' | 'getDayReport' | 'exportDayReport'> {
  const asked = async (request: OfDate, call: CallContext) => {
    checkKey('branch_id', request.branchId);
    const date = checkedDate('date', request.date);
    const copy = await freshness.copyFor(request, call);
    return { copy, date, branch: await foundBranch(copy, request.branchId) };
  };
  return {
    getTrialBalance: unary<businessdaypb.GetTrialBalanceRequest, businessdaypb.GetTrialBalanceResponse>(async (request, call) => {
      const { copy, date, branch } = await asked(request, call);
      const totals = await closedTotals(copy, request.branchId, date);
      return { trialBalance: await trialBalance(copy, branch, totals), positionToken: mergedToken(request) };
    }),

    getDayReport: unary<businessdaypb.GetDayReportRequest, businessdaypb.GetDayReportResponse>(async (request, call) => {
      const { copy, date, branch } = await asked(request, call);
      const totals = await closedTotals(copy, request.branchId, date);
      const runId = runIdOf(request.branchId, date);
      const run = batchRunMessage(foundRun(await copy.get(BATCH_RUNS.name, runId), runId), clock.nowUs());
      return { report: dayReportOf(run, totals, await trialBalance(copy, branch, totals)), positionToken: mergedToken(request) };
    }),

    exportDayReport: serverStream<businessdaypb.ExportDayReportRequest, businessdaypb.ExportDayReportResponse>(async function* (request, call) {
      const format = lineFormatOf(request.format);
      if (format === undefined) throw invalidRequest('format', `${request.format} is not a format`);
      const { copy, date } = await asked(request, call);
      const { branchId } = request;
      const totals = await readDayTotals(copy, branchId, date);
      if (totals === undefined) await assertEnded(copy, branchId, date);
      const pause = freshness.pauseBetweenReads(copy, call);
      for await (const lines of exportClosingBalances(copy, { branchId, date, totals }, format, pause)) yield { lines };
    }),
  };
}

async function trialBalance(copy: ReadCopy, branch: Row, totals: DayTotalsState): Promise<businessdaypb.TrialBalance> {
  const { lineNames = {} } = businessDayMessage(branch).settings ?? {};
  return trialBalanceOf(totals, await readOpeningBalances(copy, totals), lineNames);
}

async function closedTotals(copy: ReadCopy, branchId: string, date: CalendarDate): Promise<DayTotalsState> {
  const totals = await readDayTotals(copy, branchId, date);
  if (totals === undefined) throw notClosed(branchId, date, 'its accounting job has not ended');
  return totals;
}

/** A run without an accounting job has closed its date when it has ended. */
async function assertEnded(copy: ReadCopy, branchId: string, date: CalendarDate): Promise<void> {
  const run = await copy.get(BATCH_RUNS.name, runIdOf(branchId, date));
  if (run?.state !== RUN_ENDED) throw notClosed(branchId, date, 'its end of day has not ended');
}

function notClosed(branchId: string, date: CalendarDate, why: string): Error {
  const text = textOfDate(date);
  return refusal('DATE_NOT_CLOSED', `${text} of branch "${branchId}" is not closed: ${why}`, { branch_id: branchId, date: text });
}

async function foundBranch(copy: ReadCopy, branchId: string): Promise<Row> {
  const row = await copy.get(BRANCHES.name, branchId);
  if (row === undefined) throw refusal('BRANCH_NOT_FOUND', `branch "${branchId}" is not registered`, { branch_id: branchId });
  return row;
}

function foundRun(row: Row | undefined, runId: string): Row {
  if (row === undefined) throw refusal('BATCH_RUN_NOT_FOUND', `there is no run "${runId}"`, { run_id: runId });
  return row;
}

function checkRunId(runId: string): void {
  if (branchOfRunId(runId) === undefined) throw invalidRequest('run_id', 'is a branch, a slash and a date as YYYY-MM-DD');
  checkKey('run_id', runId.slice(0, -DATE_LENGTH - 1));
}
