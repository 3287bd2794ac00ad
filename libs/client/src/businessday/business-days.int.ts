/** Business days and products by the client library, against services whose answers the test writes. */
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';
import { type BusinessDaysClient, SluiceClient } from '../index';
import { grpcError, type Script, type ScriptedServices, startScriptedServices } from '../testing/scripted-services';

const running: { services: ScriptedServices; client: SluiceClient }[] = [];

async function clientOf(script: Script): Promise<SluiceClient> {
  const services = await startScriptedServices(script);
  const client = new SluiceClient({ retry: { baseDelayMs: 1, maximumDelayMs: 2 }, target: services.target });
  running.push({ services, client });
  return client;
}

afterEach(() => {
  for (const { services, client } of running.splice(0)) {
    client.close();
    services.stop();
  }
});

const SETTINGS = {
  timeZone: 'Europe/Prague',
  restDays: [6, 7],
  holidays: ['2026-12-25'],
  cutMinutes: 1_080,
  automatic: true,
  rollPolicy: 'AFTER_POSTING',
  stageOneJobs: ['MATURITY'],
  jobs: ['INTEREST', 'ACCOUNTING'],
  waitMs: 500,
  stepAccounts: 100,
  lineNames: { CASH: 'till', IN_TRANSIT: 'on the way' },
} as const;
const WIRE_SETTINGS: businessdaypb.BranchSettings = {
  ...SETTINGS,
  restDays: [6, 7],
  holidays: ['2026-12-25'],
  rollPolicy: logpb.RollPolicy.ROLL_POLICY_AFTER_POSTING,
  stageOneJobs: [businessdaypb.Job.JOB_MATURITY],
  jobs: [businessdaypb.Job.JOB_INTEREST, businessdaypb.Job.JOB_ACCOUNTING],
  lineNames: { 1: 'till', 4: 'on the way' },
};
const UNSET_SETTINGS = businessdaypb.BranchSettings.fromPartial({ timeZone: 'UTC' });
const DAY = businessdaypb.BusinessDay.fromPartial({
  branchId: 'prague',
  onlineDate: '2026-11-30',
  batchDate: '2026-11-27',
  runId: 'prague/2026-11-27',
  runState: businessdaypb.RunState.RUN_STATE_RUNNING,
  nextCutAt: { seconds: 5n },
  version: 3n,
});
const SHOWN_DAY = {
  branchId: 'prague',
  onlineDate: '2026-11-30',
  batchDate: '2026-11-27',
  onlineRunId: '',
  batchRunId: '',
  runId: 'prague/2026-11-27',
  runState: 'RUNNING',
  nextCutAt: new Date(5_000),
  version: 3n,
};

const of = { requestId: 'r', branchId: 'prague' };
/** Method of the service, the call, and the request that it makes. */
const COMMANDS: readonly [keyof businessdaypb.BusinessDayCommandServiceServer & string, (days: BusinessDaysClient) => Promise<unknown>, object][] = [
  [
    'registerBranch',
    (days) => days.register({ ...of, settings: SETTINGS, onlineDate: '2026-11-27' }),
    { ...of, settings: WIRE_SETTINGS, onlineDate: '2026-11-27' },
  ],
  ['updateBranch', (days) => days.update('prague', { timeZone: 'UTC' }, 'r'), { ...of, settings: UNSET_SETTINGS }],
  ['cutDay', (days) => days.cut('prague', { requestId: 'r' }), { ...of, date: '' }],
  ['cutDay', (days) => days.cut('prague', { requestId: 'r', date: '2026-11-27' }), { ...of, date: '2026-11-27' }],
  ['runBatch', (days) => days.run('prague', { requestId: 'r' }), { ...of, date: '' }],
  ['beginDay', (days) => days.begin('prague', { requestId: 'r' }), { ...of, date: '', force: false, reason: '' }],
  ['beginDay', (days) => days.begin('prague', { requestId: 'r', forcedReason: 'late' }), { ...of, date: '', force: true, reason: 'late' }],
  ['runEndOfDay', (days) => days.end('prague', { requestId: 'r', untilDate: '2026-12-01' }), { ...of, untilDate: '2026-12-01' }],
  ['setDates', (days) => days.setDates('prague', { requestId: 'r', date: '2026-12-01', reason: 'test' }), { ...of, date: '2026-12-01', reason: 'test' }],
  ['pauseBatch', (days) => days.pause('prague', 'r'), of],
  ['resumeBatch', (days) => days.resume('prague', 'r'), of],
];

