/**
 * Tasks: created in bulk and one by one, run by 1, 2 and 4 worker processes with a handler that does nothing, and started on an idle system; at a server without
 * other tasks, at one with 1,000,000 that wait in the same queue, and beside graphile-worker, pg-boss and BullMQ.
 *
 * Every system is used by its own client library. Only the tasks that are created one by one at Sluice come from the load generator, because they are compared
 * with the postings of `hot-account-unary`, which do, too.
 */
import type { Bench, EmbeddedTarget } from '../bench';
import { fsyncTimesMs } from '../machine/fsync-probe';
import { median } from '../measure/median';
import type { TaskFigures, TaskSystemFigures } from '../report/report';
import { BENCH_TYPE } from '../tasks/sluice-system';
import { BENCH_QUEUE, TaskContender } from '../tasks/task-contender';
import type { TaskAnswer, TaskOrder } from '../tasks/task-order';
import { findTaskRivals } from '../tasks/task-rivals';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario, Table } from './scenario';

const WAITING = 1_000_000;
const WAITING_TYPE = 'waiting';
const LATENCY_TASKS_PER_SECOND = 30;
const FSYNC_PROBES = 200;
/** Part of the tasks of a round that is run beforehand. */
const WARM_UP_PART = 0.2;
const IN_FLIGHT = 64;

export const tasks: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const waiting = options.accounts ?? WAITING;
    await bench.probeDisk();
    const durableMs = [...fsyncTimesMs(bench.scratch.folder('probe'), FSYNC_PROBES)].sort((left, right) => left - right);
    const fsyncP99Ms = durableMs[Math.ceil(durableMs.length * 0.99) - 1] ?? 0;

    const [empty, full] = await Promise.all([bench.startEmbedded('a server'), bench.startEmbedded('a server for tasks that wait')]);
    await empty.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
    const bytesEmpty = full.server.rssBytes();
    await full.control.createTasks(BENCH_QUEUE, WAITING_TYPE, waiting, (created) => bench.progress.amount('creating tasks that wait', created, waiting));
    await full.control.drain();
    const bytesWaiting = full.server.rssBytes();

    const sluice = await openSluice(bench, 'Sluice', empty);
    const beside = await openSluice(bench, `Sluice, ${waiting} waiting`, full);
    beside.created += waiting;
    const { rivals, missing } = await openRivals(bench);
    const hotAccount = await measureRounds(bench, [sluice, beside, ...rivals], empty);

    const figures = compare(sluice.figures(), beside.figures(), rivals, {
      missing,
      waiting,
      fsyncP99Ms,
      bytesEmpty,
      bytesWaiting,
      hotAccount: median(hotAccount),
    });
    const proofs = [await prove(bench, empty, sluice.created), await prove(bench, full, beside.created)];
    const sum = (name: 'acknowledged' | 'logged' | 'projected'): number => proofs.reduce((total, proof) => total + proof[name], 0);
    const verified = proofs.every(({ equal }) => equal) && bench.complaints.length === 0;
    bench.remarks.push('Redis syncs its append-only file once a second: what BullMQ acknowledged in the last second is lost with the power.');
    for (const [system, reason] of Object.entries(missing)) bench.remarks.push(`${system} was not measured: ${reason}`);
    return {
      figures: {
        readyMs: empty.server.readyMs,
        peakRssBytes: full.server.peakRssBytes(),
        acknowledged: sum('acknowledged'),
        logged: sum('logged'),
        projected: sum('projected'),
        verified,
      },
      tasks: figures,
      skipped: {},
      tables: [systemsTable(figures), ratiosTable(figures)],
    };
  },
};

async function openSluice(bench: Bench, name: string, target: EmbeddedTarget): Promise<TaskContender> {
  const calls = { kind: 'taskSingles', queue: BENCH_QUEUE, type: BENCH_TYPE } as const;
  return openContender(bench, {
    name,
    place: { system: 'sluice', url: target.addresses[0] as string, packages: undefined },
    settle: () => target.control.drain(),
    createSingles: async (inFlight, windowMs) => {
      const { accepted, acknowledged } = await bench.load(target, { calls, inFlight, warmUpMs: bench.warmUpMs, windowMs });
      return { perSecond: (accepted / windowMs) * 1_000, created: acknowledged };
    },
  });
}

