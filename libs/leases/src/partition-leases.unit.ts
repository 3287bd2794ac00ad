/** Several instances share partitions out by leases, on one clock. */
import { ManualClock, MemoryLease, type MemoryLeases } from '@sluice/memory';
import { PartitionLeases } from './partition-leases';

const PARTITIONS = 4;
const TTL_MS = 3_000;
const ROUND_MS = TTL_MS / 3;

let clock: ManualClock;
let leases: MemoryLeases;
let started: Instance[];

beforeEach(() => {
  clock = new ManualClock();
  leases = new Map();
  started = [];
});
afterEach(() => Promise.all(started.map(({ shares }) => shares.stop())));

class Instance {
  readonly has = new Set<number>();
  readonly events: string[] = [];
  whileLosing = (): void => undefined;
  readonly lease = new MemoryLease({ leases, clock });
  readonly shares: PartitionLeases;

  constructor(readonly id: string) {
    this.shares = new PartitionLeases({
      kind: 'command',
      lease: this.lease,
      holder: { id, address: `${id}:7400` },
      partitions: PARTITIONS,
      clock,
      ttlMs: TTL_MS,
      granted: (partition) => {
        this.has.add(partition);
        this.events.push(`granted ${partition}`);
      },
      lost: async (partition) => {
        this.has.delete(partition);
        this.events.push(`lost ${partition}`);
        this.whileLosing();
      },
      trouble: () => this.events.push('trouble'),
    });
    started.push(this);
  }

  /** Its process ends without a word. */
  die(): void {
    this.lease.setConnected(false);
    started.splice(started.indexOf(this), 1);
  }
}

async function start(id: string): Promise<Instance> {
  const instance = new Instance(id);
  await instance.shares.start();
  return instance;
}

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round += 1) await clock.elapse(ROUND_MS);
}

/** Every partition has exactly one holder, and all agree who it is. */
function expectShared(instances: readonly Instance[]): void {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const holders = instances.filter(({ has }) => has.has(partition)).map(({ id }) => id);
    expect({ partition, holders }).toEqual({ partition, holders: [expect.any(String)] });
    for (const { shares } of instances) expect(shares.holderOf(partition)?.id).toBe(holders[0]);
  }
}

test('the first one has everything as soon as it has started', async () => {
  const one = await start('one');
  expect([...one.has]).toEqual([0, 1, 2, 3]);
});

test.each`
  instances | shares
  ${2}      | ${[2, 2]}
  ${3}      | ${[1, 1, 2]}
  ${4}      | ${[1, 1, 1, 1]}
  ${5}      | ${[0, 1, 1, 1, 1]}
`('$instances instances have $shares partitions', async ({ instances, shares }: { instances: number; shares: number[] }) => {
  for (let index = 0; index < instances; index += 1) await start(`instance-${index}`);
  await rounds(4);
  expect(started.map(({ has }) => has.size).sort()).toEqual(shares);
  expectShared(started);
});

test('what is handed over is given up before another one has it', async () => {
  const one = await start('one');
  const two = await start('two');
  expect(two.has.size).toBe(0);
  await clock.elapse(ROUND_MS);
  await rounds(1);
  expect(one.events.filter((event) => event.startsWith('lost'))).toHaveLength(2);
  expect(two.has.size).toBe(2);
});

test('the partitions of one that dies are taken over when its leases have run out, not before', async () => {
  const one = await start('one');
  const two = await start('two');
  await rounds(3);
  one.die();
  await clock.elapse(ROUND_MS);
  expect(two.has.size).toBe(2);
  await rounds(4);
  expect(two.has.size).toBe(PARTITIONS);
});

test('one that stops hands over without anybody waiting for a lease', async () => {
  const one = await start('one');
  const two = await start('two');
  await rounds(3);
  await one.shares.stop();
  expect(one.has.size).toBe(0);
  await rounds(1);
  expect(two.has.size).toBe(PARTITIONS);
});

test('while the lease service is away everybody goes on with what it has, and afterwards, too', async () => {
  const one = await start('one');
  const two = await start('two');
  await rounds(3);
  for (const { lease } of [one, two]) lease.setConnected(false);
  const before = [[...one.has], [...two.has]];
  await rounds(10);
  expect([[...one.has], [...two.has]]).toEqual(before);
  expect(one.events.at(-1)).toBe('trouble');
  for (const { lease } of [one, two]) lease.setConnected(true);
  const [eventsOfOne, eventsOfTwo] = [one.events.length, two.events.length];
  await rounds(4);
  expect([[...one.has], [...two.has]]).toEqual(before);
  // Nothing was given up and taken again in between.
  expect([...one.events.slice(eventsOfOne), ...two.events.slice(eventsOfTwo)].filter((event) => event !== 'trouble')).toEqual([]);
  expectShared([one, two]);
});

test('one that comes back when others have taken its partitions gives them up and takes its share', async () => {
  const one = await start('one');
  const two = await start('two');
  await rounds(3);
  one.lease.setConnected(false);
  await rounds(6);
  expect(two.has.size).toBe(PARTITIONS);
  one.lease.setConnected(true);
  await rounds(4);
  expect([one.has.size, two.has.size]).toEqual([2, 2]);
  expectShared([one, two]);
});

test.each`
  moment                       | away
  ${'while it is given up'}    | ${'lost'}
  ${'before the other has it'} | ${'round'}
`('a partition that is handed over when the lease service goes away, $moment, stays with who had it', async ({ away }: { away: string }) => {
  const one = await start('one');
  const two = await start('two');
  two.lease.setConnected(false);
  if (away === 'lost') one.whileLosing = () => one.lease.setConnected(false);
  await rounds(1);
  one.lease.setConnected(false);
  await rounds(3);
  expect([...one.has].sort()).toEqual([0, 1, 2, 3]);
  expect(two.has.size).toBe(0);
});

test('a partition that cannot be worked on is left to others', async () => {
  const one = await start('one');
  await one.shares.giveUp(2);
  expect(await one.shares.findHolder(2)).toBeUndefined();
  await rounds(1);
  expect(await one.shares.findHolder(2)).toMatchObject({ id: 'one' });
});

test('a stopped instance leaves no timer and no lease behind', async () => {
  const one = await start('one');
  await one.shares.stop();
  expect(clock.pendingTimers).toBe(0);
  expect(await new MemoryLease({ leases, clock }).list('command')).toEqual([]);
});

test('an instance tells its listeners which partitions changed hands, and no others', async () => {
  const one = await start('one');
  const two = await start('two');
  await rounds(2);
  const changes: [number, string | undefined][] = [];
  const end = one.shares.onHolderChanged((partition) => changes.push([partition, one.shares.holderOf(partition)?.id]));
  const moving = [...two.has].sort();
  two.die();
  await rounds(1);
  expect(changes).toEqual([]);
  await rounds(5);
  expect(changes).toEqual(moving.map((partition) => [partition, 'one']));
  end();
  await start('three');
  await rounds(3);
  expect(changes).toHaveLength(moving.length);
});
