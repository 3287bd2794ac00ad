/**
 * Timers, by holds that expire: what a million of them cost while none is due, how fast many fire that are due at the same moment, and how late one fires on an
 * idle system; embedded, and as processes of their own.
 */
import { randomBytes } from 'node:crypto';
import { ServerNotFoundError, startMongo, startNats } from '@sluice/infra';
import { accountpb } from '@sluice/protocol/account';
import type { Bench, EmbeddedTarget, Target } from '../bench';
import { cpuTimeMs } from '../machine/cpu-time';
import type { FiredTimers } from '../measure/fired-timers';
import type { TimerFigures, TimerLateness } from '../report/report';
import { startDeployment } from '../server/deployment';
import type { Scenario, Table } from './scenario';

const PENDING = 1_000_000;
/** An account has 10,000 holds at most. */
const HOLDS_PER_ACCOUNT = 10_000;
const BATCH = 1_000;
const BATCHES_IN_FLIGHT = 4;
const FAR_MS = 86_400_000;
const IDLE_MS = 5_000;
const BURST = 10_000;
const BURST_ACCOUNTS = 10;
/** Time for the holds of a burst to be posted before they are due. */
const BURST_AFTER_MS = 5_000;
const SINGLES = 200;
const SINGLES_AFTER_MS = 3_000;
const SINGLES_EVERY_MS = 100;
/** Beyond the last due time. */
const FIRED_WITHIN_MS = 60_000;
const PARTITIONS = 4;
const OWNERS = 2;

export const timers: Scenario = {
  run: async (bench) => {
    const embedded = await bench.startEmbedded('the server');
    const emptyCpu = await idleCpu(bench, embedded);
    const emptyBytes = embedded.server.rssBytes();
    const pending = bench.options.accounts ?? PENDING;
    await setPending(bench, embedded, pending);
    const pendingCpu = await idleCpu(bench, embedded);
    const pendingBytes = embedded.server.rssBytes();
    const lateness = { embedded: await measureLateness(bench, embedded), distributed: await measureDistributed(bench) };
    bench.progress.step('verifying');
    await embedded.control.drain();
    const { equal } = await embedded.control.verifyAll();
    bench.remarks.push('The memory of the pending ones is that of their holds and of the request index, too.');
    const figures: TimerFigures = {
      pending,
      cpuShareEmpty: emptyCpu,
      cpuSharePending: pendingCpu,
      bytesEmpty: emptyBytes,
      bytesPending: pendingBytes,
      ...lateness,
    };
    return {
      figures: { readyMs: embedded.server.readyMs, peakRssBytes: embedded.server.peakRssBytes(), verified: equal && bench.complaints.length === 0 },
      timers: figures,
      skipped: {},
      tables: [pendingTable(figures), latenessTable(lateness)],
    };
  },
};

/** The part of one processor that an idle server uses; null: the system does not say. */
async function idleCpu(bench: Bench, { server }: EmbeddedTarget): Promise<number | null> {
  bench.progress.step('watching the idle server');
  const before = server.pid === undefined ? undefined : cpuTimeMs(server.pid);
  await sleep(IDLE_MS);
  const after = server.pid === undefined ? undefined : cpuTimeMs(server.pid);
  return before === undefined || after === undefined ? null : (after - before) / IDLE_MS;
}

async function setPending(bench: Bench, { control }: Target, count: number): Promise<void> {
  const accounts = Array.from({ length: Math.ceil(count / HOLDS_PER_ACCOUNT) }, (_, number) => `pending-${number}`);
  await control.openAccounts(accounts.map((accountId) => ({ accountId })));
  await control.postAll(accounts.map((accountId) => credit(accountId, HOLDS_PER_ACCOUNT)));
  const dueMs = Date.now() + FAR_MS;
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next = Math.min(next + BATCH, count);
      const numbers = Array.from({ length: next - from }, (_, at) => from + at);
      await control.postAll(numbers.map((number) => hold(accounts[Math.floor(number / HOLDS_PER_ACCOUNT)] as string, number, dueMs + number)));
      bench.progress.amount('setting timers', next, count);
    }
  };
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, send));
}