async function openRivals(bench: Bench): Promise<{ readonly rivals: TaskContender[]; readonly missing: Record<string, string> }> {
  const { found, missing } = await findTaskRivals(bench);
  const rivals: TaskContender[] = [];
  const why: Record<string, string> = { ...missing };
  for (const { place, version, node } of found) {
    try {
      rivals.push(await openContender(bench, { name: `${place.system} ${version}`, place }, node));
    } catch (error) {
      why[place.system] = error instanceof Error ? error.message : String(error);
    }
  }
  return { rivals, missing: why };
}

function openContender(bench: Bench, options: Omit<ConstructorOptions, 'processes' | 'complain'>, node?: string): Promise<TaskContender> {
  bench.progress.step(`opening ${options.name}`);
  const count = Math.max(...bench.options.workers);
  const processes = Array.from({ length: count }, () => bench.startWorker<TaskOrder, TaskAnswer>('tasks/tasks.process', node));
  const complain = (complaint: string): void => void bench.complaints.push(complaint);
  return TaskContender.open({ ...options, processes, complain }, Math.ceil(bench.options.tasks * WARM_UP_PART));
}

type ConstructorOptions = Parameters<typeof TaskContender.open>[0];

/** @returns postings one by one to one account, per second, of each round. */
async function measureRounds(bench: Bench, contenders: readonly TaskContender[], empty: EmbeddedTarget): Promise<readonly number[]> {
  const { rounds, workers, tasks: count } = bench.options;
  const postings = { kind: 'singles', account: { kind: 'one', accountId: HOT_ACCOUNT } } as const;
  const hotAccount: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const announce = (what: string): void => bench.progress.step(`round ${round} of ${rounds}: ${what}`);
    for (const contender of contenders) {
      for (const each of workers) {
        announce(`${contender.name}, ${each} workers`);
        await contender.measureBulkAndRun(count, each);
      }
    }
    for (const contender of contenders) {
      announce(`${contender.name}, one by one`);
      await contender.measureSingles(bench.windowMs, bench.warmUpMs);
    }
    announce('postings one by one');
    const { accepted, windowMs } = await bench.load(empty, { calls: postings, inFlight: IN_FLIGHT, warmUpMs: bench.warmUpMs, windowMs: bench.windowMs });
    hotAccount.push((accepted / windowMs) * 1_000);
    await empty.control.drain();
    for (const contender of contenders) {
      announce(`${contender.name}, idle`);
      await contender.measureLatency(Math.max(1, Math.round(bench.options.seconds * LATENCY_TASKS_PER_SECOND)));
    }
  }
  return hotAccount;
}

type Around = Pick<TaskFigures, 'missing' | 'waiting' | 'fsyncP99Ms' | 'bytesEmpty' | 'bytesWaiting'> & { readonly hotAccount: number };

function compare(
  sluice: TaskSystemFigures,
  besideWaiting: TaskSystemFigures,
  contenders: readonly TaskContender[],
  { hotAccount, ...around }: Around,
): TaskFigures {
  const rivals = contenders.map((contender) => contender.figures());
  const bullmq = rivals.find(({ system }) => system.startsWith('bullmq'));
  const best = (figure: (of: TaskSystemFigures) => number): number | null => (rivals.length === 0 ? null : Math.max(...rivals.map(figure)));
  const toBest = (figure: (of: TaskSystemFigures) => number): number | null => ratioOf(figure(sluice), best(figure));
  const beside = (figure: (of: TaskSystemFigures) => number): number => ratioOf(figure(besideWaiting), figure(sluice)) ?? 0;
  return {
    sluice,
    besideWaiting,
    rivals,
    ...around,
    ratioBulk: toBest(({ bulkPerSecond }) => bulkPerSecond),
    ratioRun: toBest(runByOne),
    ratioSinglesToHotAccount: ratioOf(sluice.singlesPerSecond, hotAccount) ?? 0,
    ratioStartP50: ratioOf(sluice.startP50Ms, bullmq?.startP50Ms ?? null),
    startP99AboveMs: bullmq === undefined ? null : rounded(sluice.startP99Ms - bullmq.startP99Ms),
    ratioBulkWaiting: beside(({ bulkPerSecond }) => bulkPerSecond),
    ratioRunWaiting: beside(runByOne),
    ratioSinglesWaiting: beside(({ singlesPerSecond }) => singlesPerSecond),
    ratioStartP50Waiting: beside(({ startP50Ms }) => startP50Ms),
  };
}

