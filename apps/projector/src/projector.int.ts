/**
 * The projector against logs, stores and buses that lose, repeat and reorder. The histories are decided by the domain; what
 * must come out in the end is what VerifyAll says: log and read store are equal.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, MemoryEventLog, MemoryLeaseService, MemoryLeaseTable, MemoryLogStorage, MemoryReadStorage, MemoryReadStore } from '@sluice/memory';
import { type BusMessage, type Clock, type CommitToAppend, type EventLog, type ReadStore, systemClock } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { ACCOUNTS, ENTRY_SEGMENTS, readAccount } from '@sluice/projections/account';
import { SqliteEventLog, SqliteReadStore } from '@sluice/store-sqlite';
import { Projector, type ProjectorOptions } from './projector';
import type { RebuildProgress, VerificationProgress } from './projector-control';
import { RebuildRunningError } from './projector-control';
import { SILENT_PROJECTOR_OBSERVER } from './projector-observer';
import { Ledger, PARTITIONS } from './test/ledger';

const NEVER = new AbortController().signal;
const LEASE_TTL_MS = 600;

const ACCOUNT_IDS = Array.from({ length: 12 }, (_, index) => `account-${index}`);

interface Ground {
  readonly log: EventLog;
  readonly store: ReadStore;
  readonly bus: InProcessBus;
  readonly ledger: Ledger;
  start(options?: Partial<ProjectorOptions>): Promise<Projector>;
  publish(commits: readonly CommitToAppend[]): Promise<void>;
  end(): Promise<void>;
}

async function memoryGround(): Promise<Ground> {
  const log = new MemoryEventLog({ partitions: PARTITIONS });
  return ground(log, new MemoryReadStore({ collections: READ_COLLECTIONS, identity: log.identity }), async () => undefined);
}

async function sqliteGround(): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-projector-'));
  const log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
  const store = await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity: log.identity });
  return ground(log, store, () => rm(folder, { recursive: true, force: true }));
}

function ground(log: EventLog, store: ReadStore, remove: () => Promise<void>): Ground {
  const bus = new InProcessBus();
  const projectors: Projector[] = [];
  return {
    log,
    store,
    bus,
    ledger: new Ledger(log, ACCOUNT_IDS),
    async start(options) {
      const projector = await Projector.start({ log, store, bus, ...options });
      projectors.push(projector);
      return projector;
    },
    async publish(commits) {
      for (const { partition, sequence, bytes } of commits) await bus.publish({ partition, sequence, bytes });
    },
    async end() {
      await Promise.all(projectors.map((projector) => projector.stop()));
      await bus.close();
      await store.close();
      await log.close();
      await remove();
    },
  };
}

async function verification(projector: Projector): Promise<VerificationProgress> {
  let newest: VerificationProgress | undefined;
  await projector.verifyAll((progress) => {
    newest = progress;
  }, NEVER);
  if (newest === undefined) throw new Error('nothing was reported');
  return newest;
}

/** Resolves when the read store has everything that is in the log. */
async function caughtUp({ log, store }: Ground): Promise<void> {
  for (;;) {
    const heads = await log.headSequences();
    const checkpoints = new Map((await (await store.current()).checkpoints()).map((one) => [one.partition, one.sequence]));
    if (heads.every((head, partition) => (checkpoints.get(partition) ?? 0) >= head)) return;
    await new Promise<void>((resolve) => {
      const stop = store.onChange(() => {
        stop();
        resolve();
      });
      setTimeout(() => {
        stop();
        resolve();
      }, 20);
    });
  }
}

