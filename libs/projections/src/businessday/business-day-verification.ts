/**
 * What rows of business days must say, folded from the log once more: what an event says is kept as it came, and the fields are worked out of it at the end. No step of a row
 * is used, and no state of a row.
 */
import { branchOfRunId } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import type { FieldValue, Row } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { rowKind, verifyRows } from '../row-verification';
import {
  BATCH_RUNS,
  BRANCH_AGGREGATE,
  BRANCHES,
  CATALOGUE_KEY,
  DAY_TOTALS,
  LISTED_SET_ASIDE,
  PRODUCT_AGGREGATE,
  PRODUCTS,
  RUN_AGGREGATE,
  TOTALS_AGGREGATE,
} from './collections';

const { RunGoal, StepKind, Job } = businessdaypb;

type Fields = Readonly<Record<string, FieldValue>>;

/** The event if it has one of these names. */
function readOneOf<Name extends keyof Messages>(names: readonly Name[], event: EventRecord, commit: DecodedCommit): Messages[Name] | undefined {
  for (const name of names) {
    const message = businessDayEvents.readOnly(name, event, commit);
    if (message !== undefined) return message as Messages[Name];
  }
  return undefined;
}
type Messages = {
  readonly [Name in Parameters<typeof businessDayEvents.readOnly>[0]]: NonNullable<ReturnType<typeof businessDayEvents.readOnly<Name>>>;
};

const runKey = ({ branchId, date }: { readonly branchId: string; readonly date: number }): string => [branchId, textOfDate(date)].join('/');

const nameOf = (names: Readonly<Record<number, string>>, value: number): string => (names[value] ?? '').replace(/^(RUN_GOAL|STEP_KIND|JOB)_/, '');

/** What the partitions did of a step. */
interface StepSums {
  newestAtUs: number;
  lookedAt: bigint;
  changed: bigint;
  readonly accounts: Map<number, bigint>;
}

/** What has happened to a run. */
interface VerifiedRun {
  readonly begun: businessdaypb.RunBegun;
  readonly begunAtUs: number;
  goal: businessdaypb.RunGoal;
  paused: boolean;
  ended: { readonly atUs: number; readonly reason: string } | undefined;
  readonly stepsBegun: Map<number, number>;
  readonly stepsEnded: Map<number, number>;
  readonly advances: Map<number, StepSums>;
  readonly setAside: string[];
  stragglers: bigint;
}

/** Whether it waits for a further goal, or for a day begin that is forced. */
function isResting({ begun: { steps }, goal, stepsEnded, setAside }: VerifiedRun): boolean {
  if (goal === RunGoal.RUN_GOAL_BEGIN && setAside.length === 0) return false;
  const cut = steps.findIndex(({ kind }) => kind === StepKind.STEP_KIND_CUT);
  const needed = steps.map((_step, at) => at).filter((at) => (goal === RunGoal.RUN_GOAL_CUT ? at <= cut : steps[at]?.kind !== StepKind.STEP_KIND_BEGIN));
  return needed.every((at) => stepsEnded.has(at));
}

function stateOf(run: VerifiedRun): string {
  if (run.ended !== undefined) return 'ENDED';
  if (run.paused) return 'PAUSED';
  return isResting(run) ? 'WAITING' : 'RUNNING';
}

function beginRun(begun: businessdaypb.RunBegun, atUs: number): VerifiedRun {
  const { goal } = begun;
  const none = {
    stepsBegun: new Map<number, number>(),
    stepsEnded: new Map<number, number>(),
    advances: new Map<number, StepSums>(),
    setAside: [],
    stragglers: 0n,
  };
  return { begun, begunAtUs: atUs, goal, paused: false, ended: undefined, ...none };
}

const RUN_EVENTS = ['GoalRaised', 'StepBegun', 'StepAdvanced', 'StepEnded', 'BatchDateMoved', 'BatchPaused', 'BatchResumed'] as const;

