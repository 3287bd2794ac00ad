/** Two instances over one log of which a commit was changed. */
import { Engine, SILENT_OBSERVER, UNREADABLE_RETRY_MS, type EngineObserver } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLease, type MemoryLeases, MemoryLogStorage, MemorySnapshotStore } from '@sluice/memory';
import { PartitionOwnership } from './partition-ownership';

const TTL_MS = 1_500;

const clock = new ManualClock();
const storage = new MemoryLogStorage({ partitions: 2 });
const leases: MemoryLeases = new Map();

function instance(id: string): { engine: Engine; ownership: PartitionOwnership; told: string[]; troubles: string[] } {
  const [told, troubles]: string[][] = [[], []];
  const observer: EngineObserver = { ...SILENT_OBSERVER, trouble: (_partition, what) => void troubles?.push(what) };
  let ownership: PartitionOwnership | undefined;
  const engine = new Engine({
    log: new MemoryEventLog(storage),
    snapshots: new MemorySnapshotStore(),
    bus: new InProcessBus({ clock }),
    clock,
    capabilities: [],
    owner: id,
    shared: true,
    observer,
    onLost: (partition) => ownership?.fenced(partition),
  });
  ownership = new PartitionOwnership({
    engine,
    lease: new MemoryLease({ leases, clock }),
    holder: { id, address: `${id}:1` },
    clock,
    ttlMs: TTL_MS,
    trouble: observer.trouble,
    unreadable: (partition, error) => void told?.push(`${id}, partition ${partition}: ${error?.message ?? 'readable'}`),
  });
  return { engine, ownership, told: told ?? [], troubles: troubles ?? [] };
}

test('a partition whose log cannot be read is not fought over: an instance that tried says so once, and serves it when it was repaired', async () => {
  const first = instance('first');
  await first.ownership.start();
  await first.ownership.stop();
  const commits = storage.commitsOf(1);
  const whole = commits[0];
  if (whole === undefined) throw new Error('the partition has no commit');
  const bytes = Buffer.from(whole.bytes);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] as number) ^ 1;
  commits[0] = { ...whole, bytes };

  const [one, two] = [instance('one'), instance('two')];
  await one.ownership.start();
  await two.ownership.start();
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
  expect([...one.troubles, ...two.troubles]).toEqual([]);
  expect(commits).toHaveLength(1);

  commits[0] = whole;
  await clock.elapse(UNREADABLE_RETRY_MS);
  expect([...one.engine.owned, ...two.engine.owned].sort()).toEqual([0, 1]);
  expect(told().filter((line) => line.endsWith('readable'))).toHaveLength(faults.length);
  await Promise.all([one.ownership.stop(), two.ownership.stop()]);
});
