/** Two hot aggregates in different partitions exchange deliveries: the engine on its SQLite log, in one process, without callers over a network. */
import { Engine, hashSeeds, SILENT_OBSERVER } from '@sluice/engine';
import { InProcessBus, MemorySnapshotStore } from '@sluice/memory';
import { systemClock } from '@sluice/ports';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answerOrders } from '../machine/orders';
import type { ExchangeAnswer, ExchangeOrder, OutstandingAnswer, OutstandingOrder } from './exchange-order';
import { keyIn, Owing, pair, type PairState } from './hot-pair';

const PARTITIONS = 2;
const EACH = [0, 1] as const;
const BATCH = 1_000;
/** Deliveries of one direction without a verdict, at most. */
const OUTSTANDING = 32_000;
const KEYS = EACH.map((partition) => keyIn(partition, PARTITIONS));

async function openEngine(folder: string): Promise<{ engine: Engine; log: SqliteEventLog }> {
  const log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
  const engine = new Engine({
    log,
    snapshots: new MemorySnapshotStore(new Map()),
    bus: new InProcessBus({ clock: systemClock }),
    clock: systemClock,
    capabilities: [pair],
    seeds: hashSeeds(randomBytes(32), Buffer.from(log.identity.incarnation, 'hex')),
    owner: 'bench',
    limits: { snapshotBytes: Number.MAX_SAFE_INTEGER },
    observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => process.stderr.write(`${what}: ${String(error)}\n`) },
  });
  return { engine, log };
}

class Exchange {
  private feeding = false;

  private constructor(
    private readonly engine: Engine,
    private readonly log: SqliteEventLog,
  ) {}

  static async start(folder: string): Promise<Exchange> {
    const { engine, log } = await openEngine(folder);
    for (const partition of EACH) await engine.own(partition);
    return new Exchange(engine, log);
  }

  async run({ warmUpMs, windowMs }: ExchangeOrder): Promise<ExchangeAnswer> {
    this.feeding = true;
    const feeders = EACH.map((partition) => this.feed(partition));
    await sleep(warmUpMs);
    const before = this.told();
    const started = performance.now();
    await sleep(windowMs);
    const settled = this.told() - before;
    const measuredMs = performance.now() - started;
    this.feeding = false;
    await Promise.all(feeders);
    while (this.told() < this.sum('owed')) await sleep(5);
    return { kind: 'exchanged', settled, windowMs: measuredMs, owed: this.sum('owed'), applied: this.sum('applied'), told: this.told() };
  }

  async stop(): Promise<void> {
    await this.engine.stop({ snapshot: false });
    await this.log.close();
  }

  private async feed(partition: number): Promise<void> {
    const [from, to] = [KEYS[partition], KEYS[1 - partition]] as [string, string];
    const owned = this.engine.partition(partition);
    if (owned === undefined) throw new Error(`partition ${partition} is lost`);
    while (this.feeding) {
      const state = this.stateOf(partition);
      const room = OUTSTANDING - (state.owed - state.told);
      if (room < BATCH) {
        await sleep(1);
        continue;
      }
      const owing = Array.from({ length: Math.floor(room / BATCH) }, () => new Owing(state, BATCH, from, to));
      for (const one of owing) owned.submit(one);
      await Promise.all(owing.map(({ done }) => done));
    }
  }

  private told(): number {
    return this.sum('told');
  }

  private sum(what: 'owed' | 'applied' | 'told'): number {
    return EACH.reduce<number>((sum, partition) => sum + this.stateOf(partition)[what], 0);
  }

  private stateOf(partition: number): PairState {
    return this.engine.partition(partition)?.stateOf('pair') as PairState;
  }
}

async function measureOutstanding({ folder, outstanding }: OutstandingOrder): Promise<OutstandingAnswer> {
  const { engine, log } = await openEngine(folder);
  await engine.own(0);
  const owned = engine.partition(0);
  if (owned === undefined) throw new Error('partition 0 is lost');
  const state = owned.stateOf('pair') as PairState;
  const heapBefore = heapBytes();
  for (let owed = 0; owed < outstanding; owed += BATCH) {
    const owing = new Owing(state, BATCH, KEYS[0] as string, KEYS[1] as string);
    owned.submit(owing);
    await owing.done;
  }
  const heap = heapBytes() - heapBefore;
  await engine.own(1);
  const started = performance.now();
  owned.deliveries.drive();
  while (state.told < state.owed) await sleep(5);
  const seconds = (performance.now() - started) / 1_000;
  const { applied } = engine.partition(1)?.stateOf('pair') as PairState;
  await engine.stop({ snapshot: false });
  await log.close();
  return { kind: 'outstanding', heapBytes: heap, drainedPerSecond: state.owed / seconds, applied };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Of the process, buffers included, without what is garbage. */
function heapBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

let exchange: Exchange | undefined;

answerOrders<ExchangeOrder | OutstandingOrder, ExchangeAnswer | OutstandingAnswer>(async (order) => {
  if (!('outstanding' in order)) {
    exchange ??= await Exchange.start(order.folder);
    return exchange.run(order);
  }
  await exchange?.stop();
  return measureOutstanding(order);
});