async function measureLateness(bench: Bench, target: Target): Promise<TimerLateness> {
  const { control } = target;
  const accounts = Array.from({ length: BURST_ACCOUNTS }, (_, number) => `{burst}-${number}`);
  await control.openAccounts([...accounts, 'single'].map((accountId) => ({ accountId })));
  await control.postAll([...accounts, 'single'].map((accountId) => credit(accountId, BURST)));

  bench.progress.step(`${BURST} timers that are due at the same moment`);
  const burstDueMs = Date.now() + BURST_AFTER_MS;
  const burst = collect(bench, target, BURST, burstDueMs);
  const each = BURST / BURST_ACCOUNTS;
  for (const accountId of accounts) await control.postAll(Array.from({ length: each }, (_, number) => hold(accountId, number, burstDueMs)));
  if (Date.now() > burstDueMs) bench.complaints.push('the burst was due before its holds were posted');
  const firedInBurst = await burst;
  const burstMs = Math.max(...firedInBurst.map(({ seenAtMs }) => seenAtMs)) - burstDueMs;
  const burstDecidedMs = Math.max(...firedInBurst.map(({ committedAtMs }) => committedAtMs)) - burstDueMs;

  bench.progress.step(`${SINGLES} timers, one after the other`);
  const firstDueMs = Date.now() + SINGLES_AFTER_MS;
  // Not at whole milliseconds only.
  const dueMs = Array.from({ length: SINGLES }, (_, number) => firstDueMs + number * SINGLES_EVERY_MS + ((number * 37) % 100) / 100);
  const singles = collect(bench, target, SINGLES, dueMs.at(-1) as number);
  await control.postAll(dueMs.map((due, number) => hold('single', number, due)));
  const fired = await singles;
  const late = fired.map(({ committedAtMs }, at) => committedAtMs - (dueMs[at] as number)).sort((left, right) => left - right);
  const early = late.filter((milliseconds) => milliseconds < 0).length;
  if (early > 0) bench.complaints.push(`${early} timers fired before they were due`);
  return {
    burst: BURST,
    burstMs,
    burstDecidedMs,
    singles: SINGLES,
    lateP50Ms: quantile(late, 0.5),
    lateP99Ms: quantile(late, 0.99),
    latestMs: late.at(-1) ?? 0,
  };
}

/** Every timer that fires until there are so many. */
function collect(bench: Bench, { control, name }: Target, count: number, lastDueMs: number): Promise<FiredTimers[]> {
  return new Promise((resolve) => {
    const fired: FiredTimers[] = [];
    let sum = 0;
    const end = (): void => {
      clearTimeout(impatience);
      stop();
      resolve(fired);
    };
    const impatience = setTimeout(
      () => {
        bench.complaints.push(`${name}: ${sum} of ${count} timers fired`);
        end();
      },
      lastDueMs - Date.now() + FIRED_WITHIN_MS,
    );
    const stop = control.watchFired((some) => {
      fired.push(some);
      sum += some.count;
      if (sum >= count) end();
    });
  });
}

/** Null: there are no servers to run it on. */
async function measureDistributed(bench: Bench): Promise<TimerLateness | null> {
  try {
    const progress = (line: string): void => bench.progress.step(line);
    const mongo = await startMongo({ dataDir: bench.scratch.folder('mongo'), progress });
    bench.scratch.defer(() => mongo.stop());
    const nats = await startNats({ dataDir: bench.scratch.folder('nats'), progress });
    bench.scratch.defer(() => nats.stop());
    const name = `bench-${randomBytes(4).toString('hex')}`;
    const servers = { mongoUrl: mongo.url, natsUrl: nats.url };
    const deployment = await startDeployment(bench, { ...servers, name, partitions: PARTITIONS, owners: OWNERS, scheduler: true }, ['first']);
    const lateness = await measureLateness(bench, deployment);
    await deployment.stop();
    return lateness;
  } catch (error) {
    if (!(error instanceof ServerNotFoundError)) throw error;
    bench.remarks.push(`There are no servers for processes of their own: ${error.message}`);
    return null;
  }
}

function pendingTable({ pending, cpuShareEmpty, cpuSharePending, bytesEmpty, bytesPending }: TimerFigures): Table {
  const row = (what: string, share: number | null, bytes: number | null) => [
    what,
    share === null ? undefined : `${(share * 100).toFixed(2)} %`,
    bytes === null ? undefined : Math.round(bytes / 2 ** 20),
  ];
  return {
    head: ['idle', 'of a processor', 'MiB'],
    rows: [row('no timers', cpuShareEmpty, bytesEmpty), row(`${pending} pending`, cpuSharePending, bytesPending)],
  };
}

function latenessTable(lateness: Pick<TimerFigures, 'embedded' | 'distributed'>): Table {
  const rows = Object.entries(lateness).flatMap(([way, measured]) =>
    measured === null ? [] : [[way, measured.burstDecidedMs, measured.burstMs, measured.lateP50Ms, measured.lateP99Ms, measured.latestMs]],
  );
  return { head: ['', `${BURST} at once: decided after ms`, 'in the log and read', 'one, idle: late ms p50', 'p99', 'worst'], rows };
}

function credit(accountId: string, amount: number): accountpb.Posting {
  const type = accountpb.PostingType.POSTING_TYPE_CREDIT;
  return accountpb.Posting.fromPartial({ accountId, requestId: 'credit', type, amountMinor: BigInt(amount), unit: 'EUR' });
}

function hold(accountId: string, number: number, dueMs: number): accountpb.Posting {
  const type = accountpb.PostingType.POSTING_TYPE_HOLD;
  const expiresAtUs = BigInt(Math.round(dueMs * 1_000));
  return accountpb.Posting.fromPartial({ accountId, requestId: `hold-${number}`, type, amountMinor: 1n, unit: 'EUR', expiresAtUs });
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
