/** Reads, watches and exports of business days over gRPC, on a store in memory and on SQLite: what they say, how new it is, and what they refuse. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MemoryReadStore } from '@sluice/memory';
import type { ReadStore, Row } from '@sluice/ports';
import { PartitionFold, PROJECTIONS, READ_COLLECTIONS } from '@sluice/projections';
import { type DecodedCommit, encodePositionToken, type EventRecord, logpb, readCommit, timestampFromUs } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { SqliteReadStore } from '@sluice/store-sqlite';
import { type QueryRuntime, startQuery } from '../query';
import { first, type Unary, unary } from '../test/calls';

const GOLDEN = join(__dirname, '..', '..', '..', '..', 'test', 'e2e', 'golden', '2026-11-business-days-v1.json');
const SECOND_US = 1_000_000;
const T = 9_549; // 1996-02-23, a Friday; the golden log closes it for the accounts of branch 55.
const T_TEXT = '1996-02-23';
const RUN_ID = `55/${T_TEXT}`;
const { Job, RunGoal, RunState, StepKind } = businessdaypb;

const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { incarnation: string; partitions: number; commits: string[][] };
const tokenOf = (...positions: [number, number][]): string => encodePositionToken({ incarnation: golden.incarnation, sequences: new Map(positions) });

const record = businessDayEvents.record.bind(businessDayEvents);
const registered = (branchId: string, settings: Partial<businessdaypb.BranchSettings> = {}): EventRecord =>
  record('BranchRegistered', { branchId, settings: businessdaypb.BranchSettings.fromPartial({ timeZone: 'UTC', ...settings }), date: T, closedDate: T - 1 });
const product = (productId: string): EventRecord => record('ProductSet', { product: businessdaypb.Product.fromPartial({ productId, version: 1n }) });
const STEPS = [
  ...[StepKind.STEP_KIND_CUT, StepKind.STEP_KIND_SEAL, StepKind.STEP_KIND_ROLL].map((kind) => ({ kind, job: Job.JOB_UNSPECIFIED })),
  ...[Job.JOB_MATURITY, Job.JOB_ACCOUNTING].map((job) => ({ kind: StepKind.STEP_KIND_JOB, job })),
  { kind: StepKind.STEP_KIND_BEGIN, job: Job.JOB_UNSPECIFIED },
];
const [MATURITY, ACCOUNTING] = [3, 4];
const begun = (date: number, branchId = '55', steps = STEPS): EventRecord =>
  record('RunBegun', { branchId, date, nextDate: date + 3, goal: RunGoal.RUN_GOAL_BEGIN, untilDate: date, steps: [...steps] });
const stepBegun = (date: number, step: number): EventRecord => record('StepBegun', { branchId: '55', date, step });
const stepEnded = (date: number, step: number): EventRecord => record('StepEnded', { branchId: '55', date, step, stragglers: 0n });
const advanced = (date: number, step: number, partition: number, done: Partial<logpb.DayStepDone>): EventRecord =>
  record('StepAdvanced', businessdaypb.StepAdvanced.fromPartial({ branchId: '55', date, step, partition, done }));
const moved = (date: number): EventRecord => record('BatchDateMoved', { branchId: '55', date, step: 5, batchDate: date + 3, forcedReason: '' });

const balance = (product: string, balanceMinor: string, count: bigint) =>
  logpb.DayTotal.fromPartial({ product, unit: 'EUR', balanceMinor, accruedMicro: '7', count });
const line = (product: string, number: logpb.ContraLine, debitMinor: string, creditMinor: string) =>
  logpb.DayTotal.fromPartial({ product, unit: 'EUR', line: number, debitMinor, creditMinor, count: 2n });
const { CONTRA_LINE_CASH: CASH, CONTRA_LINE_INTEREST: INTEREST } = logpb.ContraLine;

let store: ReadStore;
let query: QueryRuntime;
let server: RunningServer;
let client: businessdaypb.BusinessDayQueryServiceClient;
let products: businessdaypb.ProductQueryServiceClient;
let sequences: number[];

async function apply(commit: DecodedCommit): Promise<void> {
  const fold = new PartitionFold(commit.partition, PROJECTIONS, new Map(), 100);
  fold.take(commit);
  const copy = await store.current();
  const load = async (wanted: ReadonlyMap<string, readonly string[]>, into: Map<string, Map<string, Row>>) => {
    for (const [collection, keys] of wanted) {
      const rows = await copy.getMany(collection, keys);
      const known = into.get(collection) ?? new Map<string, Row>();
      into.set(collection, known);
      rows.forEach((row, at) => row !== undefined && known.set(keys[at] as string, row));
    }
  };
  const loaded = new Map<string, Map<string, Row>>();
  await load(fold.missing(), loaded);
  await load(fold.linked(loaded), loaded);
  await copy.apply(fold.project(loaded, `attempt ${commit.partition} ${commit.sequence}`).batch);
}

/** The projector has one commit more of the partition. */
async function project(partition: number, ...events: EventRecord[]): Promise<void> {
  const sequence = (sequences[partition] as number) + 1;
  sequences[partition] = sequence;
  await apply({ partition, sequence, committedAtUs: sequence * SECOND_US, checksum: new Uint8Array(32), events } as unknown as DecodedCommit);
}

