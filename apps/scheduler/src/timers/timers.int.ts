/** The scheduler and the owners of partitions: timers fire when they are due, whatever happens to owners, schedulers, clocks and connections. */
import { SessionLease } from '@sluice/leases';
import { ManualClock, MemoryLeaseService, MemoryLeaseTable } from '@sluice/memory';
import { schedulerpb, timestampFromUs } from '@sluice/protocol';
import { type CallContext, functionOf } from '@sluice/service';
import { type SchedulerRuntime, startScheduler } from '../scheduler';
import { type AlarmState, setAlarms } from '../test/alarms';
import { type InstanceUnderTest, Instances, PARTITION } from '../test/command-instance-under-test';

const TTL_MS = 6_000;
const SECOND_US = 1_000_000;

interface Running {
  readonly scheduler: SchedulerRuntime;
  readonly lease: SessionLease;
  readonly table: MemoryLeaseTable;
}

let clock: ManualClock;
let startUs: number;
let leases: MemoryLeaseService;
let instances: Instances;
let owner: InstanceUnderTest;
let schedulers: Running[];

beforeEach(async () => {
  clock = new ManualClock();
  startUs = clock.nowUs();
  leases = new MemoryLeaseService();
  instances = new Instances();
  schedulers = [];
  owner = instances.start('owner', clock);
  await owner.engine.own(PARTITION);
});

afterEach(async () => {
  for (const { scheduler, lease } of schedulers) {
    await scheduler.stop();
    await lease.close();
  }
  for (const { engine } of instances.present) await engine.stop({ snapshot: false });
});

async function startOne(id = 'scheduler'): Promise<Running> {
  const table = new MemoryLeaseTable(leases, { clock });
  const lease = await SessionLease.open({ table, holder: { id, address: '127.0.0.1:7403' }, ttlMs: TTL_MS, clock });
  const running = { scheduler: await startScheduler({ lease, instances, clock }), lease, table };
  schedulers.push(running);
  await settled();
  return running;
}

/** Lets happen what waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 50) {
    await clock.elapse(Math.min(50, milliseconds - passed));
    await settled();
  }
}

/** In so many milliseconds from the start. */
const at = (milliseconds: number): number => startUs + milliseconds * 1_000;
const set = async (...timers: [timerId: string, atMs: number][]): Promise<void> => {
  await setAlarms(
    owner.engine,
    PARTITION,
    timers.map(([timerId, atMs]) => ({ key: `key-${timerId}`, timerId, dueAtUs: at(atMs) })),
  );
  await settled();
};
const rung = (): string[] => owner.rung.map((id) => id.split('-')[1] as string);

function call<Method extends 'listTimers' | 'redriveTimers' | 'getStatus'>(method: Method, request: object): Promise<never> {
  const [registration] = (schedulers[0] as Running).scheduler.registrations;
  const carried = functionOf(registration?.implementation[method] as object);
  if (carried?.form !== 'unary') throw new Error(`${method} is not unary`);
  return carried.run(request as never, {} as CallContext) as Promise<never>;
}

const list = (request: Partial<schedulerpb.ListTimersRequest>): Promise<schedulerpb.ListTimersResponse> =>
  call('listTimers', schedulerpb.ListTimersRequest.fromPartial(request));
const redrive = (request: Partial<schedulerpb.RedriveTimersRequest>): Promise<schedulerpb.RedriveTimersResponse> =>
  call('redriveTimers', schedulerpb.RedriveTimersRequest.fromPartial(request));

test('timers fire when they are due, in order, and until then no owner is asked', async () => {
  await startOne();
  await set(['b', 2_000], ['a', 1_000], ['c', 2_000]);
  await pass(900);
  expect([rung(), owner.called]).toEqual([[], []]);
  await pass(100);
  expect(rung()).toEqual(['a']);
  await pass(1_000);
  expect(rung()).toEqual(['a', 'b', 'c']);
  expect(owner.called).toEqual(['Fire', 'Fire']);
});

test('what is late fires at once, in order: after an outage of all schedulers, and when it is set', async () => {
  await set(['c', 300], ['a', 100], ['b', 200]);
  await pass(5_000);
  expect(rung()).toEqual([]);
  await startOne();
  expect(rung()).toEqual(['a', 'b', 'c']);
  await set(['late', 50]);
  expect(rung()).toEqual(['a', 'b', 'c', 'late']);
});

