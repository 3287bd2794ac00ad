/** Several instances share partitions out by leases, on one clock. */
import { ManualClock, MemoryLeaseService, MemoryLeaseTable } from '@sluice/memory';
import { PartitionLeases } from './partition-leases';
import { SessionLease } from './session-lease';

const PARTITIONS = 4;
const TTL_MS = 3_000;
/** How long a free partition is left to the instance that should have it, and an instance that starts waits for others. */
const GRACE_MS = TTL_MS / 3;

let clock: ManualClock;
let service: MemoryLeaseService;
let started: Instance[];
/** What the instances did, in order. */
let journal: string[];
/** Lets end what a test keeps from ending. */
let endings: (() => void)[];

beforeEach(() => {
  clock = new ManualClock();
  service = new MemoryLeaseService();
  started = [];
  journal = [];
  endings = [];
});
afterEach(async () => {
  for (const end of endings) end();
  for (const { table } of started) table.setConnected(false);
  await Promise.all(started.map(({ shares }) => shares.stop()));
  await Promise.all(started.map(({ lease }) => lease.close()));
});

class Instance {
  readonly has = new Set<number>();
  readonly troubles: unknown[] = [];
  whileLosing = async (_partition: number): Promise<void> => undefined;
  whilePreparing = async (_partition: number): Promise<void> => undefined;
  preparing = 0;

  private constructor(
    readonly id: string,
    readonly table: MemoryLeaseTable,
    readonly lease: SessionLease,
    readonly shares: PartitionLeases,
  ) {}

  static async open(id: string, options: { preparing?: boolean; partitions?: number } = {}): Promise<Instance> {
    const { preparing = true, partitions = PARTITIONS } = options;
    const table = new MemoryLeaseTable(service, { clock });
    const lease = await SessionLease.open({ table, holder: { id, address: `${id}:7400` }, ttlMs: TTL_MS, clock });
    const say = (what: string): unknown => journal.push(`${id} ${what}`);
    const shares = new PartitionLeases({
      kind: 'command',
      lease,
      partitions,
      clock,
      granted: (partition) => {
        instance.has.add(partition);
        say(`granted ${partition}`);
      },
      lost: async (partition) => {
        instance.has.delete(partition);
        say(`lost ${partition}`);
        await instance.whileLosing(partition);
      },
      ...(preparing && {
        prepare: async (partition: number) => {
          say(`prepares ${partition}`);
          instance.preparing += 1;
          await instance.whilePreparing(partition).finally(() => (instance.preparing -= 1));
        },
        abandon: (partition: number) => void say(`abandons ${partition}`),
      }),
      trouble: (error) => void instance.troubles.push(error),
    });
    const instance = new Instance(id, table, lease, shares);
    started.push(instance);
    return instance;
  }

  get partitions(): number[] {
    return [...this.has].sort((left, right) => left - right);
  }

  /** Its process ends without a word. */
  die(): void {
    this.table.setConnected(false);
    started.splice(started.indexOf(this), 1);
  }
}

/** Lets time pass until the work is done. */
async function done<Result>(work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const finished = work.finally(() => {
    isDone = true;
  });
  for (let step = 0; !isDone && step < 1_000; step += 1) await clock.elapse(50);
  return finished;
}

async function start(id: string, options: Parameters<typeof Instance.open>[1] = {}): Promise<Instance> {
  const instance = await Instance.open(id, options);
  await done(instance.shares.start());
  return instance;
}

/** Lets what is on its way arrive, without any time. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.elapse(0);
}

/** Every partition has exactly one holder, and all agree who it is. */
function expectShared(instances: readonly Instance[]): void {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const holders = instances.filter(({ has }) => has.has(partition)).map(({ id }) => id);
    expect({ partition, holders }).toEqual({ partition, holders: [expect.any(String)] });
    for (const { shares } of instances) expect(shares.holderOf(partition)?.id).toBe(holders[0]);
  }
}

const gate = (): { promise: Promise<void>; open: () => void } => {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  endings.push(open);
  return { promise, open };
};