function runByOne({ run }: TaskSystemFigures): number {
  return run[0]?.perSecond ?? 0;
}

function ratioOf(one: number, other: number | null): number | null {
  return other === null || other === 0 ? null : rounded(one / other);
}

function rounded(figure: number): number {
  return Math.round(figure * 1_000) / 1_000;
}

interface TaskProof {
  readonly acknowledged: number;
  readonly logged: number;
  readonly projected: number;
  readonly equal: boolean;
}

async function prove(bench: Bench, { name, control }: EmbeddedTarget, acknowledged: number): Promise<TaskProof> {
  bench.progress.step('checking acknowledged = log = read store');
  await control.drain();
  const { equal, differences, compared } = await control.verifyAll((done, total) => bench.progress.amount('folding the log', done, total));
  bench.complaints.push(...differences);
  const logged = Number(compared.find(({ what }) => what === 'tasks')?.count ?? 0n);
  const { all: projected, submitted, succeeded } = await control.taskCounts(BENCH_QUEUE);
  if (acknowledged !== logged || logged !== projected) bench.complaints.push(`${name}: ${acknowledged} acknowledged, ${logged} in the log, ${projected} read`);
  if (submitted + succeeded !== projected) bench.complaints.push(`${name}: ${projected - submitted - succeeded} tasks neither wait nor succeeded`);
  return { acknowledged, logged, projected, equal: equal && acknowledged === logged && logged === projected };
}

function systemsTable({ sluice, besideWaiting, rivals }: TaskFigures): Table {
  const head = ['tasks per second', 'in bulk', ...sluice.run.map(({ workers }) => `run by ${workers}`), 'one by one', 'start ms p50', 'p99'];
  const rows = [sluice, besideWaiting, ...rivals].map(({ system, bulkPerSecond, run, singlesPerSecond, startP50Ms, startP99Ms }) => [
    system,
    bulkPerSecond,
    ...run.map(({ perSecond }) => perSecond),
    singlesPerSecond,
    startP50Ms,
    startP99Ms,
  ]);
  return { head, rows };
}

function ratiosTable(figures: TaskFigures): Table {
  const mebibytes = (bytes: number | null): number | undefined => (bytes === null ? undefined : Math.round(bytes / 2 ** 20));
  const rows = [
    ['in bulk, to the best rival', figures.ratioBulk ?? undefined, '≥ 3'],
    ['run by one worker, to the best rival', figures.ratioRun ?? undefined, '≥ 2'],
    ['one by one, to postings one by one', figures.ratioSinglesToHotAccount, '≥ 0.8'],
    ['start p50, to BullMQ', figures.ratioStartP50 ?? undefined, '≤ 2'],
    ['start p99 above BullMQ, ms', figures.startP99AboveMs ?? undefined, `≤ ${rounded(2 * figures.fsyncP99Ms)} (two durable writes)`],
    ['beside those that wait: in bulk', figures.ratioBulkWaiting, '≥ 0.9'],
    ['run by one worker', figures.ratioRunWaiting, '≥ 0.9'],
    ['one by one', figures.ratioSinglesWaiting, '≥ 0.9'],
    ['start p50', figures.ratioStartP50Waiting, '≤ 1.1'],
    ['MiB of the server without tasks', mebibytes(figures.bytesEmpty), undefined],
    ['MiB with those that wait', mebibytes(figures.bytesWaiting), '≤ 954'],
  ];
  return { head: ['', 'measured', 'aim'], rows };
}