function takeIntoRun(run: VerifiedRun, recorded: EventRecord, commit: DecodedCommit): VerifiedRun {
  const atUs = commit.committedAtUs;
  const read = <Name extends keyof Messages>(name: Name): Messages[Name] | undefined => businessDayEvents.readOnly(name, recorded, commit) as Messages[Name];
  run.goal = read('GoalRaised')?.goal ?? run.goal;
  const stepBegun = read('StepBegun');
  if (stepBegun !== undefined) run.stepsBegun.set(stepBegun.step, atUs);
  const stepEnded = read('StepEnded');
  if (stepEnded !== undefined) {
    run.stepsEnded.set(stepEnded.step, atUs);
    run.stragglers += stepEnded.stragglers;
  }
  const advanced = read('StepAdvanced');
  if (advanced !== undefined) {
    const { step, partition, done } = advanced;
    const sums: StepSums = run.advances.get(step) ?? { newestAtUs: 0, lookedAt: 0n, changed: 0n, accounts: new Map() };
    run.advances.set(step, sums);
    sums.newestAtUs = atUs;
    sums.lookedAt += done?.lookedAt ?? 0n;
    sums.changed += done?.changed ?? 0n;
    if (done !== undefined) sums.accounts.set(partition, done.accounts);
    for (const { accountId, reason } of done?.setAside ?? []) run.setAside.push(JSON.stringify([accountId, step, reason]));
  }
  const moved = read('BatchDateMoved');
  if (moved !== undefined) run.ended = { atUs, reason: moved.forcedReason };
  if (read('BatchPaused') !== undefined) run.paused = true;
  if (read('BatchResumed') !== undefined || moved !== undefined) run.paused = false;
  return run;
}

function stepFields(run: VerifiedRun): string {
  return JSON.stringify(
    run.begun.steps.map(({ kind, job }, at) => {
      const { newestAtUs = 0, lookedAt = 0n, changed = 0n, accounts = new Map<number, bigint>() } = run.advances.get(at) ?? {};
      const times = [run.stepsBegun.get(at) ?? 0, newestAtUs, run.stepsEnded.get(at) ?? 0];
      const sorted = [...accounts].map(([partition, count]) => [partition, Number(count)] as const).sort(([one], [other]) => one - other);
      const jobName = job === Job.JOB_UNSPECIFIED ? '' : nameOf(Job, job);
      return [nameOf(StepKind, kind), jobName, ...times, Number(lookedAt), Number(changed), sorted];
    }),
  );
}

interface StoredStep {
  readonly kind: string;
  readonly job: string;
  readonly begunAtUs: number;
  readonly advancedAtUs: number;
  readonly endedAtUs: number;
  readonly done: number;
  readonly changed: number;
  readonly accounts: Readonly<Record<string, number>>;
}

/** Steps and accounts that were set aside, in the form of the fold. */
function storedRun(row: Row): Fields {
  const steps = (JSON.parse(row.steps as string) as StoredStep[]).map(({ kind, job, begunAtUs, advancedAtUs, endedAtUs, done, changed, accounts }) => {
    const sorted = Object.entries(accounts)
      .map(([partition, count]) => [Number(partition), count] as const)
      .sort(([one], [other]) => one - other);
    return [kind, job, begunAtUs, advancedAtUs, endedAtUs, done, changed, sorted];
  });
  const setAside = JSON.parse(row.set_aside as string) as { readonly accountId: string; readonly step: number; readonly reason: string }[];
  return {
    ...row,
    steps: JSON.stringify(steps),
    set_aside: setAside.map(({ accountId, step, reason }) => JSON.stringify([accountId, step, reason])).join(),
  };
}

/** The branch of a key that is the id of a run; what is no such id is its own. */
const branchOf = (key: string): string => branchOfRunId(key) ?? key;

const runRows = rowKind<VerifiedRun>({
  aggregate: RUN_AGGREGATE,
  collection: BATCH_RUNS,
  partitionKey: branchOf,
  counted: 'batch runs',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const begun = businessDayEvents.readOnly('RunBegun', event, commit);
      if (begun !== undefined) change(runKey(begun), () => beginRun(begun, commit.committedAtUs));
      const message = readOneOf(RUN_EVENTS, event, commit);
      if (message === undefined) continue;
      change(runKey(message), (run) => {
        if (run === undefined) throw new Error(`${runKey(message)} has events before it began`);
        return takeIntoRun(run, event, commit);
      });
    }
  },
  row: (run) => ({
    branch_id: run.begun.branchId,
    date: run.begun.date,
    next_date: run.begun.nextDate,
    state: stateOf(run),
    goal: nameOf(RunGoal, run.goal),
    begun_at_us: run.begunAtUs,
    ended_at_us: run.ended?.atUs ?? 0,
    steps: stepFields(run),
    set_aside: run.setAside.slice(0, LISTED_SET_ASIDE).join(),
    set_aside_count: run.setAside.length,
    stragglers: Number(run.stragglers),
    forced_reason: run.ended?.reason ?? '',
  }),
  stored: storedRun,
});