/** Does not end while the test runs. */
const never = (): Promise<void> => gate().promise;

describe('starting', () => {
  test('the first one has everything when it has started', async () => {
    const one = await start('one');
    expect(one.partitions).toEqual([0, 1, 2, 3]);
    expect(clock.monotonicMs()).toBeLessThanOrEqual(GRACE_MS + 50);
  });

  test('instances that start in the same moment share out at once: nothing is taken that is to be handed over', async () => {
    const instances = await Promise.all(['one', 'two'].map((id) => Instance.open(id)));
    await done(Promise.all(instances.map(({ shares }) => shares.start())));
    await clock.elapse(5 * TTL_MS);
    expect(journal.sort()).toEqual(['one granted 0', 'one granted 1', 'two granted 2', 'two granted 3']);
    expectShared(started);
  });

  test.each`
    instances | shares
    ${2}      | ${[2, 2]}
    ${3}      | ${[1, 1, 2]}
    ${4}      | ${[1, 1, 1, 1]}
    ${5}      | ${[0, 1, 1, 1, 1]}
  `('$instances instances have $shares partitions', async ({ instances, shares }: { instances: number; shares: number[] }) => {
    for (let index = 0; index < instances; index += 1) await start(`instance-${index}`);
    await settle();
    expect(started.map(({ has }) => has.size).sort()).toEqual(shares);
    expectShared(started);
  });

  test('an instance that starts after all others have died is ready when it has their partitions', async () => {
    (await start('one')).die();
    const before = clock.monotonicMs();
    const two = await start('two');
    expect(two.partitions).toEqual([0, 1, 2, 3]);
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(TTL_MS);
  });

  test('an instance that is started again has at once what it had', async () => {
    (await start('one')).die();
    const before = clock.monotonicMs();
    const again = await start('one');
    expect(again.partitions).toEqual([0, 1, 2, 3]);
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(GRACE_MS + 50);
  });

  test('an instance that joins is ready before it has anything', async () => {
    await start('one');
    const two = await Instance.open('two');
    two.whilePreparing = never;
    const before = clock.monotonicMs();
    await done(two.shares.start());
    expect(clock.monotonicMs() - before).toBeLessThanOrEqual(GRACE_MS);
  });
});

