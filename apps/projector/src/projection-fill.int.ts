/**
 * A projection that is new, or has a new format, on a log and a read store that are there: it is filled from the log, while the others go
 * on and keep their rows.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, MemoryEventLog, MemoryLeaseService, MemoryLeaseTable, MemoryReadStorage, MemoryReadStore } from '@sluice/memory';
import type { ProjectedBatch, ReadCopy, ReadStore } from '@sluice/ports';
import { type Projection, projectionId, readCollectionsOf } from '@sluice/projections';
import { accountProjection, ENTRY_SEGMENTS } from '@sluice/projections/account';
import { SqliteReadStore } from '@sluice/store-sqlite';
import { Projector, type ProjectorOptions } from './projector';
import type { VerificationProgress } from './projector-control';
import { Ledger, PARTITIONS } from './test/ledger';
import { openingsIn, openingsProjection } from './test/openings-projection';

const ACCOUNTS = projectionId(accountProjection);

const ACCOUNTS_ALONE: readonly Projection[] = [accountProjection];
const WITH_OPENINGS: readonly Projection[] = [accountProjection, openingsProjection(1)];
const WITH_OPENINGS_2: readonly Projection[] = [accountProjection, openingsProjection(2)];
const IDS = Array.from({ length: 40 }, (_, at) => `account-${at}`);
const ALL_OPENINGS = { openings: Object.fromEntries(IDS.map((id) => [id, 'EUR'])), count: IDS.length };

let log: MemoryEventLog;
let bus: InProcessBus;
let ledger: Ledger;
let folder: string;
let memory: MemoryReadStorage;
const opened: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  log = new MemoryEventLog({ partitions: PARTITIONS });
  bus = new InProcessBus();
  ledger = new Ledger(log, IDS);
  memory = new MemoryReadStorage([]);
  folder = await mkdtemp(join(tmpdir(), 'sluice-fill-'));
});

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop();
  await bus.close();
  await rm(folder, { recursive: true, force: true });
});

/** A store of a process that knows these projections, over the storage that all of them share. */
async function openStore(kind: 'memory' | 'SQLite', projections: readonly Projection[]): Promise<ReadStore> {
  const collections = readCollectionsOf(projections);
  const { identity } = log;
  const store =
    kind === 'memory'
      ? new MemoryReadStore({ storage: memory, collections, identity })
      : await SqliteReadStore.open({ file: join(folder, 'read.db'), collections, identity });
  opened.push({ stop: () => store.close() });
  return store;
}

async function start(projections: readonly Projection[], store: ReadStore, options: Partial<ProjectorOptions> = {}): Promise<Projector> {
  const projector = await Projector.start({ log, bus, store, projections, ...options });
  opened.push(projector);
  return projector;
}

async function publishPostings(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    for (const { partition, sequence, bytes } of await ledger.post(40)) await bus.publish({ partition, sequence, bytes });
  }
}

/** Resolves when each of the projections has everything that is in the log. */
async function caughtUp(store: ReadStore, projections: readonly Projection[]): Promise<void> {
  await until(async () => {
    const heads = await log.headSequences();
    const standing = new Map(
      (await (await store.current()).checkpoints()).map(({ partition, projection, sequence }) => [`${partition} ${projection}`, sequence]),
    );
    return projections.map(projectionId).every((id) => heads.every((head, partition) => standing.get(`${partition} ${id}`) === head));
  });
}

