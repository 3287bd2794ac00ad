/** The rows of business days: what they say after a log with every event, however it is cut into flushes, and that the log says the same. */
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { type DecodedCommit, type EventRecord, UnknownEventError } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { collectionsOf, projectionId, type LoadedRows } from '../projection';
import { businessDayProjection } from './business-day-projection';

const PARTITION = 3;
const NAMES = businessDayProjection.collections.map(({ name }) => name);
const { Job, RunGoal, StepKind } = businessdaypb;
const DAY = 20_784; // 2026-11-27

const record = businessDayEvents.record.bind(businessDayEvents);
const branchId = 'b/1';
const settings = businessdaypb.BranchSettings.fromPartial({ timeZone: 'Europe/Prague', automatic: true, cutMinutes: 1_080, lineNames: { 1: 'till' } });
const steps = [
  { kind: StepKind.STEP_KIND_STAGE_ONE, job: Job.JOB_MATURITY },
  ...[StepKind.STEP_KIND_CUT, StepKind.STEP_KIND_SEAL, StepKind.STEP_KIND_ROLL].map((kind) => ({ kind, job: Job.JOB_UNSPECIFIED })),
  { kind: StepKind.STEP_KIND_JOB, job: Job.JOB_ACCOUNTING },
  { kind: StepKind.STEP_KIND_BEGIN, job: Job.JOB_UNSPECIFIED },
];
const ACCOUNTING = 4;

const begun = (date: number, goal = RunGoal.RUN_GOAL_CUT): EventRecord =>
  record('RunBegun', { branchId, date, nextDate: date + 1, goal, untilDate: date, steps: [...steps] });
const stepBegun = (date: number, step: number): EventRecord => record('StepBegun', { branchId, date, step });
const stepEnded = (date: number, step: number, stragglers = 0n): EventRecord => record('StepEnded', { branchId, date, step, stragglers });
const advanced = (date: number, step: number, partition: number, done: Parameters<typeof businessdaypb.StepAdvanced.fromPartial>[0]['done']): EventRecord =>
  record('StepAdvanced', businessdaypb.StepAdvanced.fromPartial({ branchId, date, step, partition, done }));

const balance = (product: string, balanceMinor: string, count: bigint) => ({ product, unit: 'EUR', balanceMinor, accruedMicro: '5', count });
const line = (product: string, number: number, debitMinor: string, creditMinor: string) => ({
  product,
  unit: 'EUR',
  line: number,
  debitMinor,
  creditMinor,
  count: 2n,
});
const aside = (count: number) => Array.from({ length: count }, (_, at) => ({ accountId: `a${at}`, reason: 'ACCOUNT_FROZEN' }));

/** Steps 0 to `until`, each of two partitions. */
function stepsOf(date: number, until: number): EventRecord[][] {
  return Array.from({ length: until + 1 }, (_, step) => [
    stepBegun(date, step),
    advanced(date, step, 1, {
      ...{ accounts: 30n, lookedAt: 20n, changed: 4n },
      ...(step === 0 && { setAside: aside(70) }),
      ...(step === ACCOUNTING && { totals: [balance('loan', '12345678901234567890', 20n), balance('save', '-7', 10n)] }),
    }),
    advanced(date, step, 0, {
      ...{ accounts: 12n, lookedAt: 12n, changed: 1n, complete: true },
      ...(step === 0 && { setAside: aside(60) }),
      ...(step === ACCOUNTING && { totals: [balance('save', '10', 12n), line('save', 1, '3', '9'), line('save', 3, '0', '1')] }),
    }),
    advanced(date, step, 1, { ...{ accounts: 31n, lookedAt: 11n, complete: true }, ...(step === ACCOUNTING && { totals: [line('save', 1, '1', '1')] }) }),
    stepEnded(date, step, step === 2 ? 3n : 0n),
    ...(step === 1
      ? [record('OnlineDateMoved', { branchId, date, step, onlineDate: date + 1 }), record('DatesInForce', { branchId, onlineDate: date + 1 })]
      : []),
  ]);
}