describe('handing over', () => {
  test('the successor makes itself ready, then the holder lets go, then the successor has it; no time passes in between', async () => {
    await start('one');
    journal.length = 0;
    const two = await Instance.open('two');
    void two.shares.start();
    await settle();
    expect(journal.filter((line) => line.endsWith('2'))).toEqual(['two prepares 2', 'one lost 2', 'two granted 2']);
    expect(journal.filter((line) => line.endsWith('3'))).toEqual(['two prepares 3', 'one lost 3', 'two granted 3']);
    expectShared(started);
  });

  test('the holder has it until the successor is ready', async () => {
    const one = await start('one');
    const two = await Instance.open('two');
    const loading = gate();
    two.whilePreparing = () => loading.promise;
    void two.shares.start();
    await clock.elapse(20 * TTL_MS);
    expect([one.partitions, two.partitions]).toEqual([[0, 1, 2, 3], []]);
    loading.open();
    await settle();
    expect([one.partitions, two.partitions]).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  test('partitions are prepared one after the other', async () => {
    const one = await start('one', { partitions: 16 });
    const two = await Instance.open('two', { partitions: 16 });
    let most = 0;
    two.whilePreparing = async () => {
      most = Math.max(most, two.preparing);
      await new Promise<void>((resolve) => clock.after(10, resolve));
    };
    void two.shares.start();
    await clock.elapse(TTL_MS);
    expect([one.has.size, two.has.size, most]).toEqual([8, 8, 1]);
  });

  test('the holder drains for as long as it takes; the successor does not have it before', async () => {
    const one = await start('one');
    const draining = gate();
    one.whileLosing = () => draining.promise;
    const two = await start('two');
    await clock.elapse(10 * TTL_MS);
    expect([one.partitions, two.partitions]).toEqual([[0, 1], []]);
    draining.open();
    await settle();
    expectShared([one, two]);
  });

  test('a slow drain of one partition delays no other, and no renewal', async () => {
    const one = await start('one');
    one.whileLosing = (partition) => (partition === 2 ? never() : Promise.resolve());
    const two = await start('two');
    await clock.elapse(10 * TTL_MS);
    expect([one.partitions, two.partitions]).toEqual([[0, 1], [3]]);
    expect(journal).not.toContain('two granted 0');
  });

  test('a successor that dies when it was named is not waited for', async () => {
    const one = await start('one');
    const two = await Instance.open('two');
    one.whileLosing = async () => two.table.setConnected(false);
    void two.shares.start();
    await settle();
    two.die();
    expect(one.partitions).toEqual([0, 1, 3]);
    await clock.elapse(GRACE_MS);
    await settle();
    expect(one.partitions).toEqual([0, 1, 2, 3]);
  });

  test('a successor to which the lease service does not answer tries again before anybody else may take the partition', async () => {
    const one = await start('one');
    const two = await Instance.open('two');
    const acquire = two.lease.acquire.bind(two.lease);
    const refused: string[] = [];
    jest.spyOn(two.lease, 'acquire').mockImplementation((name) => {
      if (!/^command\/\d$/.test(name) || refused.length === 3) return acquire(name);
      refused.push(name);
      return Promise.reject(new Error('no answer in time'));
    });
    void two.shares.start();
    await settle();
    await clock.elapse(GRACE_MS / 2);
    await settle();
    expect([refused.length, two.troubles.length, two.partitions.length]).toEqual([3, 3, 2]);
    expectShared([one, two]);
    expect(journal.filter((line) => line.startsWith('one granted'))).toHaveLength(PARTITIONS);
  });

  test('a preparation that is not needed any more is dropped', async () => {
    const one = await start('one');
    const two = await Instance.open('two');
    two.whilePreparing = never;
    void two.shares.start();
    await settle();
    await start('three');
    expect(journal.filter((line) => line.startsWith('two'))).toEqual(['two prepares 2', 'two abandons 2', 'two prepares 3']);
    await done(two.shares.stop());
    expect(journal).toContain('two abandons 3');
    await settle();
    expect(one.has.size).toBe(2);
  });

  test('an instance that cannot prepare gets nothing, and delays nothing', async () => {
    const one = await start('one');
    const two = await Instance.open('two');
    two.whilePreparing = () => Promise.reject(new Error('no database'));
    await done(two.shares.start());
    await clock.elapse(10 * TTL_MS);
    expect([one.partitions, two.partitions]).toEqual([[0, 1, 2, 3], []]);
    expect(journal.filter((line) => line === 'two prepares 2').length).toBeGreaterThan(1);
    two.whilePreparing = () => Promise.resolve();
    await clock.elapse(TTL_MS);
    expectShared([one, two]);
  });

  test('without anything to prepare the partition changes hands at once', async () => {
    const one = await start('one', { preparing: false });
    const two = await Instance.open('two', { preparing: false });
    void two.shares.start();
    await settle();
    expectShared([one, two]);
  });

  test('nothing moves while everything is shared out evenly', async () => {
    for (const id of ['one', 'two', 'three']) await start(id);
    await settle();
    journal.length = 0;
    await clock.elapse(100 * TTL_MS);
    expect(journal).toEqual([]);
  });
});

describe('dying', () => {
  test('the partitions of one that dies are taken over when its leases have run out, not before', async () => {
    const one = await start('one');
    const two = await start('two');
    await clock.elapse(TTL_MS / 3);
    one.die();
    await clock.elapse(TTL_MS - 1);
    expect(two.partitions).toEqual([2, 3]);
    await clock.elapse(1);
    await settle();
    expect(two.partitions).toEqual([0, 1, 2, 3]);
  });

  test('partitions of the dead are shared out among the living, each to one', async () => {
    const [one] = [await start('one'), await start('two'), await start('three')];
    await settle();
    await clock.elapse(TTL_MS);
    one?.die();
    await clock.elapse(TTL_MS);
    await settle();
    expect(started.map(({ has }) => has.size)).toEqual([2, 2]);
    expectShared(started);
  });

  test('what an instance should take and does not, another one takes', async () => {
    const one = await start('one');
    const two = await start('two');
    const three = await start('three');
    await settle();
    const had = one.partitions;
    // It is there, and does nothing.
    two.lease.acquire = () => never().then(() => undefined);
    await clock.elapse(TTL_MS);
    one.die();
    await clock.elapse(TTL_MS + GRACE_MS);
    await settle();
    expect(three.partitions).toEqual(expect.arrayContaining(had));
  });
});

describe('stopping', () => {
  test('one that stops hands over to others that have made themselves ready', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    journal.length = 0;
    const before = clock.monotonicMs();
    const stopped = one.shares.stop();
    await settle();
    await stopped;
    expect(clock.monotonicMs()).toBe(before);
    for (const partition of [0, 1])
      expect(journal.filter((line) => line.endsWith(`${partition}`))).toEqual(
        ['two prepares', 'one lost', 'two granted'].map((line) => `${line} ${partition}`),
      );
    expect(two.partitions).toEqual([0, 1, 2, 3]);
  });

  test('each partition goes when it has drained, whatever the others do', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    const draining = gate();
    one.whileLosing = (partition) => (partition === 0 ? draining.promise : Promise.resolve());
    const stopped = one.shares.stop();
    await clock.elapse(5 * TTL_MS);
    expect(two.partitions).toEqual([1, 2, 3]);
    draining.open();
    await done(stopped);
    await settle();
    expect(two.partitions).toEqual([0, 1, 2, 3]);
  });

  test('the last one does not wait for anybody', async () => {
    const one = await start('one');
    const stopped = one.shares.stop();
    await settle();
    await stopped;
    expect(one.partitions).toEqual([]);
  });

  test('all that stop together do not wait for each other', async () => {
    const [one, two] = [await start('one'), await start('two')];
    await settle();
    const stopped = Promise.all([one.shares.stop(), two.shares.stop()]);
    await settle();
    await stopped;
    expect([...one.has, ...two.has]).toEqual([]);
  });

  test('what nobody makes itself ready for is released after a while', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    two.whilePreparing = never;
    const stopped = one.shares.stop();
    await clock.elapse(9_000);
    expect(one.partitions).toEqual([0, 1]);
    await done(stopped);
    await settle();
    expect(two.partitions).toEqual([0, 1, 2, 3]);
  });

  test('a stopped instance leaves no timer and no lease behind', async () => {
    const one = await start('one');
    const stopped = one.shares.stop();
    await settle();
    await stopped;
    await one.lease.close();
    expect(clock.pendingTimers).toBe(0);
    expect([...service.entries.values()].filter(({ value }) => value.includes('"held"') || value.includes('"alive"'))).toEqual([]);
  });

  test('one that stops while the lease service is away does not wait', async () => {
    const one = await start('one');
    await start('two');
    await settle();
    one.table.setConnected(false);
    const stopped = one.shares.stop();
    await settle();
    await stopped;
    expect(one.partitions).toEqual([]);
  });
});