test('another owner fires what it takes over', async () => {
  await startOne();
  await set(['a', 1_000], ['b', 2_000]);
  await pass(1_000);
  const before = owner;
  owner = instances.start('next', clock);
  await owner.engine.own(PARTITION);
  await settled();
  await pass(1_000);
  expect(rung()).toEqual(['a', 'b']);
  // The owner before was asked, too, and was refused by the log.
  expect(before.engine.partition(PARTITION)).toBeUndefined();
});

test('an owner that dies is followed by the next one, and what fell due in between fires at once', async () => {
  await startOne();
  await set(['a', 1_000], ['b', 2_000]);
  const before = owner;
  instances.kill(before);
  await pass(3_000);
  owner = instances.start('next', clock);
  await owner.engine.own(PARTITION);
  await settled();
  expect(rung()).toEqual(['a', 'b']);
  await before.engine.stop({ snapshot: false });
});

test('a cut stream is opened again, and what fell due in between fires', async () => {
  await startOne();
  await set(['a', 1_000]);
  owner.reachable = false;
  owner.cut();
  await pass(3_000);
  expect(rung()).toEqual([]);
  owner.reachable = true;
  await pass(5_000);
  expect(rung()).toEqual(['a']);
});

test('while a stream is cut, what was known of it fires when it is due', async () => {
  await startOne();
  await set(['a', 1_000]);
  owner.reachable = false;
  owner.cut();
  await pass(950);
  owner.reachable = true;
  await pass(50);
  expect(rung()).toEqual(['a']);
});

test('what a stream that is opened again does not name is not asked for any more', async () => {
  await startOne();
  await set(['a', 1_000]);
  owner.reachable = false;
  owner.cut();
  const before = owner;
  owner = instances.start('next', clock);
  await owner.engine.own(PARTITION);
  before.reachable = true;
  before.called.length = 0;
  await before.engine.disown(PARTITION, { snapshot: false });
  await pass(2_000);
  expect(rung()).toEqual(['a']);
  expect(before.called).toEqual([]);
});

test('a lost turn is asked for again until its timers have fired', async () => {
  await startOne();
  await set(['a', 1_000], ['b', 1_000]);
  owner.log.faults.failNextAppend();
  owner.log.faults.failNextAppendAfterStoring();
  await pass(2_000);
  expect(rung()).toEqual(['a', 'b']);
});

test('one of two schedulers acts; when it is gone the other one acts, at once or when the lease has run out', async () => {
  const one = await startOne('one');
  const two = await startOne('two');
  await set(['a', 1_000], ['b', 2_000], ['c', 30_000]);
  await pass(1_000);
  expect(owner.called).toEqual(['Fire']);
  await one.scheduler.stop();
  await pass(1_000);
  expect(rung()).toEqual(['a', 'b']);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([false, true]);
});

test('while the lease service is away timers go on firing', async () => {
  const { table, scheduler } = await startOne();
  await set(['a', 20_000]);
  table.setConnected(false);
  await pass(20_000);
  expect(scheduler.active).toBe(false);
  expect(rung()).toEqual(['a']);
});

describe('clocks that differ', () => {
  let ownerClock: ManualClock;

  async function startWithClock(aheadMs: number): Promise<void> {
    instances.kill(owner);
    await owner.engine.stop({ snapshot: false });
    ownerClock = new ManualClock(startUs + aheadMs * 1_000);
    owner = instances.start('other clock', ownerClock);
    await owner.engine.own(PARTITION);
    await startOne();
  }

  async function passBoth(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      await ownerClock.elapse(50);
      await clock.elapse(50);
      await settled();
    }
  }

  test('an owner whose clock is behind keeps what it is asked for, and fires it when it is due by its clock', async () => {
    await startWithClock(-3_000);
    await set(['a', 1_000]);
    await passBoth(3_900);
    expect(rung()).toEqual([]);
    expect(owner.called.length).toBeLessThan(3);
    await passBoth(100);
    expect(rung()).toEqual(['a']);
  });

  test('an owner whose clock is ahead fires when it is due by its clock', async () => {
    await startWithClock(3_000);
    await set(['a', 5_000]);
    await passBoth(1_900);
    expect(rung()).toEqual([]);
    await passBoth(150);
    expect(rung()).toEqual(['a']);
  });

  test('a clock that is set ahead while nothing happens is noticed', async () => {
    await startWithClock(0);
    await set(['a', 3_600_000]);
    ownerClock.set(at(3_600_000));
    await passBoth(6_000);
    expect(rung()).toEqual(['a']);
  });
});

