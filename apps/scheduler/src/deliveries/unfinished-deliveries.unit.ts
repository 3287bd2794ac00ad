import { deliveryRegistration } from '@sluice/command';
import type { Engine, UnfinishedPlace } from '@sluice/engine';
import { ManualClock } from '@sluice/memory';
import { logpb } from '@sluice/protocol';
import { inProcessPeer } from '@sluice/service';
import { silentLogger } from '@sluice/telemetry';
import type { CommandInstance } from '../owners/command-instances';
import { SCHEDULER_CALLER } from '../scheduler';
import type { DueWatch, WatchedPartition } from '../timers/due-watch';
import { UnfinishedDeliveries } from './unfinished-deliveries';

const CONNECTIONS = ['one', 'two'];
const PARTITIONS = 4;
/** No partition has change tasks. */
const changeTasks = { list: async () => ({ tasks: [], next: undefined }) };

/** What an owner has to say about one partition, in place of an engine. */
class OwnedPartition {
  drives = 0;
  readonly redriven: string[][] = [];

  constructor(
    readonly partition: number,
    readonly ids: readonly string[],
  ) {}

  readonly deliveries = {
    counts: { unfinished: 0, dead: 0 },
    drive: () => {
      this.drives += 1;
    },
    redrive: async (ids: readonly string[]) => {
      this.redriven.push([...ids]);
      return ids.length === 0 ? this.ids.length : ids.length;
    },
    list: async ({ pageSize, from }: { pageSize: number; from: UnfinishedPlace | undefined }) => {
      const start = from?.number ?? 0;
      const end = start + pageSize;
      const deliveries = this.ids.slice(start, end).map((deliveryId) => logpb.UnfinishedDelivery.fromPartial({ deliveryId }));
      return { deliveries, next: end < this.ids.length ? { target: 0, number: end } : undefined };
    },
  };
}

/** Four partitions of two instances; each owes as many deliveries as its number. */
function surroundings() {
  const clock = new ManualClock();
  const owned = Array.from({ length: PARTITIONS }, (_, partition) => {
    const part = new OwnedPartition(
      partition,
      Array.from({ length: partition }, (_number, at) => `d-${partition}-0-${at + 1}`),
    );
    part.deliveries.counts.unfinished = partition;
    return part;
  });
  const state = { acts: true, reachable: true };
  const instances = CONNECTIONS.map((id, index): CommandInstance => {
    const engine = { partition: (partition: number) => (partition % 2 === index ? owned[partition] : undefined) } as unknown as Pick<Engine, 'partition'>;
    const calls = inProcessPeer([deliveryRegistration(engine, changeTasks)], SCHEDULER_CALLER);
    const unary: typeof calls.unary = (...call) => (state.reachable ? calls.unary(...call) : Promise.reject(new Error('the connection was refused')));
    return { id, calls: { ...calls, unary } };
  });
  const watched = owned.map(({ partition }) => ({ partition, instance: instances[partition % 2] }) as WatchedPartition);
  const watch = { partitions: () => watched.values(), partition: (partition: number) => watched[partition] } as unknown as DueWatch;
  const unfinished = new UnfinishedDeliveries({ watch, clock, logger: silentLogger, acts: () => state.acts });
  return { clock, owned, state, unfinished };
}

test('all unfinished deliveries are listed page by page, whoever owns their partitions', async () => {
  const { unfinished, owned } = surroundings();
  const found: string[][] = [];
  let pageToken = '';
  do {
    const page = await unfinished.list({ partition: undefined, deadOnly: false, pageSize: 2, pageToken });
    found.push(page.deliveries.map(({ deliveryId }) => deliveryId));
    ({ nextPageToken: pageToken } = page);
  } while (pageToken !== '');
  expect(found.flat()).toEqual(owned.flatMap(({ ids }) => ids));
  expect(found.map((page) => page.length)).toEqual([2, 2, 2]);
  unfinished.close();
});

test('one partition is listed alone, and one that no instance serves is refused', async () => {
  const { unfinished } = surroundings();
  const all = { deadOnly: false, pageSize: 0, pageToken: '' };
  expect((await unfinished.list({ ...all, partition: 2 })).deliveries.map(({ deliveryId }) => deliveryId)).toEqual(['d-2-0-1', 'd-2-0-2']);
  await expect(unfinished.list({ ...all, partition: 9 })).rejects.toMatchObject({ reason: 'PARTITION_UNAVAILABLE' });
  unfinished.close();
});

test.each`
  what                  | request                                  | reason
  ${'a page too large'} | ${{ pageSize: 1_001, pageToken: '' }}    | ${'INVALID_REQUEST'}
  ${'a made-up token'}  | ${{ pageSize: 0, pageToken: 'made-up' }} | ${'PAGE_TOKEN_INVALID'}
`('a listing with $what is refused', async ({ request, reason }: { request: { pageSize: number; pageToken: string }; reason: string }) => {
  const { unfinished } = surroundings();
  await expect(unfinished.list({ partition: undefined, deadOnly: false, ...request })).rejects.toMatchObject({ reason });
  unfinished.close();
});

test('dead letters are redriven where they are owed: by id, or all of them', async () => {
  const { unfinished, owned } = surroundings();
  expect(await unfinished.redrive({ deliveryIds: ['d-3-0-1', 'd-2-0-1', 'd-3-0-2'], allDead: false })).toEqual({ redriven: 3 });
  expect(owned.map(({ redriven }) => redriven)).toEqual([[], [], [['d-2-0-1']], [['d-3-0-1', 'd-3-0-2']]]);
  expect(await unfinished.redrive({ deliveryIds: [], allDead: true })).toEqual({ redriven: 6 });
  unfinished.close();
});

test.each`
  what               | deliveryIds       | allDead
  ${'nothing'}       | ${[]}             | ${false}
  ${'both'}          | ${['d-1-0-1']}    | ${true}
  ${'what is no id'} | ${['transfer-1']} | ${false}
`('a redrive of $what is refused', async ({ deliveryIds, allDead }: { deliveryIds: string[]; allDead: boolean }) => {
  const { unfinished } = surroundings();
  await expect(unfinished.redrive({ deliveryIds, allDead })).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  unfinished.close();
});

test('the scheduler that acts drives every partition every five seconds and knows how much is unfinished', async () => {
  const { unfinished, owned, clock, state } = surroundings();
  await clock.elapse(5_000);
  expect(owned.map(({ drives }) => drives)).toEqual([1, 1, 1, 1]);
  expect(unfinished.count).toBe(6n);
  state.acts = false;
  await clock.elapse(5_000);
  expect(owned.map(({ drives }) => drives)).toEqual([1, 1, 1, 1]);
  unfinished.close();
  expect(clock.pendingTimers).toBe(0);
});

test('owners that do not answer are driven in the next round, and what is known stays known', async () => {
  const { unfinished, owned, clock, state } = surroundings();
  await clock.elapse(5_000);
  state.reachable = false;
  await clock.elapse(5_000);
  expect(unfinished.count).toBe(6n);
  await expect(unfinished.list({ partition: undefined, deadOnly: false, pageSize: 0, pageToken: '' })).rejects.toMatchObject({
    reason: 'PARTITION_UNAVAILABLE',
  });
  state.reachable = true;
  await clock.elapse(5_000);
  expect(owned.map(({ drives }) => drives)).toEqual([2, 2, 2, 2]);
  unfinished.close();
});
