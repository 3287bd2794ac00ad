/** Instances that share the partitions of one log. */
import { Engine, hashSeeds, SILENT_OBSERVER, UNREADABLE_RETRY_MS, type EngineObserver } from '@sluice/engine';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLeaseService, MemoryLeaseTable, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { PartitionOwnership } from './partition-ownership';

const TTL_MS = 1_500;

let clock: ManualClock;
let storage: MemoryLogStorage;
let leases: MemoryLeaseService;

beforeEach(() => {
  clock = new ManualClock();
  storage = new MemoryLogStorage({ partitions: 2 });
  leases = new MemoryLeaseService();
});

async function instance(id: string): Promise<{ engine: Engine; ownership: PartitionOwnership; told: string[]; troubles: string[] }> {
  const [told, troubles]: string[][] = [[], []];
  const observer: EngineObserver = { ...SILENT_OBSERVER, trouble: (_partition, what) => void troubles?.push(what) };
  const engine = new Engine({
    log: new MemoryEventLog(storage),
    snapshots: new MemorySnapshotStore(),
    bus: new InProcessBus({ clock }),
    clock,
    capabilities: [],
    seeds: hashSeeds(Buffer.from('a secret'), Buffer.alloc(16)),
    owner: id,
    shared: true,
    observer,
    onLost: (partition) => ownership.fenced(partition),
  });
  const ownership = new PartitionOwnership({
    engine,
    lease: await SessionLease.open({ table: new MemoryLeaseTable(leases, { clock }), holder: { id, address: `${id}:1` }, ttlMs: TTL_MS, clock }),
    clock,
    trouble: observer.trouble,
    unreadable: (partition, error) => void told?.push(`${id}, partition ${partition}: ${error?.message ?? 'readable'}`),
  });
  return { engine, ownership, told: told ?? [], troubles: troubles ?? [] };
}

/** Lets the time pass until it is done. */
async function done(work: Promise<void>): Promise<void> {
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.elapse(100);
  await work;
}

test('a partition whose log cannot be read is not fought over: an instance that tried says so once, and serves it when it was repaired', async () => {
  const first = await instance('first');
  await done(first.ownership.start());
  await done(first.ownership.stop());
  const commits = storage.commitsOf(1);
  const whole = commits[0];
  if (whole === undefined) throw new Error('the partition has no commit');
  const bytes = Buffer.from(whole.bytes);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
  commits[0] = { ...whole, bytes };

  const [one, two] = [await instance('one'), await instance('two')];
  await done(one.ownership.start());
  await done(two.ownership.start());
  // The even share may move the partition once; each instance that tried says so once.
  await clock.elapse(UNREADABLE_RETRY_MS * 3);
  const told = (): string[] => [...one.told, ...two.told];
  const faults = told().filter((line) => line.endsWith('sequence 1: the checksum does not match: the commit was changed'));
  expect(faults.length).toBeGreaterThan(0);
  expect(new Set(faults).size).toBe(faults.length);
  const before = told();
  await clock.elapse(UNREADABLE_RETRY_MS * 3);
  expect(told()).toEqual(before);
  expect([...one.engine.owned, ...two.engine.owned]).toEqual([0]);
  expect([...one.troubles, ...two.troubles]).toEqual(['the partition could not be prepared; its owner keeps it']);
  expect(commits).toHaveLength(1);

  commits[0] = whole;
  await clock.elapse(UNREADABLE_RETRY_MS);
  expect([...one.engine.owned, ...two.engine.owned].sort()).toEqual([0, 1]);
  expect(told().filter((line) => line.endsWith('readable'))).toHaveLength(faults.length);
  await done(Promise.all([one.ownership.stop(), two.ownership.stop()]).then(() => undefined));
});

test('instances that start together are ready when every partition has an owner, and their own ones are loaded', async () => {
  const instances = [await instance('one'), await instance('two'), await instance('three')];
  const seen: { readonly id: number; readonly owners: (string | undefined)[]; readonly loaded: boolean }[] = [];
  for (const [id, { engine, ownership }] of instances.entries()) {
    void ownership.everyPartitionOwned().then(() => {
      const owners = [0, 1].map((partition) => ownership.ownerOf(partition)?.id);
      const own = [0, 1].filter((partition) => owners[partition] === ['one', 'two', 'three'][id]);
      seen.push({ id, owners, loaded: own.every((partition) => engine.partition(partition) !== undefined) });
    });
  }
  expect(seen).toEqual([]);
  await done(Promise.all(instances.map(({ ownership }) => ownership.start())).then(() => undefined));
  while (seen.length < instances.length) await clock.elapse(50);
  for (const { owners, loaded } of seen) expect([owners.includes(undefined), loaded]).toEqual([false, true]);
  await done(Promise.all(instances.map(({ ownership }) => ownership.stop())).then(() => undefined));
});