/** Every event, and a date that comes again. */
const EVENTS: readonly EventRecord[][] = [
  [record('BranchRegistered', { branchId, settings, date: DAY, closedDate: DAY - 1 }), record('DatesInForce', { branchId, onlineDate: DAY })],
  [record('ProductSet', { product: businessdaypb.Product.fromPartial({ productId: 'save', name: 'Savings', version: 1n }) })],
  [begun(DAY)],
  [record('TermsTaken', { branchId, date: DAY, terms: [] })],
  ...stepsOf(DAY, 1),
  [record('BranchUpdated', { branchId, settings: { ...settings, cutMinutes: 60 } })],
  [record('GoalRaised', { branchId, date: DAY, goal: RunGoal.RUN_GOAL_BEGIN, untilDate: DAY })],
  [record('BatchPaused', { branchId, date: DAY })],
  [record('BatchResumed', { branchId, date: DAY })],
  ...stepsOf(DAY, ACCOUNTING).slice(2),
  [record('BatchDateMoved', { branchId, date: DAY, step: 5, batchDate: DAY + 1, forcedReason: 'the auditors wait' })],
  [record('DatesSet', { branchId, date: DAY, closedDate: DAY - 1, reason: 'once more' })],
  [begun(DAY, RunGoal.RUN_GOAL_BATCH), ...stepsOf(DAY, 0).flat()],
  [record('ProductSet', { product: businessdaypb.Product.fromPartial({ productId: 'save', name: 'Saved', version: 2n }) })],
];
const LOG: readonly DecodedCommit[] = EVENTS.map(
  (events, at) => ({ partition: PARTITION, sequence: at + 1, committedAtUs: (at + 1) * 1_000_000, events }) as unknown as DecodedCommit,
);

/** The rows of a partition, filled flush by flush. */
class Rows {
  private readonly store = new MemoryReadStore({ collections: collectionsOf(businessDayProjection) });
  private readonly fold: ReturnType<typeof businessDayProjection.open>;
  private batch = 0;

  constructor(cached = 100) {
    this.fold = businessDayProjection.open(PARTITION, [], cached);
  }

  /** @param written collections that are written before the projector dies; undefined: all. */
  async flush(commits: readonly DecodedCommit[], written: readonly string[] = NAMES, fold = this.fold): Promise<void> {
    const copy = await this.store.current();
    for (const commit of commits) for (const event of commit.events) fold.take(commit, event);
    const { writes, setAside } = fold.project(await loaded(copy, fold.missing()), 'attempt');
    expect(setAside).toEqual([]);
    const { batch: previousSequence } = this;
    this.batch += 1;
    const kept = writes.filter(({ collection }) => written.includes(collection));
    const place = { partition: PARTITION, previousSequence, sequence: this.batch, committedAtUs: 1 };
    await copy.apply({ ...place, projections: [projectionId(businessDayProjection)], writes: kept });
  }

  /** The projector dies in the middle of a flush, and another one takes over. */
  async flushInPart(commits: readonly DecodedCommit[], written: readonly string[]): Promise<void> {
    await this.flush(commits, written, businessDayProjection.open(PARTITION, [], 100));
  }

  async all(): Promise<Map<string, Row[]>> {
    const copy = await this.copy();
    const found = new Map<string, Row[]>();
    for (const collection of NAMES) found.set(collection, (await copy.find({ collection, limit: 1_000 })).rows);
    return found;
  }

  async row(collection: string): Promise<Row> {
    const [row] = (await this.all()).get(collection) ?? [];
    if (row === undefined) throw new Error(`${collection} has no row`);
    return row;
  }

  copy(): Promise<ReadCopy> {
    return this.store.current();
  }
}

async function loaded(copy: ReadCopy, missing: ReadonlyMap<string, readonly string[]>): Promise<LoadedRows> {
  const rows = new Map<string, Map<string, Row>>();
  for (const [collection, keys] of missing) {
    const found = await copy.getMany(collection, keys);
    rows.set(collection, new Map(found.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]))));
  }
  return rows;
}

async function projected(log: readonly DecodedCommit[]): Promise<Rows> {
  const rows = new Rows();
  await rows.flush(log);
  return rows;
}

test('a log with every event is tried', () => {
  const recorded = new Set(EVENTS.flat().map(({ type }) => type));
  expect([...recorded].sort()).toEqual(
    businessDayEvents
      .known()
      .map(({ type }) => type)
      .sort(),
  );
});

