/** Instances that share the partitions of one log. */
import { Engine, type Capability, hashSeeds, SILENT_OBSERVER, UNREADABLE_RETRY_MS, type EngineObserver } from '@sluice/engine';
import { SessionLease } from '@sluice/leases';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLeaseService, MemoryLeaseTable, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { MissingKeysError } from '@sluice/ports';
import { ownAll } from './own-all';
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

async function instance(
  id: string,
  capabilities: readonly Capability[] = [],
): Promise<{ engine: Engine; ownership: PartitionOwnership; told: string[]; troubles: string[] }> {
  const [told, troubles]: string[][] = [[], []];
  const observer: EngineObserver = { ...SILENT_OBSERVER, trouble: (_partition, what) => void troubles?.push(what) };
  const engine = new Engine({
    log: new MemoryEventLog(storage),
    snapshots: new MemorySnapshotStore(),
    bus: new InProcessBus({ clock }),
    clock,
    capabilities,
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

/** Accounts of each partition whose keys the keyring lacks. */
let lacking: readonly number[] = [];

const signing: Capability = {
  name: 'signing',
  createState: ({ partition }) => ({
    replay: () => undefined,
    flush: () => undefined,
    beginSnapshot: () => ({ next: () => undefined, end: () => undefined }),
    restore: () => undefined,
    assertKeysPresent: async () => {
      const accounts = lacking[partition] ?? 0;
      if (accounts > 0) throw new MissingKeysError(accounts, [partition]);
    },
  }),
};

describe('keys that the keyring lacks', () => {
  const commitCounts = (): number[] => [0, 1].map((partition) => storage.commitsOf(partition).length);

  afterEach(() => {
    lacking = [];
  });

  test('an instance that is alone takes no partition over if any lacks keys, and says of how many accounts', async () => {
    const { engine } = await instance('alone', [signing]);
    lacking = [3, 4];
    await expect(ownAll(engine)).rejects.toMatchObject({ accounts: 7, partitions: [0, 1] });
    lacking = [0, 4];
    await expect(ownAll(engine)).rejects.toMatchObject({ accounts: 4, partitions: [1] });
    expect([engine.owned, commitCounts()]).toEqual([[], [0, 0]]);
    lacking = [];
    await ownAll(engine);
    expect([engine.owned, commitCounts()]).toEqual([
      [0, 1],
      [1, 1],
    ]);
    await engine.stop({ snapshot: false });
  });

  test('a start whose partitions lack keys is refused, and leaves the partitions to others', async () => {
    lacking = [3, 4];
    const [one, two] = [await instance('one', [signing]), await instance('two', [signing])];
    const refused = expect(one.ownership.start()).rejects.toMatchObject({ accounts: 7, partitions: [0, 1] });
    await clock.elapse(UNREADABLE_RETRY_MS);
    await refused;
    await done(one.ownership.stop());
    expect(commitCounts()).toEqual([0, 0]);
    lacking = [];
    await done(two.ownership.start());
    expect(two.engine.owned).toEqual([0, 1]);
    await done(two.ownership.stop());
  });

  test('an instance that takes such a partition over keeps its lease, serves the others, says so once, and serves it when the keys are back', async () => {
    const [one, two] = [await instance('one', [signing]), await instance('two', [signing])];
    await done(Promise.all([one.ownership.start(), two.ownership.start()]).then(() => undefined));
    while (one.engine.owned.length !== 1 || two.engine.owned.length !== 1) await clock.elapse(100);
    const [taken = -1] = one.engine.owned;
    const [kept = -1] = two.engine.owned;
    lacking = [5, 5];
    await done(one.ownership.stop());
    await clock.elapse(UNREADABLE_RETRY_MS * 3);
    expect(two.told).toEqual([`two, partition ${taken}: ${new MissingKeysError(5, [taken]).message}`]);
    expect([two.engine.owned, two.ownership.ownerOf(taken)?.id]).toEqual([[kept], 'two']);
    lacking = [];
    await clock.elapse(UNREADABLE_RETRY_MS);
    expect(two.engine.owned).toEqual([0, 1]);
    expect(two.told.at(-1)).toBe(`two, partition ${taken}: readable`);
    await done(two.ownership.stop());
  });
});