/** The accounts of the golden log, whose date T has ended. */
async function projectAccounts(): Promise<void> {
  for (const text of golden.commits.flat()) {
    const commit = readCommit(Buffer.from(text, 'base64'));
    sequences[commit.partition] = commit.sequence;
    await apply(commit);
  }
}

/** A run of T that has added up; the accounts of the golden log closed it with 290,950. */
async function projectRun(date = T, closing = '290950'): Promise<void> {
  await project(0, begun(date), ...[0, 1, 2].flatMap((step) => [stepBegun(date, step), stepEnded(date, step)]));
  await project(
    0,
    stepBegun(date, MATURITY),
    advanced(date, MATURITY, 0, { accounts: 6n, lookedAt: 6n, changed: 1n, complete: true }),
    stepEnded(date, MATURITY),
  );
  const totals = [balance('savings', closing, 6n), line('savings', CASH, '50', '280950'), line('current', INTEREST, '20', '70')];
  await project(0, stepBegun(date, ACCOUNTING), advanced(date, ACCOUNTING, 0, { accounts: 6n, lookedAt: 6n, complete: true, totals }));
  await project(0, stepEnded(date, ACCOUNTING));
}

describe.each(['memory', 'SQLite'])('business days, read from %s', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-business-day-queries-'));
  let files = 0;

  beforeEach(async () => {
    const identity = { incarnation: golden.incarnation, partitions: golden.partitions };
    files += 1;
    store =
      kind === 'memory'
        ? new MemoryReadStore({ collections: READ_COLLECTIONS, identity })
        : await SqliteReadStore.open({ file: join(folder, `${files}.db`), collections: READ_COLLECTIONS, identity });
    sequences = golden.commits.map(() => 0);
    query = await startQuery({ readStore: store });
    server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
    client = new businessdaypb.BusinessDayQueryServiceClient(server.address, credentials.createInsecure());
    products = new businessdaypb.ProductQueryServiceClient(server.address, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    products.close();
    await server.stop(0);
    await query.stop();
    await store.close();
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const call = <Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> => unary(method.bind(client), request);
  const ofProducts = <Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> => unary(method.bind(products), request);
  const day = (request: Partial<businessdaypb.GetBusinessDayRequest> = {}) =>
    call<businessdaypb.GetBusinessDayRequest, businessdaypb.GetBusinessDayResponse>(client.getBusinessDay, { branchId: '55', positionTokens: [], ...request });
  const page = { pageSize: 0, pageToken: '', positionTokens: [] as string[] };
  const branches = (request: Partial<businessdaypb.ListBranchesRequest> = {}) =>
    call<businessdaypb.ListBranchesRequest, businessdaypb.ListBranchesResponse>(client.listBranches, { ...page, ...request });
  const runs = (request: Partial<businessdaypb.ListBatchRunsRequest> = {}) =>
    call<businessdaypb.ListBatchRunsRequest, businessdaypb.ListBatchRunsResponse>(client.listBatchRuns, { branchId: '55', ...page, ...request });
  const run = (request: Partial<businessdaypb.GetBatchRunRequest> = {}) =>
    call<businessdaypb.GetBatchRunRequest, businessdaypb.GetBatchRunResponse>(client.getBatchRun, { runId: RUN_ID, positionTokens: [], ...request });
  const watch = (request: Partial<businessdaypb.WatchBatchRunRequest> = {}) => client.watchBatchRun({ runId: RUN_ID, positionTokens: [], ...request });
  const ofDate = { branchId: '55', date: T_TEXT, positionTokens: [] as string[] };
  const balanceOf = (request: Partial<businessdaypb.GetTrialBalanceRequest> = {}) =>
    call<businessdaypb.GetTrialBalanceRequest, businessdaypb.GetTrialBalanceResponse>(client.getTrialBalance, { ...ofDate, ...request });
  const report = (request: Partial<businessdaypb.GetDayReportRequest> = {}) =>
    call<businessdaypb.GetDayReportRequest, businessdaypb.GetDayReportResponse>(client.getDayReport, { ...ofDate, ...request });
  const exported = async (request: Partial<businessdaypb.ExportDayReportRequest> = {}): Promise<string> => {
    const pieces: string[] = [];
    const stream = client.exportDayReport({ ...ofDate, format: 0, ...request });
    for await (const { lines } of stream as AsyncIterable<businessdaypb.ExportDayReportResponse>) pieces.push(lines.toString('utf8'));
    return pieces.join('');
  };
  const getProduct = (request: Partial<businessdaypb.GetProductRequest> = {}) =>
    ofProducts<businessdaypb.GetProductRequest, businessdaypb.GetProductResponse>(products.getProduct, { productId: 'p1', positionTokens: [], ...request });
  const listProducts = (request: Partial<businessdaypb.ListProductsRequest> = {}) =>
    ofProducts<businessdaypb.ListProductsRequest, businessdaypb.ListProductsResponse>(products.listProducts, { ...page, ...request });

  async function refused(answer: Promise<unknown>): Promise<string> {
    const error = (await answer.catch((thrown: ServiceError) => thrown)) as ServiceError;
    return `${status[error.code]} ${errorInfoOf(error)?.reason}`;
  }

  const QUERIES: Readonly<Record<string, (positionTokens: string[]) => Promise<{ readonly positionToken?: string }>>> = {
    GetBusinessDay: (positionTokens) => day({ positionTokens }),
    ListBranches: (positionTokens) => branches({ positionTokens }),
    ListBatchRuns: (positionTokens) => runs({ positionTokens }),
    GetBatchRun: (positionTokens) => run({ positionTokens }),
    WatchBatchRun: (positionTokens) => first(watch({ positionTokens })) as Promise<object>,
    GetTrialBalance: (positionTokens) => balanceOf({ positionTokens }),
    GetDayReport: (positionTokens) => report({ positionTokens }),
    ExportDayReport: async (positionTokens) => {
      await exported({ positionTokens });
      return {};
    },
    GetProduct: (positionTokens) => getProduct({ positionTokens }),
    ListProducts: (positionTokens) => listProducts({ positionTokens }),
  };

  test('every query of business days is listed here', () => {
    const services = [businessdaypb.BusinessDayQueryServiceService, businessdaypb.ProductQueryServiceService];
    const methods = services.flatMap((service) => Object.values(service).map(({ path }: { readonly path: string }) => path.split('/').at(-1)));
    expect(Object.keys(QUERIES).sort()).toEqual(methods.sort());
  });

  test.each(Object.entries(QUERIES))('%s waits for every token of its request', async (name, ask) => {
    await projectAccounts();
    await project(0, registered('55'), product('p1'));
    await projectRun();
    let answered = false;
    const [one = 0, other = 0] = sequences;
    const answer = ask([tokenOf([0, one + 1]), tokenOf([1, other + 1])]).finally(() => {
      answered = true;
    });
    await project(0, product('p2'));
    await ask([tokenOf([0, one + 1])]);
    expect(answered).toBe(false);
    await project(1, registered('56'));
    const { positionToken } = await answer;
    if (!['WatchBatchRun', 'ExportDayReport'].includes(name)) expect(positionToken).toBe(tokenOf([0, one + 1], [1, other + 1]));
  });

  test('what is not there, and what has the wrong shape, is refused', async () => {
    await project(0, registered('55'));
    expect(await refused(day({ branchId: 'x' }))).toBe('NOT_FOUND BRANCH_NOT_FOUND');
    expect(await refused(day({ branchId: '' }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refused(run())).toBe('NOT_FOUND BATCH_RUN_NOT_FOUND');
    expect(await refused(first(watch()))).toBe('NOT_FOUND BATCH_RUN_NOT_FOUND');
    for (const runId of ['', '55', '55/1996-02-30', `${'b'.repeat(129)}/1996-02-23`])
      expect(await refused(run({ runId }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    for (const ask of [balanceOf, report, exported]) {
      expect(await refused(ask({ branchId: 'x' }))).toBe('NOT_FOUND BRANCH_NOT_FOUND');
      expect(await refused(ask({ date: '23.2.1996' }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
      expect(await refused(ask())).toBe('FAILED_PRECONDITION DATE_NOT_CLOSED');
    }
    expect(await refused(exported({ format: 9 as businessdaypb.ExportFormat }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
    expect(await refused(getProduct({ productId: 'x' }))).toBe('NOT_FOUND PRODUCT_NOT_FOUND');
    for (const ask of [branches, runs, listProducts]) {
      expect(await refused(ask({ pageSize: 1_001 }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
      expect(await refused(ask({ pageToken: 'x' }))).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID');
    }
  });

  test('a branch is shown with its dates, its settings, its run, and when it is cut by itself', async () => {
    const settings = businessdaypb.BranchSettings.fromPartial({ timeZone: 'Europe/Prague', cutMinutes: 1_080, automatic: true, lineNames: { 1: 'till' } });
    await project(0, registered('55', settings));
    const shown = { branchId: '55', onlineDate: T_TEXT, batchDate: T_TEXT, settings };
    const nextCutAt = timestampFromUs(Date.parse('1996-02-23T17:00:00Z') * 1_000);
    expect((await day()).day).toEqual(businessdaypb.BusinessDay.fromPartial({ ...shown, nextCutAt, version: 1n }));
    await project(0, begun(T), stepBegun(T, 0), record('OnlineDateMoved', { branchId: '55', date: T, step: 0, onlineDate: T + 3 }));
    expect((await day()).day).toEqual(
      businessdaypb.BusinessDay.fromPartial({
        ...{ ...shown, onlineDate: '1996-02-26', onlineRunId: RUN_ID, runId: RUN_ID, runState: RunState.RUN_STATE_RUNNING, version: 4n },
        nextCutAt: timestampFromUs(Date.parse('1996-02-26T17:00:00Z') * 1_000),
      }),
    );
    await project(0, moved(T));
    expect((await day()).day).toMatchObject({ batchDate: '1996-02-26', batchRunId: RUN_ID, runId: '', runState: RunState.RUN_STATE_UNSPECIFIED });
  });

  test('branches, runs and products are listed page by page, runs from the newest date on', async () => {
    await project(0, registered('55'), registered('b'), product('p2'), product('p1'));
    await project(1, registered('a'));
    for (const date of [T, T + 3, T + 6]) await project(0, begun(date), moved(date));
    await project(0, begun(T, 'b'));
    const all = async <Page extends { nextPageToken: string }>(
      ask: (request: { pageSize: number; pageToken: string }) => Promise<Page>,
      keys: (page: Page) => string[],
    ) => {
      const found: string[] = [];
      let pageToken = '';
      do {
        const one = await ask({ pageSize: 2, pageToken });
        found.push(...keys(one));
        pageToken = one.nextPageToken;
      } while (pageToken !== '');
      return found.join();
    };
    expect(await all(branches, ({ days }) => days.map(({ branchId }) => branchId))).toBe('55,a,b');
    expect(await all(runs, (one) => one.runs.map(({ date }) => date))).toBe('1996-02-29,1996-02-26,1996-02-23');
    expect(await all(listProducts, (one) => one.products.map(({ productId }) => productId))).toBe('p1,p2');
    const { nextPageToken } = await runs({ pageSize: 1 });
    expect(await refused(runs({ branchId: 'b', pageSize: 1, pageToken: nextPageToken }))).toBe('INVALID_ARGUMENT PAGE_TOKEN_INVALID');
    expect((await getProduct()).product).toMatchObject({ productId: 'p1', version: 1n });
  });

  test('a run is shown with its steps and how far they are', async () => {
    await project(0, registered('55'));
    await project(0, begun(T), stepBegun(T, 0), stepEnded(T, 0), stepBegun(T, 1), stepEnded(T, 1), stepBegun(T, 2));
    const setAside = [{ accountId: 'a', reason: 'It is frozen.' }];
    await project(
      0,
      advanced(T, 2, 0, { accounts: 60n, lookedAt: 40n, changed: 9n }),
      advanced(T, 2, 1, { accounts: 40n, lookedAt: 40n, complete: true, setAside }),
    );
    const { steps, ...shown } = (await run()).run as businessdaypb.BatchRun;
    expect(shown).toMatchObject({
      ...{ runId: RUN_ID, date: T_TEXT, nextDate: '1996-02-26', state: RunState.RUN_STATE_RUNNING, begunAt: timestampFromUs(2 * SECOND_US) },
      ...{ setAside: [{ accountId: 'a', stepId: `${RUN_ID}/02-roll`, reason: 'It is frozen.' }], setAsideCount: 1n },
    });
    expect(steps.map(({ stepId }) => stepId.slice(RUN_ID.length))).toEqual(['/00-cut', '/01-seal', '/02-roll', '/03-job', '/04-job', '/05-begin']);
    const roll = steps[2] as businessdaypb.RunStep;
    expect(roll).toMatchObject({ done: 80n, total: 100n, changed: 9n, begunAt: timestampFromUs(2 * SECOND_US), endedAt: undefined });
    // The step began in the year 1970, and goes on until now.
    expect([roll.rate > 0, roll.rate < 1, roll.remainingMs > 0n]).toEqual([true, true, true]);
    await project(
      0,
      advanced(T, 2, 0, { accounts: 60n, lookedAt: 20n, complete: true }),
      stepEnded(T, 2),
      stepBegun(T, 3),
      advanced(T, 3, 1, { accounts: 40n, lookedAt: 10n }),
    );
    const later = (await run()).run?.steps ?? [];
    expect(later[2]).toMatchObject({ done: 100n, rate: 50, remainingMs: 0n, endedAt: timestampFromUs(4 * SECOND_US) });
    // The accounts of the partition that has not answered are known from the step before.
    expect(later[3]).toMatchObject({ done: 10n, total: 100n });
    expect(later[4]).toMatchObject({ done: 0n, total: 0n, rate: 0, remainingMs: 0n });
  });

  test('a watch says each change that it sees, and ends with the run', async () => {
    await project(0, registered('55'));
    await project(0, begun(T));
    const next: EventRecord[][] = [
      [stepBegun(T, 0)],
      [record('BatchPaused', { branchId: '55', date: T })],
      [record('BatchResumed', { branchId: '55', date: T })],
      [moved(T)],
    ];
    const seen: string[] = [];
    for await (const { run: one } of watch() as AsyncIterable<businessdaypb.WatchBatchRunResponse>) {
      seen.push((RunState[one?.state ?? 0] ?? '').slice('RUN_STATE_'.length));
      const events = next[seen.length - 1];
      if (events !== undefined) await project(0, ...events);
    }
    expect(seen).toEqual(['RUNNING', 'RUNNING', 'PAUSED', 'RUNNING', 'ENDED']);
    const again: unknown[] = [];
    for await (const one of watch()) again.push(one);
    expect(again).toHaveLength(1);
  });

  test('the first trial balance works its openings out; the next one takes what the one before closed with, and has to balance', async () => {
    await project(0, registered('55', { lineNames: { [CASH]: 'till' } }));
    await projectRun();
    const { trialBalance } = await balanceOf();
    expect(trialBalance).toEqual({
      ...{ branchId: '55', date: T_TEXT, balanced: true, openingDerived: true },
      products: [
        { product: 'current', unit: 'EUR', openingMinor: '-50', debitMinor: '20', creditMinor: '70', closingMinor: '0', accounts: 0n, accruedMicro: '0' },
        {
          product: 'savings',
          unit: 'EUR',
          openingMinor: '10050',
          debitMinor: '50',
          creditMinor: '280950',
          closingMinor: '290950',
          accounts: 6n,
          accruedMicro: '7',
        },
      ],
      lines: [
        { product: 'current', unit: 'EUR', line: INTEREST, name: 'Interest', debitMinor: '70', creditMinor: '20', postings: 2n },
        { product: 'savings', unit: 'EUR', line: CASH, name: 'till', debitMinor: '280950', creditMinor: '50', postings: 2n },
      ],
    });
    await project(0, moved(T));
    await projectRun(T + 3, '571900');
    const next = (await balanceOf({ date: '1996-02-26' })).trialBalance;
    expect(next).toMatchObject({ balanced: true, openingDerived: false });
    expect(next?.products.map(({ openingMinor, closingMinor }) => [openingMinor, closingMinor])).toEqual([
      ['0', '0'],
      ['290950', '571900'],
    ]);
    await project(0, moved(T + 3));
    await projectRun(T + 6, '852849');
    expect((await balanceOf({ date: '1996-02-29' })).trialBalance?.balanced).toBe(false);
  });

  test('dates that were set back are opened with what was added up last', async () => {
    const back = (date: number) => record('DatesSet', { branchId: '55', date, closedDate: date - 1, reason: 'once more' });
    await project(0, registered('55'));
    await projectRun(T, '100');
    await project(0, moved(T));
    await projectRun(T + 3, '281050');
    await project(0, moved(T + 3), back(T));
    await projectRun(T, '562000');
    // Its rows of before have been replaced.
    expect((await balanceOf()).trialBalance).toMatchObject({ balanced: true, openingDerived: false, products: [{}, { openingMinor: '281050' }] });
    await project(0, moved(T));
    await projectRun(T + 3, '842950');
    expect((await balanceOf()).trialBalance).toMatchObject({ balanced: true, products: [{}, { openingMinor: '281050' }] });
    expect((await balanceOf({ date: '1996-02-26' })).trialBalance).toMatchObject({ balanced: true, products: [{}, { openingMinor: '562000' }] });
  });

  test('a report has the run, the trial balance, interest and terms', async () => {
    await project(0, registered('55'));
    await projectRun();
    const { report: shown } = await report();
    expect(shown).toMatchObject({ accounts: 6n, interestCreditedMinor: '70', interestChargedMinor: '20', matured: 1n, run: { runId: RUN_ID } });
    expect(shown?.trialBalance).toEqual((await balanceOf()).trialBalance);
  });

  test('closing balances are exported account by account', async () => {
    await projectAccounts();
    await project(0, registered('55'));
    await projectRun();
    const csv = (await exported()).split('\r\n');
    expect(csv).toEqual([
      'account_id,product,unit,closing_minor',
      ...['{even}-current,current,EUR,750', '{even}-deposit,term,EUR,100000', '{even}-overdrawn,savings,EUR,-10000', '{even}-savings,savings,EUR,100100'],
      ...['{odd-}-current,current,EUR,100', '{odd-}-rolling,rolling,EUR,100000'],
      '',
    ]);
    const lines = (await exported({ format: businessdaypb.ExportFormat.EXPORT_FORMAT_JSON_LINES })).trimEnd().split('\n');
    expect(lines.map((one) => JSON.parse(one) as unknown)).toContainEqual({
      account_id: '{even}-overdrawn',
      product: 'savings',
      unit: 'EUR',
      closing_minor: '-10000',
    });
  });

  test('an export of rows that do not add up to what the end of day said ends with an error', async () => {
    await projectAccounts();
    await project(0, registered('55'));
    await projectRun(T, '290951');
    expect(await refused(exported())).toBe('UNAVAILABLE READ_BEHIND');
  });

  test('a run without an accounting job can be exported when it has ended', async () => {
    await projectAccounts();
    await project(0, registered('55'));
    await project(0, begun(T, '55', STEPS.slice(0, 3)));
    expect(await refused(exported())).toBe('FAILED_PRECONDITION DATE_NOT_CLOSED');
    await project(0, moved(T));
    expect((await exported()).split('\r\n')).toHaveLength(8);
  });
});