/** What a branch's events say, the newest last. */
interface VerifiedBranch {
  settings: businessdaypb.BranchSettings | undefined;
  /** Where the batch date's cut time is that of settings before: these. */
  cutBy: businessdaypb.BranchSettings | undefined;
  online: readonly [date: number, runId: string];
  batch: readonly [date: number, runId: string];
  run: VerifiedRun | undefined;
  events: number;
}

const BRANCH_EVENTS = ['BranchRegistered', 'BranchUpdated', 'DatesSet', 'DatesInForce', 'RunBegun', 'TermsTaken', 'OnlineDateMoved', ...RUN_EVENTS] as const;

function takeIntoBranch(branch: VerifiedBranch, recorded: EventRecord, commit: DecodedCommit): VerifiedBranch {
  const read = <Name extends keyof Messages>(name: Name): Messages[Name] | undefined => businessDayEvents.readOnly(name, recorded, commit) as Messages[Name];
  branch.events += 1;
  const update = read('BranchUpdated');
  if (update !== undefined) branch.cutBy = branch.settings?.automatic === true ? (branch.cutBy ?? branch.settings) : undefined;
  branch.settings = (read('BranchRegistered') ?? update)?.settings ?? branch.settings;
  const set = read('BranchRegistered') ?? read('DatesSet');
  if (set !== undefined) Object.assign(branch, { online: [set.date, ''], batch: [set.date, ''], run: undefined, cutBy: undefined });
  const begun = read('RunBegun');
  if (begun !== undefined) branch.run = beginRun(begun, commit.committedAtUs);
  else if (branch.run !== undefined) takeIntoRun(branch.run, recorded, commit);
  const cut = read('OnlineDateMoved');
  if (cut !== undefined) branch.online = [cut.onlineDate, runKey(cut)];
  const moved = read('BatchDateMoved');
  if (moved !== undefined) Object.assign(branch, { batch: [moved.batchDate, runKey(moved)], run: undefined, cutBy: undefined });
  return branch;
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const branchRows = rowKind<VerifiedBranch>({
  aggregate: BRANCH_AGGREGATE,
  collection: BRANCHES,
  counted: 'branches',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const message = readOneOf(BRANCH_EVENTS, event, commit);
      if (message === undefined) continue;
      const none: VerifiedBranch = { settings: undefined, cutBy: undefined, online: [0, ''], batch: [0, ''], run: undefined, events: 0 };
      change(message.branchId, (branch) => takeIntoBranch(branch ?? none, event, commit));
    }
  },
  row: ({ settings, cutBy = settings, online, batch, run, events }) => ({
    online_date: online[0],
    online_run_id: online[1],
    batch_date: batch[0],
    batch_run_id: batch[1],
    run_id: run === undefined ? '' : runKey(run.begun),
    run_state: run === undefined ? '' : stateOf(run),
    run_goal: run === undefined ? '' : nameOf(RunGoal, run.goal),
    run_steps: run?.begun.steps.map(({ kind }) => nameOf(StepKind, kind)).join() ?? '',
    run_steps_ended: Math.max(0, ...[...(run?.stepsEnded.keys() ?? [])].map((step) => step + 1)),
    settings: hexOf(businessdaypb.BranchSettings.encode(settings ?? businessdaypb.BranchSettings.fromPartial({})).finish()),
    run_set_aside: run?.setAside.length ?? 0,
    cut_time_zone: cutBy?.timeZone ?? '',
    cut_minutes: cutBy?.cutMinutes ?? 0,
    version: events,
  }),
  stored: (row) => ({ ...row, settings: hexOf(row.settings as Uint8Array) }),
});

interface Sums {
  readonly amounts: [debitOrBalance: bigint, creditOrAccrued: bigint];
  count: number;
}

/** What the accounting job of a date added up: sums by product, unit and line. */
interface VerifiedTotals {
  readonly begun: businessdaypb.RunBegun;
  readonly accounting: number;
  accountedAtUs: number;
  readonly sums: Map<string, Sums>;
  readonly earlier: { readonly atUs: number; readonly balances: string };
}

const IS_BALANCE = /,0\]$/;

function listed(sums: ReadonlyMap<string, Sums>, wanted: (key: string) => boolean): string {
  const lines = [...sums].filter(([key]) => wanted(key)).map(([key, { amounts, count }]) => `${key} ${amounts.join()} ${count}`);
  return lines.sort().join('; ');
}