test.each(COMMANDS)('%s is answered with the dates behind it, and its refusal names its request', async (method, call, request) => {
  const seen: unknown[] = [];
  const { businessDays } = await clientOf({
    businessDayCommands: {
      [method]: ((call_, callback) => {
        seen.push(call_.request);
        if (seen.length === 1) callback(null, { day: DAY, repeated: true, positionToken: 'p' });
        else callback(grpcError(status.FAILED_PRECONDITION, 'BATCH_UNDER_WAY'));
      }) satisfies handleUnaryCall<unknown, businessdaypb.CutDayResponse>,
    },
  });
  expect(await call(businessDays)).toEqual({ requestId: 'r', day: SHOWN_DAY, repeated: true, positionToken: 'p' });
  expect(seen).toEqual([request]);
  await expect(call(businessDays)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'BATCH_UNDER_WAY', requestId: 'r' });
});

test('a command that has no answer is sent again with the same request id', async () => {
  const seen: string[] = [];
  const { businessDays } = await clientOf({
    businessDayCommands: {
      cutDay: ({ request }, callback) => {
        seen.push(request.requestId);
        if (seen.length === 1) callback(grpcError(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE'));
        else callback(null, { day: DAY, repeated: false, positionToken: '' });
      },
    },
  });
  await businessDays.cut('prague');
  expect(seen).toEqual([seen[0], seen[0]]);
});

const RUN = businessdaypb.BatchRun.fromPartial({
  runId: 'prague/2026-11-27',
  branchId: 'prague',
  date: '2026-11-27',
  nextDate: '2026-11-30',
  state: businessdaypb.RunState.RUN_STATE_WAITING,
  goal: businessdaypb.RunGoal.RUN_GOAL_BATCH,
  begunAt: { seconds: 1n },
  steps: [
    { stepId: 'prague/2026-11-27/00-cut', kind: businessdaypb.StepKind.STEP_KIND_CUT, begunAt: { seconds: 1n }, endedAt: { seconds: 2n } },
    {
      stepId: 'prague/2026-11-27/01-interest',
      kind: businessdaypb.StepKind.STEP_KIND_JOB,
      job: businessdaypb.Job.JOB_INTEREST,
      done: 5n,
      total: 9n,
      rate: 2.5,
    },
  ],
  setAside: [{ accountId: 'a', stepId: 'prague/2026-11-27/01-interest', reason: 'ACCOUNT_CLOSED' }],
  setAsideCount: 1n,
  stragglers: 2n,
});
const SHOWN_RUN = {
  runId: 'prague/2026-11-27',
  branchId: 'prague',
  date: '2026-11-27',
  nextDate: '2026-11-30',
  state: 'WAITING',
  goal: 'BATCH',
  begunAt: new Date(1_000),
  endedAt: undefined,
  steps: [
    { kind: 'CUT', job: undefined, begunAt: new Date(1_000), endedAt: new Date(2_000), remainingMs: 0 },
    { kind: 'JOB', job: 'INTEREST', done: 5n, total: 9n, rate: 2.5, begunAt: undefined },
  ],
  setAside: [{ accountId: 'a', reason: 'ACCOUNT_CLOSED' }],
  setAsideCount: 1,
  stragglers: 2,
  forcedReason: '',
};
const LARGE = '99999999999999999999';
const TRIAL_BALANCE = businessdaypb.TrialBalance.fromPartial({
  branchId: 'prague',
  date: '2026-11-27',
  products: [{ product: 'savings', unit: 'CZK', openingMinor: '-5', debitMinor: '', closingMinor: LARGE, accounts: 7n, accruedMicro: '12' }],
  lines: [{ product: 'savings', unit: 'CZK', line: logpb.ContraLine.CONTRA_LINE_INTEREST, name: 'interest', debitMinor: '3', creditMinor: '0', postings: 2n }],
  balanced: true,
  openingDerived: false,
});
const SHOWN_TRIAL_BALANCE = {
  branchId: 'prague',
  products: [
    { product: 'savings', openingMinor: -5n, debitMinor: 0n, creditMinor: 0n, closingMinor: 99_999_999_999_999_999_999n, accounts: 7, accruedMicro: 12n },
  ],
  lines: [{ line: 'INTEREST', name: 'interest', debitMinor: 3n, creditMinor: 0n, postings: 2n }],
  balanced: true,
  openingDerived: false,
};

describe('reads', () => {
  const seen: [string, readonly string[] | undefined][] = [];
  const noted =
    <Request extends object, Response>(what: string, response: Response): handleUnaryCall<Request, Response> =>
    ({ request }, callback) => {
      seen.push([what, (request as { readonly positionTokens?: readonly string[] }).positionTokens]);
      callback(null, response);
    };

  test('carry the positions that are asked for, and tell of business days as users see them', async () => {
    const day = { ...DAY, settings: WIRE_SETTINGS };
    const { businessDays } = await clientOf({
      businessDayQueries: {
        getBusinessDay: noted('get', { day, positionToken: '' }),
        listBranches: noted('branches', { days: [day], nextPageToken: '', positionToken: '' }),
        listBatchRuns: noted('runs', { runs: [RUN], nextPageToken: '', positionToken: '' }),
        getBatchRun: noted('getRun', { run: RUN, positionToken: '' }),
        watchBatchRun: (call) => {
          seen.push(['watchRun', call.request.positionTokens]);
          call.write({ run: RUN });
          call.end();
        },
        getTrialBalance: noted('trialBalance', { trialBalance: TRIAL_BALANCE, positionToken: '' }),
        getDayReport: noted('report', {
          report: businessdaypb.DayReport.fromPartial({ run: RUN, trialBalance: TRIAL_BALANCE, accounts: 7n, interestCreditedMinor: LARGE }),
          positionToken: '',
        }),
        exportDayReport: (call) => {
          seen.push(['exportReport', call.request.positionTokens]);
          for (const lines of ['account,closing\n', `a,${call.request.format}\nüber,2\n`]) call.write({ lines: Buffer.from(lines) });
          call.end();
        },
      },
    });
    const options = { positionToken: 'mine', positionTokens: ['theirs'] };
    expect(await businessDays.get('prague', options)).toEqual({ ...SHOWN_DAY, settings: SETTINGS });
    for await (const one of businessDays.branches(options)) expect(one).toEqual({ ...SHOWN_DAY, settings: SETTINGS });
    for await (const one of businessDays.runs('prague', options)) expect(one).toMatchObject(SHOWN_RUN);
    expect(await businessDays.getRun(RUN.runId, options)).toMatchObject(SHOWN_RUN);
    for await (const one of businessDays.watchRun(RUN.runId, options)) expect(one).toMatchObject(SHOWN_RUN);
    expect(await businessDays.trialBalance('prague', '2026-11-27', options)).toMatchObject(SHOWN_TRIAL_BALANCE);
    expect(await businessDays.report('prague', '2026-11-27', options)).toMatchObject({
      run: SHOWN_RUN,
      trialBalance: SHOWN_TRIAL_BALANCE,
      accounts: 7,
      interestCreditedMinor: BigInt(LARGE),
      interestChargedMinor: 0n,
      matured: 0,
    });
    let text = '';
    for await (const piece of businessDays.exportReport('prague', '2026-11-27', { format: 'JSON_LINES', ...options })) text += piece;
    expect(text).toBe('account,closing\na,2\nüber,2\n');
    const asked = ['get', 'branches', 'runs', 'getRun', 'watchRun', 'trialBalance', 'report', 'exportReport'];
    expect(seen.splice(0)).toEqual(asked.map((what) => [what, ['mine', 'theirs']]));
  });

  test('a proof has its sums by unit', async () => {
    const { businessDays } = await clientOf({
      log: {
        verifyDay: noted(
          'verify',
          logpb.VerifyDayResponse.fromPartial({
            accounts: 3n,
            postings: 4n,
            openingMinor: { CZK: '1' },
            postedMinor: { CZK: '2', EUR: LARGE },
            closingMinor: { CZK: '3', EUR: LARGE },
            failureCount: 1n,
            failures: [{ accountId: 'a', openingMinor: 1n, postedMinor: 2n, closingMinor: 4n }],
          }),
        ),
      },
    });
    expect(await businessDays.verify('prague', '2026-11-27')).toEqual({
      accounts: 3,
      postings: 4n,
      failures: [{ accountId: 'a', openingMinor: 1n, postedMinor: 2n, closingMinor: 4n }],
      failureCount: 1,
      sums: [
        { unit: 'CZK', openingMinor: 1n, postedMinor: 2n, closingMinor: 3n },
        { unit: 'EUR', openingMinor: 0n, postedMinor: BigInt(LARGE), closingMinor: BigInt(LARGE) },
      ],
      verifiedAt: undefined,
    });
  });

  test('an answer without a branch, or with a run in a state of a later version, is a fault', async () => {
    const { businessDays } = await clientOf({
      businessDayQueries: {
        getBusinessDay: noted('get', { day: undefined, positionToken: '' }),
        getBatchRun: noted('getRun', { run: { ...RUN, state: 99 as businessdaypb.RunState }, positionToken: '' }),
      },
    });
    await expect(businessDays.get('prague')).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(businessDays.getRun('prague/2026-11-27')).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('products', async () => {
    const tiers = [
      { fromMinor: 0n, basisPoints: 100 },
      { fromMinor: 1_000_000n, basisPoints: 250 },
    ];
    const terms = { productId: 'term', name: 'Term', tiers, debitBasisPoints: 1_900, termMonths: 12, renews: true };
    const sent: unknown[] = [];
    const answered: handleUnaryCall<businessdaypb.CreateProductRequest, businessdaypb.CreateProductResponse> = ({ request }, callback) => {
      sent.push(request);
      callback(null, { product: { ...(request.product as businessdaypb.Product), version: 1n }, repeated: false, positionToken: '' });
    };
    const product = businessdaypb.Product.fromPartial({ productId: 'term', tiers });
    const { products } = await clientOf({
      productCommands: { createProduct: answered, updateProduct: answered },
      productQueries: {
        getProduct: noted('get', { product, positionToken: '' }),
        listProducts: noted('list', { products: [product], nextPageToken: '', positionToken: '' }),
      },
    });
    const created = await products.create({ ...terms, dayCount: '30E_360', capitalisation: 'AT_MATURITY' }, 'c');
    expect(created).toEqual({
      requestId: 'c',
      product: { ...terms, dayCount: '30E_360', capitalisation: 'AT_MATURITY', termDays: 0, version: 1n },
      repeated: false,
      positionToken: '',
    });
    expect(await products.update({ productId: 'term' }, 'u')).toMatchObject({ requestId: 'u', product: { tiers: [], dayCount: undefined } });
    expect(sent).toEqual([
      {
        requestId: 'c',
        product: {
          ...terms,
          dayCount: logpb.DayCount.DAY_COUNT_30E_360,
          capitalisation: businessdaypb.Capitalisation.CAPITALISATION_AT_MATURITY,
          termDays: 0,
          version: 0n,
        },
      },
      { requestId: 'u', product: businessdaypb.Product.fromPartial({ productId: 'term' }) },
    ]);
    expect(await products.get('term', { positionToken: 'mine' })).toMatchObject({ productId: 'term', tiers });
    for await (const one of products.list({ positionToken: 'mine' })) expect(one).toMatchObject({ productId: 'term' });
    expect(seen.splice(0).slice(-2)).toEqual([
      ['get', ['mine']],
      ['list', ['mine']],
    ]);
  });
});