async function verification(projector: Projector): Promise<VerificationProgress> {
  const reports: VerificationProgress[] = [];
  await projector.verifyAll((progress) => void reports.push(progress), new AbortController().signal);
  return reports.at(-1) as VerificationProgress;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The store, with something in the way of every write. */
function withApply(store: ReadStore, apply: (batch: ProjectedBatch, write: () => Promise<void>) => Promise<void>): ReadStore {
  const copies = new Map<ReadCopy, ReadCopy>();
  const copyOf = (copy: ReadCopy): ReadCopy => {
    const known = copies.get(copy) ?? bound(copy, { apply: (batch: ProjectedBatch) => apply(batch, () => copy.apply(batch)) });
    copies.set(copy, known);
    return known;
  };
  return bound(store, { current: async () => copyOf(await store.current()) });
}

/** The object with some of its methods replaced. */
function bound<Part extends object>(part: Part, replaced: Partial<Part>): Part {
  return new Proxy(part, {
    get(target, property) {
      if (property in replaced) return Reflect.get(replaced, property) as unknown;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A log of so many turns, projected by a version with these projections that has stopped. */
async function historyOf(projections: readonly Projection[], kind: 'memory' | 'SQLite', turns = 300): Promise<void> {
  await ledger.open();
  await goOn(projections, kind, turns);
}

async function goOn(projections: readonly Projection[], kind: 'memory' | 'SQLite', turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await ledger.post(40);
  const store = await openStore(kind, projections);
  const projector = await start(projections, store);
  await caughtUp(store, projections);
  await projector.stop();
}

describe.each(['memory', 'SQLite'] as const)('on %s', (kind) => {
  test('a new projection is filled while the others go on, and joins them', async () => {
    await historyOf(ACCOUNTS_ALONE, kind);
    const store = await openStore(kind, WITH_OPENINGS);
    const before = await store.current();
    const segments = (await before.find({ collection: ENTRY_SEGMENTS.name, limit: 10_000 })).rows.length;

    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const batches: ProjectedBatch[] = [];
    const gated = withApply(store, async (batch, write) => {
      if (!batch.projections.includes(projectionId(accountProjection))) await gate;
      await write();
      batches.push(batch);
    });
    const projector = await start(WITH_OPENINGS, gated);
    await publishPostings(3);
    await caughtUp(store, ACCOUNTS_ALONE);
    for (const { filling } of (await projector.status()).partitions) expect(filling).toEqual([{ projection: 'opening@1', sequence: 0 }]);

    release();
    await caughtUp(store, WITH_OPENINGS);
    expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
    for (const { filling } of (await projector.status()).partitions) expect(filling).toEqual([]);
    // What was there was not written again: the accounts' rows come from the commits that were published since.
    expect((await store.current()).name).toBe(before.name);
    const written = batches.flatMap(({ writes }) => writes).filter(({ collection }) => collection === ENTRY_SEGMENTS.name).length;
    expect((await before.find({ collection: ENTRY_SEGMENTS.name, limit: 10_000 })).rows).toHaveLength(segments + written);
    await publishPostings(1);
    await caughtUp(store, WITH_OPENINGS);
    expect(batches.at(-1)?.projections).toEqual([ACCOUNTS, 'opening@1']);
    expect(await verification(projector)).toMatchObject({ equal: true, compared: { accounts: IDS.length, openings: IDS.length, counts: PARTITIONS } });

    const copy = await store.current();
    const [row] = (await copy.find({ collection: 'openings', limit: 1 })).rows;
    const partition = row?.partition as number;
    const head = (await log.headSequences())[partition] as number;
    const tampered = { ...row, unit: 'USD' };
    await copy.apply({
      partition,
      projections: ['opening@1'],
      previousSequence: head,
      sequence: head,
      committedAtUs: 1,
      writes: [
        { kind: 'delete', collection: 'openings', key: row?.account_id as string },
        { kind: 'put', collection: 'openings', row: tampered },
      ],
    });
    const { equal, differences } = await verification(projector);
    expect([equal, differences]).toEqual([false, [`account "${String(row?.account_id)}": unit: the log says EUR, the read store USD`]]);
  });

  test('a projection with a new format is filled beside its old rows, which an older version reads on', async () => {
    await historyOf(WITH_OPENINGS, kind);
    const older = await openStore(kind, WITH_OPENINGS);
    const store = await openStore(kind, WITH_OPENINGS_2);
    const checkpoints = (await (await older.current()).checkpoints()).filter(({ projection }) => projection === ACCOUNTS);
    await start(WITH_OPENINGS_2, store);
    await caughtUp(store, WITH_OPENINGS_2);
    expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
    expect(await openingsIn(await older.current())).toEqual(ALL_OPENINGS);
    expect((await (await store.current()).checkpoints()).filter(({ projection }) => projection === ACCOUNTS)).toEqual(checkpoints);
  });

  test('a projection that an older version passed over goes on from where it stood', async () => {
    await historyOf(WITH_OPENINGS, kind, 100);
    await goOn(ACCOUNTS_ALONE, kind, 100);
    const store = await openStore(kind, WITH_OPENINGS);
    const first: number[] = [];
    const watched = withApply(store, async (batch, write) => {
      if (!batch.projections.includes(projectionId(accountProjection))) first.push(batch.previousSequence);
      await write();
    });
    await start(WITH_OPENINGS, watched);
    await caughtUp(store, WITH_OPENINGS);
    expect(first.length).toBeGreaterThan(0);
    expect(Math.min(...first)).toBeGreaterThan(90);
    expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
  });
});

test('a projector that dies at any of its writes leaves what the next one completes', async () => {
  await historyOf(ACCOUNTS_ALONE, 'memory', 150);
  let completed = false;
  let step = 0;
  for (; !completed; step += 1) {
    // As it was before the new version came.
    memory = new MemoryReadStorage([]);
    await goOn(ACCOUNTS_ALONE, 'memory', 0);
    const store = await openStore('memory', WITH_OPENINGS);
    let writes = 0;
    let died = (): void => undefined;
    const dead = new Promise<void>((resolve) => {
      died = resolve;
    });
    // Every other one has written before it dies, without hearing so.
    const dying = withApply(store, async (_batch, write) => {
      writes += 1;
      if (writes <= step) return write();
      if (writes === step + 1 && step % 2 === 1) await write();
      died();
      throw new Error('the process is dead');
    });
    const projector = await start(WITH_OPENINGS, dying);
    completed = await Promise.race([dead.then(() => false), caughtUp(store, WITH_OPENINGS).then(() => true)]);
    await projector.stop();
    const next = await start(WITH_OPENINGS, store);
    await caughtUp(store, WITH_OPENINGS);
    expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
    await next.stop();
    expect(step).toBeLessThan(50);
  }
  expect(step).toBeGreaterThanOrEqual(PARTITIONS);
});

test('two projectors that share the partitions fill each its own', async () => {
  await historyOf(ACCOUNTS_ALONE, 'memory');
  const service = new MemoryLeaseService();
  const startOne = async (id: string): Promise<Projector> => {
    const lease = await SessionLease.open({ table: new MemoryLeaseTable(service), holder: { id, address: '' }, ttlMs: 200 });
    opened.push({ stop: () => lease.close() });
    return start(WITH_OPENINGS, await openStore('memory', WITH_OPENINGS), { lease });
  };
  await Promise.all([startOne('first'), startOne('second')]);
  const store = await openStore('memory', WITH_OPENINGS);
  await publishPostings(3);
  await caughtUp(store, WITH_OPENINGS);
  expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
});

test('a rebuild fills every projection of this version', async () => {
  await historyOf(WITH_OPENINGS, 'memory', 20);
  const store = await openStore('memory', WITH_OPENINGS_2);
  const projector = await start(WITH_OPENINGS_2, store);
  await projector.rebuild(() => undefined);
  await caughtUp(store, WITH_OPENINGS_2);
  expect(await openingsIn(await store.current())).toEqual(ALL_OPENINGS);
  expect(new Set((await (await store.current()).checkpoints()).map(({ projection }) => projection))).toEqual(new Set([ACCOUNTS, 'opening@2']));
});
