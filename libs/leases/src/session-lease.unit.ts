/** Several processes on one lease table, on clocks of their own. */
import { ManualClock, MemoryLeaseService, MemoryLeaseTable } from '@sluice/memory';
import type { HeldLease, Lease, LeaseEvent } from '@sluice/ports';
import { leaseContract } from '@sluice/testing';
import { SessionLease } from './session-lease';

const TTL_MS = 3_000;

leaseContract('sessions over a table in memory', async () => {
  const [clock, service] = [new ManualClock(), new MemoryLeaseService()];
  const tables = new Map<Lease, MemoryLeaseTable>();
  return {
    ttlMs: TTL_MS,
    open: async (holder) => {
      const table = new MemoryLeaseTable(service, { clock });
      const lease = await SessionLease.open({ table, holder, ttlMs: TTL_MS, clock });
      tables.set(lease, table);
      return lease;
    },
    kill: async (lease) => tables.get(lease)?.setConnected(false),
    elapse: (milliseconds) => clock.elapse(milliseconds),
    dispose: async () => {
      await Promise.all([...tables.keys()].map((lease) => lease.close()));
    },
  };
});

let service: MemoryLeaseService;
let clock: ManualClock;
let opened: Process[];

beforeEach(() => {
  service = new MemoryLeaseService();
  clock = new ManualClock();
  opened = [];
});
afterEach(async () => {
  for (const { table } of opened) table.roundTripMs = 0;
  await Promise.all(opened.map(({ lease }) => lease.close()));
});

interface Process {
  readonly table: MemoryLeaseTable;
  readonly lease: SessionLease;
  readonly events: LeaseEvent[];
}

async function open(id: string, options: { clock?: ManualClock; ttlMs?: number; kept?: readonly HeldLease[] } = {}): Promise<Process> {
  const table = new MemoryLeaseTable(service, { clock: options.clock ?? clock });
  const lease = await SessionLease.open(
    { table, holder: { id, address: `${id}:1` }, ttlMs: options.ttlMs ?? TTL_MS, clock: options.clock ?? clock },
    options.kept,
  );
  const events: LeaseEvent[] = [];
  lease.watch((event) => events.push(event));
  const process = { table, lease, events };
  opened.push(process);
  return process;
}

async function acquired({ lease }: Process, name: string): Promise<HeldLease> {
  const held = await lease.acquire(name);
  if (held === undefined) throw new Error(`${name} was not acquired`);
  return held;
}

const kinds = ({ events }: Process): string[] => events.map(({ kind }) => kind);
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `command/${at}`);

describe('renewing', () => {
  test.each([1, 1_024])('keeping %d leases costs three writes in their time to live', async (count) => {
    const one = await open('one');
    await Promise.all(names(count).map((name) => one.lease.acquire(name)));
    const before = service.writes;
    await clock.elapse(TTL_MS);
    expect(service.writes - before).toBe(3);
  });

  test('1,024 leases are kept over a round trip of 2 ms, also when their entries are due to be written again', async () => {
    const [one, two] = [await open('one'), await open('two')];
    one.table.roundTripMs = 2;
    const acquiring = Promise.all(names(1_024).map((name) => one.lease.acquire(name)));
    await clock.elapse(10);
    const held = await acquiring;
    // Past the age at which the table may forget entries.
    for (let second = 0; second < 700; second += 1) await clock.elapse(1_000);
    expect(kinds(one)).toEqual(Array(1_024).fill('held'));
    expect(await two.lease.read('command/1023')).toEqual(held[1_023]);
    expect(await two.lease.acquire('command/0')).toBeUndefined();
  });

  test('a renewal whose answer is lost is found to be done', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const held = await acquired(one, 'x');
    one.table.answersGetLost = true;
    await clock.elapse(TTL_MS / 3);
    one.table.answersGetLost = false;
    await clock.elapse(TTL_MS * 3);
    expect(kinds(one)).toEqual(['held', 'away', 'back']);
    expect(await two.lease.read('x')).toEqual(held);
  });

  test('a lease that was taken without an answer is given back', async () => {
    const [one, two] = [await open('one'), await open('two')];
    await acquired(one, 'other');
    one.table.answersGetLost = true;
    await expect(one.lease.acquire('x')).rejects.toThrow('lost');
    one.table.answersGetLost = false;
    expect(await two.lease.acquire('x')).toBeUndefined();
    await clock.elapse(TTL_MS);
    expect(await two.lease.acquire('x')).toBeDefined();
  });

  test('a release that fails is repeated, for the same successor', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const [held] = [await acquired(one, 'x'), await acquired(one, 'y')];
    one.table.setConnected(false);
    await one.lease.release(held, 'two');
    one.table.setConnected(true);
    await clock.elapse(TTL_MS / 3);
    expect(two.events.at(-1)).toEqual({ kind: 'free', name: 'x', successor: 'two' });
    expect(await two.lease.read('y')).toBeDefined();
  });
});