test.each`
  commits | online     | batch      | run                 | state        | cut      | version
  ${1}    | ${DAY}     | ${DAY}     | ${''}               | ${''}        | ${1_080} | ${2}
  ${3}    | ${DAY}     | ${DAY}     | ${'b/1/2026-11-27'} | ${'RUNNING'} | ${1_080} | ${3}
  ${5}    | ${DAY}     | ${DAY}     | ${'b/1/2026-11-27'} | ${'RUNNING'} | ${1_080} | ${9}
  ${6}    | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'WAITING'} | ${1_080} | ${16}
  ${7}    | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'WAITING'} | ${1_080} | ${17}
  ${8}    | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'RUNNING'} | ${1_080} | ${18}
  ${9}    | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'PAUSED'}  | ${1_080} | ${19}
  ${10}   | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'RUNNING'} | ${1_080} | ${20}
  ${13}   | ${DAY + 1} | ${DAY}     | ${'b/1/2026-11-27'} | ${'WAITING'} | ${1_080} | ${35}
  ${14}   | ${DAY + 1} | ${DAY + 1} | ${''}               | ${''}        | ${60}    | ${36}
  ${15}   | ${DAY}     | ${DAY}     | ${''}               | ${''}        | ${60}    | ${37}
`('after $commits commits the branch is at $online and $batch, and its run is $state', async ({ commits, online, batch, run, state, cut, version }) => {
  const rows = await projected(LOG.slice(0, Number(commits)));
  expect(await rows.row('branches')).toMatchObject({ online_date: online, batch_date: batch, run_id: run, run_state: state, cut_minutes: cut, version });
});

test('dates name the runs that moved them', async () => {
  const rows = await projected(LOG.slice(0, 14));
  expect(await rows.row('branches')).toMatchObject({ online_run_id: 'b/1/2026-11-27', batch_run_id: 'b/1/2026-11-27' });
  await rows.flush(LOG.slice(14, 15));
  expect(await rows.row('branches')).toMatchObject({ online_run_id: '', batch_run_id: '' });
});

test('a run says what its steps did, and which accounts were set aside', async () => {
  const rows = await projected(LOG.slice(0, 14));
  const row = await rows.row('batch_runs');
  expect(row).toMatchObject({ state: 'ENDED', goal: 'BEGIN', stragglers: 3, forced_reason: 'the auditors wait', set_aside_count: 130, begun_at_us: 3_000_000 });
  expect(JSON.parse(row.set_aside as string)).toHaveLength(100);
  const sums = { done: 43, changed: 5, accounts: { 0: 12, 1: 31 } };
  expect((JSON.parse(row.steps as string) as unknown[])[ACCOUNTING]).toEqual({
    ...{ kind: 'JOB', job: 'ACCOUNTING', begunAtUs: 13_000_000, advancedAtUs: 13_000_000, endedAtUs: 13_000_000 },
    ...sums,
  });
});

test('totals are summed over the partitions; a date that comes again keeps what it said before', async () => {
  const rows = await projected(LOG.slice(0, 14));
  const row = await rows.row('day_totals');
  const balances = [
    { product: 'loan', unit: 'EUR', balanceMinor: '12345678901234567890', accruedMicro: '5', accounts: 20 },
    { product: 'save', unit: 'EUR', balanceMinor: '3', accruedMicro: '10', accounts: 22 },
  ];
  expect(row).toMatchObject({ date: DAY, accounting_step: ACCOUNTING, accounted_at_us: 13_000_000, earlier_at_us: 0 });
  expect(JSON.parse(row.balances as string)).toEqual(balances);
  expect(JSON.parse(row.lines as string)).toEqual([
    { product: 'save', unit: 'EUR', line: 1, debitMinor: '4', creditMinor: '10', postings: 4 },
    { product: 'save', unit: 'EUR', line: 3, debitMinor: '0', creditMinor: '1', postings: 2 },
  ]);
  await rows.flush(LOG.slice(14));
  const again = await rows.row('day_totals');
  expect(again).toMatchObject({ accounted_at_us: 0, balances: '[]', lines: '[]', earlier_at_us: 13_000_000 });
  expect(JSON.parse(again.earlier_balances as string)).toEqual(balances);
});

test('however a log is cut into flushes, and wherever a projector dies, the rows are the same', async () => {
  const whole = await (await projected(LOG)).all();
  for (const cached of [100, 1]) {
    for (const size of [1, 2, 7]) {
      const rows = new Rows(cached);
      for (let from = 0; from < LOG.length; from += size) await rows.flush(LOG.slice(from, from + size));
      expect(await rows.all()).toEqual(whole);
    }
  }
  for (let cut = 0; cut <= LOG.length; cut += 1) {
    const rows = new Rows();
    await rows.flushInPart(LOG.slice(0, cut), NAMES);
    await rows.flushInPart(LOG.slice(cut), NAMES.slice(0, cut % NAMES.length));
    // The flush after it is cut otherwise, and repeats what was written.
    await rows.flushInPart(LOG.slice(Math.max(0, cut - 2), cut + 1), NAMES);
    await rows.flush(LOG.slice(cut + 1));
    expect(await rows.all()).toEqual(whole);
  }
});