describe('the lease service goes away', () => {
  test('everybody goes on with what it has, and afterwards, too; it is told once', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    journal.length = 0;
    for (const { table } of [one, two]) table.setConnected(false);
    await clock.elapse(10 * TTL_MS);
    for (const { table } of [one, two]) table.setConnected(true);
    await clock.elapse(10 * TTL_MS);
    // Nothing was given up and taken again in between.
    expect(journal).toEqual([]);
    expect([one.troubles.length, two.troubles.length]).toEqual([1, 1]);
    expectShared([one, two]);
  });

  test('it comes and goes: nothing moves', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    journal.length = 0;
    for (let flap = 0; flap < 60; flap += 1) {
      for (const { table } of flap % 3 === 0 ? [one] : [one, two]) table.setConnected(false);
      await clock.elapse((flap % 3) * (TTL_MS / 3 + 10));
      for (const { table } of [one, two]) table.setConnected(true);
      await clock.elapse((flap % 5) * 300);
    }
    await clock.elapse(5 * TTL_MS);
    expect(journal).toEqual([]);
    expectShared([one, two]);
  });

  test('it has forgotten everything: nothing moves', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    journal.length = 0;
    for (const { table } of [one, two]) table.setConnected(false);
    service.clear();
    await clock.elapse(TTL_MS);
    for (const { table } of [one, two]) table.setConnected(true);
    await clock.elapse(10 * TTL_MS);
    expect(journal).toEqual([]);
    expectShared([one, two]);
  });

  test('one that comes back when others have taken its partitions gives them up and takes its share', async () => {
    const one = await start('one');
    const two = await start('two');
    await settle();
    one.table.setConnected(false);
    await clock.elapse(3 * TTL_MS);
    expect(two.partitions).toEqual([0, 1, 2, 3]);
    one.table.setConnected(true);
    await clock.elapse(TTL_MS);
    await settle();
    expect([one.has.size, two.has.size]).toEqual([2, 2]);
    expectShared([one, two]);
  });

  test.each`
    moment                                 | when
    ${'while it drains'}                   | ${'draining'}
    ${'before the successor has taken it'} | ${'released'}
  `('a partition that is handed over when the service goes away, $moment, is resumed', async ({ when }: { when: string }) => {
    const one = await start('one');
    const two = await Instance.open('two');
    one.whileLosing = async () => {
      two.table.setConnected(false);
      if (when === 'draining') one.table.setConnected(false);
    };
    void two.shares.start();
    await settle();
    one.table.setConnected(false);
    await clock.elapse(3 * TTL_MS);
    expect([one.partitions, two.partitions]).toEqual([[0, 1, 2, 3], []]);
    one.whileLosing = async () => undefined;
    for (const { table } of [one, two]) table.setConnected(true);
    await clock.elapse(2 * TTL_MS);
    await settle();
    expect([one.has.size, two.has.size]).toEqual([2, 2]);
    expectShared([one, two]);
  });
});