describe('clocks that differ', () => {
  test.each([-60_000_000, 60_000_000, 3_600_000_000])('a clock that is %d µs off takes nothing too early and nothing too late', async (skewUs) => {
    const skewed = new ManualClock();
    skewed.set(skewed.nowUs() + skewUs);
    const [one, two] = [await open('one'), await open('two', { clock: skewed })];
    await acquired(one, 'x');
    for (let third = 0; third < 12; third += 1) await Promise.all([clock.elapse(TTL_MS / 3), skewed.elapse(TTL_MS / 3)]);
    expect(await two.lease.acquire('x')).toBeUndefined();
    one.table.setConnected(false);
    await skewed.elapse(TTL_MS - 1);
    expect(await two.lease.acquire('x')).toBeUndefined();
    await skewed.elapse(1);
    expect(await two.lease.acquire('x')).toBeDefined();
  });

  test('an observer whose clock is set meanwhile does not notice', async () => {
    const other = new ManualClock();
    const [one, two] = [await open('one'), await open('two', { clock: other })];
    await acquired(one, 'x');
    other.set(other.nowUs() + 3_600_000_000);
    expect(await two.lease.acquire('x')).toBeUndefined();
    one.table.setConnected(false);
    other.set(other.nowUs() - 7_200_000_000);
    await other.elapse(TTL_MS);
    expect(await two.lease.acquire('x')).toBeDefined();
  });

  test('a holder that renewed at the last moment keeps its lease: ending its session fails', async () => {
    const hasty = new ManualClock();
    const [one, two] = [await open('one'), await open('two', { clock: hasty })];
    const held = await acquired(one, 'x');
    // The observer does not see the renewals.
    two.table.stallWatches();
    await clock.elapse(TTL_MS / 3);
    await hasty.elapse(TTL_MS);
    expect(two.events.at(-1)).toMatchObject({ kind: 'free', name: 'x' });
    expect(await two.lease.acquire('x')).toBeUndefined();
    expect(two.events.at(-1)).toMatchObject({ kind: 'held', lease: held });
  });
});

describe('losing', () => {
  test('a holder that was silent for too long learns what others have taken, and keeps the rest', async () => {
    const slow = new ManualClock();
    const [one, two] = [await open('one', { clock: slow }), await open('two')];
    const [x, y] = [await acquired(one, 'x'), await acquired(one, 'y')];
    await clock.elapse(TTL_MS);
    const taken = await acquired(two, 'x');
    await slow.elapse(0);
    expect(one.events.slice(2)).toEqual([
      { kind: 'lost', lease: x },
      { kind: 'held', lease: taken, confirmed: true },
      { kind: 'lapsed', lease: y },
      { kind: 'held', lease: y, confirmed: true },
    ]);
    expect(await two.lease.read('y')).toEqual(y);
    expect(await two.lease.acquire('y')).toBeUndefined();
  });

  test('leases lapse when they cannot be renewed, and go on when they can', async () => {
    const one = await open('one');
    const held = await acquired(one, 'x');
    one.table.setConnected(false);
    expect(one.lease.connected).toBe(false);
    await clock.elapse(TTL_MS - 1);
    expect(kinds(one)).toEqual(['held', 'away']);
    await clock.elapse(TTL_MS / 6);
    expect(kinds(one)).toEqual(['held', 'away', 'lapsed']);
    one.table.setConnected(true);
    await clock.elapse(1);
    expect(one.events.slice(3)).toEqual([{ kind: 'back' }, { kind: 'held', lease: held, confirmed: true }]);
    expect(one.lease.connected).toBe(true);
  });

  test('a process whose main thread is dead loses its leases at once; when it is back it takes up what is left', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const [x, y] = [await acquired(one, 'x'), await acquired(one, 'y')];
    await one.lease.suspend();
    expect(kinds(one).slice(2)).toEqual(['lapsed', 'lapsed']);
    await expect(one.lease.acquire('z')).rejects.toThrow('main thread');
    const taken = await acquired(two, 'x');
    await clock.elapse(10 * TTL_MS);
    one.lease.resume();
    await clock.elapse(1);
    expect(one.events.slice(4)).toEqual([
      { kind: 'lost', lease: x },
      { kind: 'held', lease: taken, confirmed: true },
      { kind: 'held', lease: y, confirmed: true },
    ]);
  });

  test('leases of a thread that died are taken up by the next one', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const [x, y] = [await acquired(one, 'x'), await acquired(one, 'y')];
    one.table.setConnected(false);
    await clock.elapse(TTL_MS);
    const taken = await acquired(two, 'x');
    const again = await open('one', { kept: [x, y] });
    await clock.elapse(1);
    expect(again.events).toContainEqual({ kind: 'lost', lease: x });
    expect(again.events).toContainEqual({ kind: 'held', lease: taken, confirmed: expect.any(Boolean) });
    expect(again.events).toContainEqual({ kind: 'held', lease: y, confirmed: true });
    expect(await two.lease.acquire('y')).toBeUndefined();
  });
});