describe.each([
  ['memory', memoryGround],
  ['SQLite', sqliteGround],
])('the projector on %s', (_name, makeGround) => {
  let on: Ground;
  beforeEach(async () => {
    on = await makeGround();
  });
  afterEach(() => on.end());

  test('projects what the bus brings; log and read store are equal', async () => {
    const projector = await on.start();
    await on.publish(await on.ledger.open());
    for (let turn = 0; turn < 30; turn += 1) await on.publish(await on.ledger.post(40));
    await caughtUp(on);
    expect(await verification(projector)).toMatchObject({ equal: true, finished: true, differences: [], compared: { accounts: 12 } });
    const copy = await on.store.current();
    for (const accountId of ACCOUNT_IDS) {
      const snapshot = await readAccount(copy, accountId, true);
      const account = on.ledger.account(accountId);
      expect(snapshot?.account.balanceMinor).toBe(account?.balanceMinor);
      expect([...(snapshot?.holds?.holds ?? [])]).toEqual([...(account?.holds ?? [])]);
    }
    const status = await projector.status();
    expect(status.partitions.map(({ checkpoint, headSequence, lagUs, heldHere }) => ({ behind: headSequence - checkpoint, lagUs, heldHere }))).toEqual(
      Array.from({ length: PARTITIONS }, () => ({ behind: 0, lagUs: 0, heldHere: true })),
    );
    expect(status.lag.commits).toBeGreaterThan(0);
    expect(ACCOUNT_IDS).toContain(status.hottestAccount);
  });

  test('heals from lost, repeated, early and pointer messages', async () => {
    const projector = await on.start();
    await on.publish(await on.ledger.open());
    const held: BusMessage[] = [];
    for (let turn = 0; turn < 40; turn += 1) {
      for (const { partition, sequence, bytes } of await on.ledger.post(20)) {
        const message = { partition, sequence, bytes };
        if (turn % 7 === 1) continue;
        if (turn % 7 === 2) held.push(message);
        else if (turn % 7 === 3) await on.bus.publish({ partition, sequence, bytes: undefined });
        else await on.bus.publish(message);
        if (turn % 7 === 4) for (const late of held.splice(0)) await on.bus.publish(late);
        if (turn % 7 === 5) await on.bus.publish({ ...message, sequence: message.sequence + 3 });
      }
    }
    await caughtUp(on);
    expect(await verification(projector)).toMatchObject({ equal: true, differences: [] });
  });

  test('while the bus is away, each poll that finds commits is soon followed by another one', async () => {
    jest.spyOn(on.bus, 'connected', 'get').mockReturnValue(false);
    const headSequences = jest.spyOn(on.log, 'headSequences');
    /** Until the log's heads are read again, after each poll of them. */
    const pauses: number[] = [];
    const after: Clock['after'] = (milliseconds, callback) => {
      const polls = headSequences.mock.calls.length;
      return systemClock.after(milliseconds, () => {
        callback();
        if (headSequences.mock.calls.length > polls) pauses.push(milliseconds);
      });
    };
    await on.start({ clock: Object.create(systemClock, { after: { value: after } }) as Clock });
    while (!pauses.includes(50)) {
      await on.ledger.post(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await caughtUp(on);
    while (pauses.at(-1) !== 250) await new Promise((resolve) => setImmediate(resolve));
  });

  test('goes on after a restart, from the log, without a message', async () => {
    const first = await on.start();
    await on.publish(await on.ledger.open());
    await on.publish(await on.ledger.post(100));
    await caughtUp(on);
    await first.stop();
    await on.ledger.post(100);
    await on.ledger.post(100);
    const second = await on.start();
    await caughtUp(on);
    expect(await verification(second)).toMatchObject({ equal: true, differences: [] });
  });

  test('rebuilds into a fresh copy while commits arrive, and refuses a second rebuild meanwhile', async () => {
    const projector = await on.start();
    await on.publish(await on.ledger.open());
    for (let turn = 0; turn < 50; turn += 1) await on.publish(await on.ledger.post(30));
    await caughtUp(on);
    const before = await on.store.current();
    const progress: RebuildProgress[] = [];
    let arriving = true;
    const writer = (async () => {
      while (arriving) {
        await on.publish(await on.ledger.post(30));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const rebuilding = projector.rebuild((one) => progress.push(one));
    await expect(projector.rebuild(() => undefined)).rejects.toThrow(RebuildRunningError);
    await rebuilding;
    arriving = false;
    await writer;
    const after = await on.store.current();
    expect(after.name).not.toBe(before.name);
    expect(progress.at(-1)).toMatchObject({ switched: true, copy: after.name });
    expect(progress[0]).toMatchObject({ switched: false, doneCommits: 0 });
    await caughtUp(on);
    expect(await verification(projector)).toMatchObject({ equal: true, differences: [] });
  });

  test('finds tampered rows and entries, and a rebuild heals them', async () => {
    const projector = await on.start();
    await on.publish(await on.ledger.open());
    for (let turn = 0; turn < 10; turn += 1) await on.publish(await on.ledger.post(60));
    await caughtUp(on);
    const copy = await on.store.current();
    const accountId = ACCOUNT_IDS[0] as string;
    const partition = on.ledger.partitionOf(accountId);
    const row = await copy.get(ACCOUNTS.name, accountId);
    const checkpoint = (await copy.checkpoints()).find((one) => one.partition === partition);
    if (row === undefined || checkpoint === undefined) throw new Error('the account is not projected');
    const { sequence, committedAtUs } = checkpoint;
    const tamper = (writes: Parameters<typeof copy.apply>[0]['writes']) =>
      copy.apply({ partition, projections: [checkpoint.projection], previousSequence: sequence, sequence, committedAtUs, writes });
    await tamper([
      { kind: 'delete', collection: ACCOUNTS.name, key: accountId },
      { kind: 'put', collection: ACCOUNTS.name, row: { ...row, balance_minor: (row.balance_minor as bigint) + 1n } },
    ]);
    const tampered = await verification(projector);
    expect(tampered.equal).toBe(false);
    expect(tampered.differences).toEqual([expect.stringMatching(/account "account-0": balance: the log says -?\d+, the read store -?\d+/)]);
    expect(await projector.verifyAggregate('account', { aggregate: 'account', key: accountId }, NEVER)).toMatchObject({ equal: false });
    expect(await projector.verifyAggregate('account', { aggregate: 'account', key: ACCOUNT_IDS[1] as string }, NEVER)).toMatchObject({
      equal: true,
      differences: [],
    });

    await projector.rebuild(() => undefined);
    expect(await verification(projector)).toMatchObject({ equal: true, differences: [] });

    const fresh = await on.store.current();
    const [segment] = (await fresh.find({ collection: ENTRY_SEGMENTS.name, limit: 1 })).rows;
    const blocks = Buffer.from(segment?.blocks as Uint8Array);
    const at = blocks.indexOf('request-') + 'request-'.length;
    blocks[at] = blocks[at] === 0x31 ? 0x32 : 0x31;
    const owner = segment?.partition as number;
    const standing = (await fresh.checkpoints()).find((one) => one.partition === owner);
    if (segment === undefined || standing === undefined) throw new Error('there is no segment');
    await fresh.apply({
      ...standing,
      projections: [standing.projection],
      previousSequence: standing.sequence,
      writes: [{ kind: 'put', collection: ENTRY_SEGMENTS.name, row: { ...segment, blocks } }],
    });
    const forged = await verification(projector);
    expect(forged.equal).toBe(false);
    expect(forged.differences.join()).toContain('entries: ');
  });

  test('projections that throw set their account aside; the others go on and it is listed', async () => {
    const first = await on.start();
    await on.publish(await on.ledger.open());
    await on.publish(await on.ledger.post(24));
    await caughtUp(on);
    await first.stop();
    const copy = await on.store.current();
    const accountId = ACCOUNT_IDS[3] as string;
    const partition = on.ledger.partitionOf(accountId);
    const row = await copy.get(ACCOUNTS.name, accountId);
    const standing = (await copy.checkpoints()).find((one) => one.partition === partition);
    if (row === undefined || standing === undefined) throw new Error('the account is not projected');
    await copy.apply({
      ...standing,
      projections: [standing.projection],
      previousSequence: standing.sequence,
      writes: [
        { kind: 'delete', collection: ACCOUNTS.name, key: accountId },
        { kind: 'put', collection: ACCOUNTS.name, row: { ...row, entry_count: 1_000 } },
      ],
    });
    const asides: string[] = [];
    const second = await on.start({
      observer: { ...SILENT_PROJECTOR_OBSERVER, setAside: ({ key }) => asides.push(key) },
    });
    await on.publish(await on.ledger.post(48));
    await caughtUp(on);
    expect(asides).toEqual([accountId]);
    expect((await second.status()).setAside).toEqual([expect.objectContaining({ aggregate: 'account', key: accountId, partition })]);
    const differing = await verification(second);
    expect(differing.differences.every((difference) => difference.startsWith(`account "${accountId}"`))).toBe(true);
    expect(differing.differences.join()).toContain('set aside');
    await second.rebuild(() => undefined);
    expect((await second.status()).setAside).toEqual([]);
    expect(await verification(second)).toMatchObject({ equal: true });
  });
});

test('rows of another incarnation, or ahead of a log that was cut, are rebuilt without being asked', async () => {
  const storage = new MemoryReadStorage(READ_COLLECTIONS);
  const old = new MemoryEventLog({ partitions: PARTITIONS });
  const on = ground(old, new MemoryReadStore({ collections: storage, identity: old.identity }), async () => undefined);
  await on.start();
  await on.publish(await on.ledger.open());
  await on.publish(await on.ledger.post(60));
  await caughtUp(on);
  await on.end();

  const restored = new MemoryEventLog({ partitions: PARTITIONS });
  const after = ground(restored, new MemoryReadStore({ collections: storage, identity: restored.identity }), async () => undefined);
  await after.ledger.open();
  await after.ledger.post(24);
  const projector = await after.start();
  while ((await after.store.incarnation()) !== restored.identity.incarnation) await new Promise((resolve) => setTimeout(resolve, 10));
  await caughtUp(after);
  expect(await verification(projector)).toMatchObject({ equal: true });
  await projector.stop();

  // The same incarnation, but the log was cut by hand and went on otherwise.
  const heads = await restored.headSequences();
  const partition = heads.indexOf(Math.max(...heads));
  await restored.dropFrom(partition, 2);
  const again = ground(restored, new MemoryReadStore({ collections: storage, identity: restored.identity }), async () => undefined);
  const copyBefore = await again.store.current();
  const cut = await again.start();
  while ((await again.store.current()).name === copyBefore.name) await new Promise((resolve) => setTimeout(resolve, 10));
  await caughtUp(again);
  expect(await verification(cut)).toMatchObject({ equal: true });
  await again.end();
  await after.end();
});

test('rows of a log that is lost are gone when the projector of the new, empty log has started', async () => {
  const storage = new MemoryReadStorage(READ_COLLECTIONS);
  const lost = new MemoryEventLog({ partitions: PARTITIONS });
  const before = ground(lost, new MemoryReadStore({ collections: storage, identity: lost.identity }), async () => undefined);
  await before.start();
  await before.publish(await before.ledger.open());
  await caughtUp(before);
  await before.end();

  const log = new MemoryEventLog({ partitions: PARTITIONS });
  const after = ground(log, new MemoryReadStore({ collections: storage, identity: log.identity }), async () => undefined);
  await after.start();
  expect(await after.store.incarnation()).toBe(log.identity.incarnation);
  expect((await (await after.store.current()).find({ collection: ACCOUNTS.name, limit: 1 })).rows).toEqual([]);
  await after.end();
});

test('two projectors share the partitions by leases, and one takes over from the other', async () => {
  const log = new MemoryEventLog(new MemoryLogStorage({ partitions: PARTITIONS }));
  const storage = new MemoryReadStorage(READ_COLLECTIONS);
  const leases = new MemoryLeaseService();
  const on = ground(log, new MemoryReadStore({ collections: storage, identity: log.identity }), async () => undefined);
  const startOne = async (id: string) =>
    on.start({
      lease: await SessionLease.open({ table: new MemoryLeaseTable(leases), holder: { id, address: 'localhost:0' }, ttlMs: 120 }),
      store: new MemoryReadStore({ collections: storage, identity: log.identity }),
    });
  const held = async (projector: Projector) => (await projector.status()).partitions.filter((one) => one.heldHere).length;
  const first = await startOne('first');
  await on.ledger.open();
  expect(await held(first)).toBe(PARTITIONS);
  const second = await startOne('second');
  while ((await held(first)) !== 2 || (await held(second)) !== 2) await new Promise((resolve) => setTimeout(resolve, 10));
  for (let turn = 0; turn < 10; turn += 1) await on.publish(await on.ledger.post(24));
  await caughtUp(on);
  await first.stop();
  while ((await held(second)) !== PARTITIONS) await new Promise((resolve) => setTimeout(resolve, 10));
  await on.publish(await on.ledger.post(24));
  await caughtUp(on);
  expect(await verification(second)).toMatchObject({ equal: true, differences: [] });
  await on.end();
});

/** What the copy in force shows of each account, and where its partitions stand. */
async function shown(store: ReadStore): Promise<{ readonly copy: string; readonly entries: Map<string, number>; readonly checkpoints: Map<number, number> }> {
  const copy = await store.current();
  const entries = new Map<string, number>();
  for (const accountId of ACCOUNT_IDS) entries.set(accountId, (await readAccount(copy, accountId, false))?.account.entryCount ?? 0);
  return { copy: copy.name, entries, checkpoints: new Map((await copy.checkpoints()).map(({ partition, sequence }) => [partition, sequence])) };
}

/** The store of a projector whose rebuild halts at a step until the test lets it go on. */
function haltingAt(
  store: ReadStore,
  step: 'beginSwitch' | 'activate',
): { readonly store: ReadStore; readonly reached: Promise<void>; readonly goOn: () => void } {
  let reach = (): void => undefined;
  let goOn = (): void => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const halting = new Proxy(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...values: unknown[]) => Promise<unknown>;
      if (property !== step) return method;
      return async (...values: unknown[]) => {
        reach();
        await gate;
        return method(...values);
      };
    },
  });
  return { store: halting, reached, goOn };
}

describe('a rebuild beside another projector', () => {
  let leases: MemoryLeaseService;
  let log: MemoryEventLog;
  let storage: MemoryReadStorage;
  let on: Ground;
  beforeEach(() => {
    leases = new MemoryLeaseService();
    log = new MemoryEventLog({ partitions: PARTITIONS });
    storage = new MemoryReadStorage(READ_COLLECTIONS);
    on = ground(log, new MemoryReadStore({ collections: storage, identity: log.identity }), async () => undefined);
  });
  afterEach(() => on.end());

  const newStore = () => new MemoryReadStore({ collections: storage, identity: log.identity });
  const openLease = (id: string) => SessionLease.open({ table: new MemoryLeaseTable(leases), holder: { id, address: 'localhost:0' }, ttlMs: LEASE_TTL_MS });
  const startOne = async (id: string, store: ReadStore) => on.start({ lease: await openLease(id), store });
  /** As after a pause of its holder for longer than the lease. */
  const steal = async (): Promise<void> => {
    const table = new MemoryLeaseTable(leases);
    const entry = await table.get('lease/projector-rebuild', LEASE_TTL_MS);
    if (entry === undefined) throw new Error('nobody has the lease');
    const thief = { state: 'held', holder: { id: 'thief', address: '' }, session: 'thief', ttlMs: 60_000 };
    await table.put(entry.key, JSON.stringify(thief), entry.revision, LEASE_TTL_MS);
  };

  /** The other one has every partition, or most: what it writes, it writes as another process would. */
  async function startTwo(rebuilding: ReadStore) {
    const otherStore = newStore();
    const looks = jest.spyOn(otherStore, 'switchUnderWay');
    const other = await startOne('other', otherStore);
    const rebuilder = await startOne('rebuilder', rebuilding);
    await on.publish(await on.ledger.open());
    await on.publish(await on.ledger.post(48));
    await caughtUp(on);
    /** Resolves when a write of the other one was refused, and it has looked several times whether the switch is over. */
    const refused = async (): Promise<void> => {
      const before = looks.mock.calls.length;
      while (looks.mock.calls.length < before + 3) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return { rebuilder, other, refused };
  }

  test.each(['beginSwitch', 'activate'] as const)('never goes back: commits that the other one projects while it halts at %s', async (step) => {
    const { store, reached, goOn } = haltingAt(newStore(), step);
    const { rebuilder, other, refused } = await startTwo(store);
    const rebuilt = rebuilder.rebuild(() => undefined);
    await reached;
    const closed = (await on.store.switchUnderWay()) !== undefined;
    await on.publish(await on.ledger.post(48));
    // As far as the other one can go now: to the head of the log, or nowhere, because the copy is closed to it.
    await (closed ? refused() : caughtUp(on));
    const before = await shown(on.store);
    goOn();
    await rebuilt;
    const after = await shown(on.store);
    expect(after.copy).not.toBe(before.copy);
    for (const [partition, sequence] of before.checkpoints) expect(after.checkpoints.get(partition)).toBeGreaterThanOrEqual(sequence);
    for (const [accountId, entries] of before.entries) expect(after.entries.get(accountId)).toBeGreaterThanOrEqual(entries);
    await caughtUp(on);
    expect(await verification(other)).toMatchObject({ equal: true, differences: [] });
  });

  test('that lost its lease stops, and puts nothing in force', async () => {
    const { store, reached, goOn } = haltingAt(newStore(), 'beginSwitch');
    const { rebuilder } = await startTwo(store);
    const before = await on.store.current();
    const rebuilt = rebuilder.rebuild(() => undefined);
    await reached;
    await steal();
    goOn();
    await expect(rebuilt).rejects.toThrow(RebuildRunningError);
    expect((await on.store.current()).name).toBe(before.name);
    expect(await on.store.switchUnderWay()).toBeUndefined();
  });

  test('whose copy another rebuild abandoned puts nothing in force; the other rebuild does', async () => {
    const { store, reached, goOn } = haltingAt(newStore(), 'activate');
    const { rebuilder, other } = await startTwo(store);
    const first = rebuilder.rebuild(() => undefined);
    await reached;
    await steal();
    const table = new MemoryLeaseTable(leases);
    const stolen = await table.get('lease/projector-rebuild', LEASE_TTL_MS);
    await table.put('lease/projector-rebuild', JSON.stringify({ state: 'free' }), stolen?.revision ?? 0, LEASE_TTL_MS);
    await other.rebuild(() => undefined);
    const inForce = await on.store.current();
    goOn();
    await expect(first).rejects.toThrow(RebuildRunningError);
    expect((await on.store.current()).name).toBe(inForce.name);
    await on.publish(await on.ledger.post(24));
    await caughtUp(on);
    expect(await verification(other)).toMatchObject({ equal: true, differences: [] });
  });
});