async function verified(rows: Rows, log: readonly DecodedCommit[] = LOG) {
  const scope = {
    copy: await rows.copy(),
    projection: projectionId(businessDayProjection),
    partition: PARTITION,
    head: log.at(-1)?.sequence ?? 0,
    pause: () => async () => undefined,
    signal: new AbortController().signal,
  };
  const verification = await businessDayProjection.verification.partition(scope);
  for (const commit of log) if (commit.sequence <= verification.last) verification.take(commit);
  return verification.compare();
}

test('the log says what the rows say, after every commit', async () => {
  for (let commits = 1; commits <= LOG.length; commits += 1) {
    const log = LOG.slice(0, commits);
    expect((await verified(await projected(log), log)).suspicious).toEqual([]);
  }
  expect((await verified(await projected(LOG))).compared).toEqual({ branches: 1, 'batch runs': 1, 'day totals': 1, products: 1 });
});

test.each`
  collection      | field                 | value
  ${'branches'}   | ${'online_date'}      | ${1}
  ${'branches'}   | ${'run_state'}        | ${'PAUSED'}
  ${'branches'}   | ${'settings'}         | ${new Uint8Array([8, 1])}
  ${'branches'}   | ${'cut_minutes'}      | ${7}
  ${'branches'}   | ${'version'}          | ${7}
  ${'batch_runs'} | ${'state'}            | ${'ENDED'}
  ${'batch_runs'} | ${'steps'}            | ${'[]'}
  ${'batch_runs'} | ${'set_aside'}        | ${'[]'}
  ${'batch_runs'} | ${'set_aside_count'}  | ${1}
  ${'day_totals'} | ${'balances'}         | ${'[{"product":"save","unit":"EUR","balanceMinor":"4","accruedMicro":"10","accounts":22}]'}
  ${'day_totals'} | ${'earlier_balances'} | ${'[]'}
  ${'products'}   | ${'product'}          | ${new Uint8Array([10, 1, 120])}
`('a row of $collection whose $field is spoilt is found', async ({ collection, field, value }: { collection: string; field: string; value: string }) => {
  const rows = await projected(LOG);
  const copy = await rows.copy();
  const row = await rows.row(collection);
  jest
    .spyOn(copy, 'find')
    .mockImplementation(async (query) => ({ rows: query.collection === collection ? [{ ...row, [field]: value }] : [], next: undefined }));
  const definition = businessDayProjection.collections.find(({ name }) => name === collection);
  const aggregates: Record<string, string> = { branches: 'branch', batch_runs: 'run', day_totals: 'totals', products: 'product' };
  const { suspicious } = await verified(rows);
  expect(suspicious).toContainEqual({ aggregate: aggregates[collection], key: row[definition?.key ?? ''] });
});

test('a run that was never begun is set aside; the others go on', () => {
  const fold = businessDayProjection.open(PARTITION, [], 100);
  const commit = { partition: PARTITION, sequence: 7, committedAtUs: 1, events: [stepBegun(DAY, 0), EVENTS[1]?.[0]] } as unknown as DecodedCommit;
  for (const event of commit.events) expect(fold.take(commit, event)).toBe(true);
  fold.missing();
  const { writes, setAside } = fold.project(new Map(), 'attempt');
  expect(setAside).toMatchObject([
    { aggregate: 'run', key: 'b/1/2026-11-27', partition: PARTITION, sequence: 7 },
    { aggregate: 'branch', key: 'b/1', partition: PARTITION, sequence: 7 },
  ]);
  expect(writes.map(({ collection }) => collection)).toEqual(['products']);
});

test('an event of a later version stops the partition', () => {
  const event = { ...stepBegun(DAY, 0), version: 99 };
  const commit = { ...LOG[0], events: [event] } as unknown as DecodedCommit;
  expect(() => businessDayProjection.open(PARTITION, [], 100).take(commit, event)).toThrow(UnknownEventError);
});

test('a run and its totals are in the partition of the branch, and products in that of the catalogue', () => {
  const keyOf = (aggregate: string, key: string) => businessDayProjection.verification.kinds.find((kind) => kind.aggregate === aggregate)?.partitionKey(key);
  expect(['run', 'totals'].map((aggregate) => keyOf(aggregate, 'b/1/2026-11-27'))).toEqual(['b/1', 'b/1']);
  expect(keyOf('product', 'save')).toBe('products');
});