describe('the lease service goes away', () => {
  test('when it is back holders come first: nobody takes what another one had for its whole time', async () => {
    const slow = new ManualClock();
    const [one, two] = [await open('one', { clock: slow }), await open('two')];
    await acquired(one, 'x');
    for (const { table } of [one, two]) table.setConnected(false);
    await clock.elapse(20 * TTL_MS);
    expect(kinds(two)).toEqual(['held', 'away']);
    two.table.setConnected(true);
    await clock.elapse(TTL_MS - 1);
    expect(await two.lease.acquire('x')).toBeUndefined();
    one.table.setConnected(true);
    await slow.elapse(1);
    await clock.elapse(TTL_MS / 2);
    expect(await two.lease.acquire('x')).toBeUndefined();
    expect(kinds(two)).not.toContain('free');
  });

  test('it flaps: leases that are held stay', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const held = await acquired(one, 'x');
    for (let flap = 0; flap < 50; flap += 1) {
      for (const { table } of [one, two]) table.setConnected(false);
      await clock.elapse(TTL_MS * (flap % 3));
      for (const { table } of [one, two]) table.setConnected(true);
      await clock.elapse(70 * (flap % 7));
    }
    await clock.elapse(TTL_MS);
    expect(await two.lease.read('x')).toEqual(held);
    expect(one.events.some(({ kind }) => kind === 'lost')).toBe(false);
    expect(service.watching.size).toBe(2);
  });

  test('it has forgotten everything: holders write their leases again, nobody takes them before', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const held = await Promise.all(names(100).map((name) => acquired(one, name)));
    for (const { table } of [one, two]) table.setConnected(false);
    service.clear();
    two.table.setConnected(true);
    await clock.elapse(TTL_MS / 2);
    expect(await two.lease.acquire('command/7')).toBeUndefined();
    one.table.setConnected(true);
    await clock.elapse(TTL_MS * 2);
    expect(await two.lease.read('command/7')).toEqual(held[7]);
    expect(one.events.filter(({ kind }) => kind === 'lost' || kind === 'lapsed')).toEqual([]);
  });

  test('it has forgotten everything and the holder is dead, too: the lease is free after its time', async () => {
    const [one, two] = [await open('one'), await open('two')];
    await acquired(one, 'x');
    for (const { table } of [one, two]) table.setConnected(false);
    service.clear();
    two.table.setConnected(true);
    await clock.elapse(0);
    await clock.elapse(TTL_MS - 1);
    expect(await two.lease.acquire('x')).toBeUndefined();
    await clock.elapse(1);
    expect(await two.lease.acquire('x')).toBeDefined();
  });

  test('entries are gone while the service was there: the renewal writes them again', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const held = await acquired(one, 'x');
    service.clear();
    await clock.elapse(TTL_MS);
    expect(await two.lease.read('x')).toEqual(held);
  });

  test('without it nothing can be acquired, at once', async () => {
    const one = await open('one');
    one.table.setConnected(false);
    await expect(one.lease.acquire('x')).rejects.toThrow('cannot be reached');
    await expect(one.lease.read('x')).rejects.toThrow('cannot be reached');
  });
});

describe('a watch that stalls', () => {
  test('is noticed by the own renewal that it does not show, and established anew', async () => {
    const [one, two] = [await open('one'), await open('two')];
    await acquired(one, 'mine');
    const held = await acquired(two, 'x');
    one.table.stallWatches();
    await two.lease.release(held, 'one');
    await clock.elapse(TTL_MS);
    expect(one.events.at(-1)).toEqual({ kind: 'free', name: 'x', successor: 'one' });
    expect(service.watching.size).toBe(2);
  });

  test('does not make a process take what is held', async () => {
    const [one, two] = [await open('one'), await open('two')];
    const held = await acquired(one, 'x');
    two.table.stallWatches();
    await clock.elapse(3 * TTL_MS);
    expect(await two.lease.acquire('x')).toBeUndefined();
    expect(await one.lease.read('x')).toEqual(held);
  });
});

test('a session runs out after its own time to live, whatever the observer has', async () => {
  const [one, two] = [await open('one', { ttlMs: 10_000 }), await open('two', { ttlMs: 1_000 })];
  await acquired(one, 'x');
  await acquired(two, 'y');
  for (const { table } of [one, two]) table.setConnected(false);
  const three = await open('three');
  await clock.elapse(1_000);
  expect(await three.lease.acquire('y')).toBeDefined();
  await clock.elapse(8_999);
  expect(await three.lease.acquire('x')).toBeUndefined();
  await clock.elapse(1);
  expect(await three.lease.acquire('x')).toBeDefined();
});

test.each([0, -1, Number.NaN, 300_001])('a time to live of %p ms is refused', async (ttlMs) => {
  await expect(SessionLease.open({ table: new MemoryLeaseTable(service, { clock }), holder: { id: 'a', address: 'a:1' }, ttlMs, clock })).rejects.toThrow(
    RangeError,
  );
});

test('a process that is closed leaves no timer and no watch behind', async () => {
  const one = await open('one');
  await acquired(one, 'x');
  await one.lease.close();
  await one.lease.close();
  expect(clock.pendingTimers).toBe(0);
  expect(service.watching.size).toBe(0);
});