const balancesOf = (sums: ReadonlyMap<string, Sums>): string => listed(sums, (key) => IS_BALANCE.test(key));
const linesOf = (sums: ReadonlyMap<string, Sums>): string => listed(sums, (key) => !IS_BALANCE.test(key));

function beginTotals(begun: businessdaypb.RunBegun, before: VerifiedTotals | undefined): VerifiedTotals {
  const accounting = begun.steps.findIndex(({ job }) => job === Job.JOB_ACCOUNTING);
  const wasAccounted = before !== undefined && before.accountedAtUs > 0;
  const earlier = wasAccounted ? { atUs: before.accountedAtUs, balances: balancesOf(before.sums) } : (before?.earlier ?? { atUs: 0, balances: '' });
  return { begun, accounting, accountedAtUs: 0, sums: new Map(), earlier };
}

function takeIntoTotals(totals: VerifiedTotals, { done }: businessdaypb.StepAdvanced): VerifiedTotals {
  for (const { product, unit, line, debitMinor, creditMinor, balanceMinor, accruedMicro, count } of done?.totals ?? []) {
    const key = JSON.stringify([product, unit, line]);
    const sums: Sums = totals.sums.get(key) ?? { amounts: [0n, 0n], count: 0 };
    const [first, second] = line === 0 ? [balanceMinor, accruedMicro] : [debitMinor, creditMinor];
    sums.amounts[0] += BigInt(first);
    sums.amounts[1] += BigInt(second);
    sums.count += Number(count);
    totals.sums.set(key, sums);
  }
  return totals;
}

interface StoredSum {
  readonly product: string;
  readonly unit: string;
  readonly line?: number;
  readonly [field: string]: unknown;
}

function storedSums(text: FieldValue | undefined): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const one of JSON.parse(text as string) as StoredSum[]) {
    const fields = one.line === undefined ? (['balanceMinor', 'accruedMicro', 'accounts'] as const) : (['debitMinor', 'creditMinor', 'postings'] as const);
    const amounts: Sums['amounts'] = [BigInt(one[fields[0]] as string), BigInt(one[fields[1]] as string)];
    sums.set(JSON.stringify([one.product, one.unit, one.line ?? 0]), { amounts, count: one[fields[2]] as number });
  }
  return sums;
}

const totalsRows = rowKind<VerifiedTotals>({
  aggregate: TOTALS_AGGREGATE,
  collection: DAY_TOTALS,
  partitionKey: branchOf,
  counted: 'day totals',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const begun = businessDayEvents.readOnly('RunBegun', event, commit);
      if (begun !== undefined) change(runKey(begun), (before) => beginTotals(begun, before));
      const message = readOneOf(['StepAdvanced', 'StepEnded'], event, commit);
      if (message === undefined) continue;
      change(runKey(message), (totals) => {
        if (totals === undefined) throw new Error(`${runKey(message)} has events before it began`);
        if (message.step !== totals.accounting) return totals;
        if ('partition' in message) return takeIntoTotals(totals, message);
        return { ...totals, accountedAtUs: commit.committedAtUs };
      });
    }
  },
  row: ({ begun, accounting, accountedAtUs, sums, earlier }) => ({
    branch_id: begun.branchId,
    date: begun.date,
    accounting_step: accounting,
    accounted_at_us: accountedAtUs,
    balances: balancesOf(sums),
    lines: linesOf(sums),
    earlier_at_us: earlier.atUs,
    earlier_balances: earlier.balances,
  }),
  stored: (row) => ({
    ...row,
    balances: balancesOf(storedSums(row.balances)),
    lines: linesOf(storedSums(row.lines)),
    earlier_balances: balancesOf(storedSums(row.earlier_balances)),
  }),
});

const productRows = rowKind<businessdaypb.Product>({
  aggregate: PRODUCT_AGGREGATE,
  collection: PRODUCTS,
  partitionKey: () => CATALOGUE_KEY,
  counted: 'products',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const product = businessDayEvents.readOnly('ProductSet', event, commit)?.product;
      if (product !== undefined) change(product.productId, () => product);
    }
  },
  row: (product) => ({ product: hexOf(businessdaypb.Product.encode(product).finish()) }),
  stored: (row) => ({ ...row, product: hexOf(row.product as Uint8Array) }),
});

export const businessDayVerification = verifyRows(branchRows, runRows, totalsRows, productRows);
