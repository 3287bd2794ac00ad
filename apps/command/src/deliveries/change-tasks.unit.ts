/** Which timers of a partition are listed as change tasks, and what is said of them. */
import type { DueTimers, PendingTimer } from '@sluice/engine';
import { logpb, timestampFromUs } from '@sluice/protocol';
import type { ChangeTaskState } from '../command-capability';
import { BEFORE_ALL_TASKS, ChangeTasks } from './change-tasks';

const PARTITION = 3;
const { DELIVERY_STATE_WAITING: WAITING, DELIVERY_STATE_RETRYING: RETRYING, DELIVERY_STATE_DEAD: DEAD } = logpb.DeliveryState;
const CAPABILITIES = [
  { name: 'toy', changeTasks: [{ method: 'Later', read: (payload: Uint8Array) => JSON.parse(Buffer.from(payload).toString()) as ChangeTaskState }] },
  { name: 'other' },
];

interface Timer extends Partial<PendingTimer> {
  readonly parked?: boolean;
}

const payloadOf = (taskId: string, attempts = 0, reason = ''): Uint8Array => Buffer.from(JSON.stringify({ taskId, takenAtUs: 1_000_000, attempts, reason }));

/** A partition with these timers, in their order. */
function tasksOf(timers: readonly Timer[]): ChangeTasks {
  const filled = timers.map((timer, at) => ({
    capability: 'toy',
    key: 'k',
    timerId: `toy/task ${at}`,
    method: 'Later',
    dueAtUs: 2_000_000 + at,
    payload: payloadOf(`task ${at}`),
    number: at,
    ...timer,
  }));
  const pending = {
    slots: filled.length,
    isPending: () => true,
    isParked: (slot: number) => timers[slot]?.parked === true,
    dueOf: (slot: number) => filled[slot]?.dueAtUs,
    numberOf: (slot: number) => filled[slot]?.number,
    read: (slot: number) => filled[slot],
  };
  const served = { of: (partition: number) => (partition === PARTITION ? { room: { pending } } : undefined) };
  return new ChangeTasks(served as unknown as Pick<DueTimers, 'of'>, CAPABILITIES);
}

const ALL = { after: BEFORE_ALL_TASKS, limit: 10, parkedOnly: false };

test('timers of the methods that capabilities name are listed, in the order in which they are due', async () => {
  const tasks = tasksOf([{ dueAtUs: 9_000_000 }, { method: 'Soon' }, { capability: 'other' }, { capability: 'unknown' }, {}]);
  const { tasks: listed, next } = await tasks.list(PARTITION, ALL);
  expect(listed.map(({ taskId }) => taskId)).toEqual(['task 4', 'task 0']);
  expect(next).toBeUndefined();
  expect(await tasks.list(PARTITION + 1, ALL)).toEqual({ tasks: [], next: undefined });
});

test('a task is said to be of its aggregate, with when it was taken, how often it was executed, and why it goes on', async () => {
  const [listed] = (await tasksOf([{ payload: payloadOf('task 0', 2, 'CLOSED') }]).list(PARTITION, ALL)).tasks;
  expect(listed).toEqual({
    deliveryId: '',
    taskId: 'task 0',
    state: RETRYING,
    source: PARTITION,
    target: PARTITION,
    owedBy: 'toy',
    owedByKey: 'k',
    capability: 'toy',
    key: 'k',
    method: 'Later',
    owedAt: timestampFromUs(1_000_000),
    attempts: 2,
    reason: 'CLOSED',
  });
});

test('a task whose command cannot be decided is dead, and is listed among what is', async () => {
  const tasks = tasksOf([{}, { parked: true, payload: Buffer.from('no JSON') }]);
  expect((await tasks.list(PARTITION, ALL)).tasks.map(({ state }) => state)).toEqual([WAITING, DEAD]);
  const { tasks: dead } = await tasks.list(PARTITION, { ...ALL, parkedOnly: true });
  expect(dead).toMatchObject([{ taskId: 'toy/task 1', state: DEAD, owedAt: timestampFromUs(2_000_001), reason: expect.stringContaining('timers redrive') }]);
});

test('pages go on behind the last task of the page before, and a page without room says whether there are tasks', async () => {
  const tasks = tasksOf([{}, {}, { method: 'Soon' }, {}]);
  const found: string[] = [];
  for (let after: typeof BEFORE_ALL_TASKS | undefined = BEFORE_ALL_TASKS; after !== undefined; ) {
    const page = await tasks.list(PARTITION, { ...ALL, limit: 1, after });
    found.push(...page.tasks.map(({ taskId }) => taskId));
    after = page.next;
  }
  expect(found).toEqual(['task 0', 'task 1', 'task 3']);
  expect(await tasks.list(PARTITION, { ...ALL, limit: 0 })).toEqual({ tasks: [], next: BEFORE_ALL_TASKS });
  expect(await tasksOf([{ method: 'Soon' }]).list(PARTITION, { ...ALL, limit: 0 })).toEqual({ tasks: [], next: undefined });
});