describe('the list', () => {
  beforeEach(async () => {
    await startOne();
    await owner.engine.own(0);
    await set(['b', 2_000], ['a', 1_000], ['c', 3_000]);
    await setAlarms(owner.engine, 0, [{ key: 'key-z', timerId: 'z', dueAtUs: at(500) }]);
    await settled();
  });

  test.each`
    asked                                                                   | shows
    ${{}}                                                                   | ${['0 z', '1 a', '1 b', '1 c']}
    ${{ partition: 1 }}                                                     | ${['1 a', '1 b', '1 c']}
    ${{ key: 'key-b' }}                                                     | ${['1 b']}
    ${{ capability: 'account' }}                                            | ${[]}
    ${{ dueUntil: timestampFromUs(1_767_225_600_000_000 + 2 * SECOND_US) }} | ${['0 z', '1 a', '1 b']}
  `('asked for $asked shows $shows', async ({ asked, shows }: { asked: Partial<schedulerpb.ListTimersRequest>; shows: string[] }) => {
    const { timers, nextPageToken } = await list(asked);
    expect(timers.map(({ partition, timerId }) => `${partition} ${timerId}`)).toEqual(shows);
    expect(nextPageToken).toBe('');
  });

  test('pages follow each other over the partitions', async () => {
    const seen: string[] = [];
    let pageToken = '';
    let pages = 0;
    do {
      const page: schedulerpb.ListTimersResponse = await list({ pageSize: 1, pageToken });
      seen.push(...page.timers.map(({ timerId }) => timerId));
      pageToken = page.nextPageToken;
      pages += 1;
    } while (pageToken !== '');
    expect([seen, pages]).toEqual([['z', 'a', 'b', 'c'], 5]);
  });

  test('a timer is shown with what it asks, and without its payload', async () => {
    const [timer] = (await list({ partition: 1, pageSize: 1 })).timers;
    expect(timer).toEqual({ partition: 1, capability: 'alarm', key: 'key-a', timerId: 'a', method: 'Ring', dueAt: timestampFromUs(at(1_000)), parked: false });
  });

  test.each`
    asked                         | reason
    ${{ pageSize: 1_001 }}        | ${'INVALID_REQUEST'}
    ${{ pageToken: 'elsewhere' }} | ${'PAGE_TOKEN_INVALID'}
    ${{ partition: 2 }}           | ${'PARTITION_UNAVAILABLE'}
  `('asked for $asked it refuses with $reason', async ({ asked, reason }: { asked: Partial<schedulerpb.ListTimersRequest>; reason: string }) => {
    await expect(list(asked)).rejects.toMatchObject({ reason });
  });

  test('parked timers are tried again on request: all, of one partition, or of one aggregate', async () => {
    const state = owner.engine.partition(PARTITION)?.stateOf('alarm') as AlarmState;
    state.knows = false;
    await pass(5_000);
    const parked = async (): Promise<string[]> => (await list({ partition: PARTITION })).timers.flatMap(({ timerId, parked }) => (parked ? [timerId] : []));
    expect(await parked()).toEqual(['a', 'b', 'c']);
    expect(await redrive({})).toEqual({ redriven: 3 });
    expect(await parked()).toEqual(['a', 'b', 'c']);
    state.knows = true;
    expect(await redrive({ capability: 'alarm', key: 'key-b' })).toEqual({ redriven: 1 });
    expect(await parked()).toEqual(['a', 'c']);
    expect(await redrive({ partition: PARTITION, capability: 'account' })).toEqual({ redriven: 0 });
    expect(await redrive({ partition: PARTITION })).toEqual({ redriven: 2 });
    expect(await parked()).toEqual([]);
    expect(state.rung.map((id) => id.split('-')[1])).toEqual(expect.arrayContaining(['a', 'b', 'c']));
    await expect(redrive({ partition: 2 })).rejects.toMatchObject({ reason: 'PARTITION_UNAVAILABLE' });
  });

  test('the status counts what waits', async () => {
    await pass(5_000);
    expect(await call('getStatus', {})).toMatchObject({ waitingTimers: 0n });
    await set(['later', 60_000]);
    expect(await call('getStatus', {})).toMatchObject({ waitingTimers: 1n });
  });
});