describe('partitions that cannot be worked on', () => {
  test('are left to others', async () => {
    const one = await start('one');
    await start('two');
    await clock.elapse(TTL_MS);
    journal.length = 0;
    one.has.delete(0);
    await one.shares.giveUp(0);
    await clock.elapse(GRACE_MS);
    await settle();
    expect(journal).toContain('two granted 0');
  });

  test('are tried again after a while where there is no other', async () => {
    const one = await start('one');
    one.has.delete(2);
    await one.shares.giveUp(2);
    expect(await one.shares.findHolder(2)).toBeUndefined();
    await clock.elapse(GRACE_MS / 2 - 1);
    expect(one.partitions).toEqual([0, 1, 3]);
    await clock.elapse(1);
    await settle();
    expect(await one.shares.findHolder(2)).toMatchObject({ id: 'one' });
    expect(one.partitions).toEqual([0, 1, 2, 3]);
  });
});

test('two processes with one id do not throw each other out again and again', async () => {
  const first = await start('one');
  const second = await start('one');
  await clock.elapse(5 * TTL_MS);
  await settle();
  expect([first.partitions, second.partitions]).toEqual([[], [0, 1, 2, 3]]);
  expect(String(first.troubles)).toContain('ids of instances must differ');
  expect(journal.filter((line) => line.includes('granted'))).toHaveLength(2 * PARTITIONS);
});

test('an instance tells its listeners which partitions changed hands, and no others', async () => {
  const one = await start('one');
  const two = await start('two');
  await settle();
  const changes: [number, string | undefined][] = [];
  const end = one.shares.onHolderChanged((partition) => changes.push([partition, one.shares.holderOf(partition)?.id]));
  const moving = two.partitions;
  two.die();
  await clock.elapse(TTL_MS / 3);
  expect(changes).toEqual([]);
  await clock.elapse(TTL_MS);
  await settle();
  expect(changes).toEqual([...moving.map((partition) => [partition, undefined]), ...moving.map((partition) => [partition, 'one'])]);
  end();
  await start('three');
  expect(changes).toHaveLength(2 * moving.length);
});
