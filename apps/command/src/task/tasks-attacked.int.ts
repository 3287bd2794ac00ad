/** Workers and callers that misbehave: what they cost is bounded, and what they did not mean is not done twice. */
import { taskpb } from '@sluice/protocol/task';
import { reasonOf } from '../test/command-under-test';
import { leaseOf, specOf, TasksUnderTest } from '../test/tasks-under-test';

const KIB = 1_024;

let tasks: TasksUnderTest;
beforeEach(async () => {
  tasks = await TasksUnderTest.start();
});
afterEach(() => tasks.stop());

test('waiting for tasks of queues of which nothing is recorded, and requests that are refused there, leave no queue in memory', async () => {
  const workers = Array.from({ length: 5 }, (_, at) => tasks.worker({ queues: Array.from({ length: 100 }, (_none, queue) => `${at}-${queue}`) }));
  for (const worker of workers) await worker.until(({ subscribed }) => subscribed || undefined);
  for (let at = 0; at < 20; at += 1) expect(await reasonOf(tasks.call('cancelTask', { taskId: `unknown ${at}/1` }))).toBe('TASK_NOT_FOUND');
  expect(tasks.queueCount).toBe(0);
  const taskId = await tasks.create('mail', {}, '3-7');
  expect((await (workers[3] as (typeof workers)[0]).task()).taskId).toBe(taskId);
  expect(tasks.queueCount).toBe(1);
  for (const worker of workers) await worker.cut();
});

test('tasks that are large together come in several messages', async () => {
  for (let at = 0; at < 12; at += 1) await tasks.create('mail', { payload: Buffer.alloc(256 * KIB, at) });
  const worker = tasks.worker({ capacity: 12 });
  const taskIds: string[] = [];
  while (taskIds.length < 12) {
    const answer = await worker.until((found) => (found.tasks.length > 0 ? found : undefined));
    expect(taskpb.WorkResponse.encode(answer).finish().length).toBeLessThan(1_400 * KIB);
    taskIds.push(...answer.tasks.map(({ taskId }) => taskId));
  }
  expect(taskIds).toEqual(Array.from({ length: 12 }, (_, at) => `q/${at + 1}`));
  await worker.cut();
});

test.each([
  ['a body', { body: Buffer.alloc(256 * KIB + 1), contentType: '' }],
  ['a content type', { body: Buffer.alloc(0), contentType: 'x'.repeat(129) }],
])('a result with %s that is too large ends the task as failed: doing it again would bring the same', async (_what, result) => {
  const taskId = await tasks.create('mail');
  const worker = tasks.worker();
  const lease = leaseOf(await worker.task());
  worker.send({ completions: [{ lease, result, ranUs: 0n }] });
  expect(await worker.verdict()).toBe('INVALID_REQUEST');
  expect(await reasonOf(tasks.call('cancelTask', { taskId }))).toBe('TASK_ENDED');
  worker.send({ completions: [{ lease, result, ranUs: 0n }] });
  expect(await worker.verdict()).toBe('INVALID_REQUEST');
  await worker.cut();
});

test('a content type that is too large is refused for a state that a caller sets', async () => {
  const taskId = await tasks.create('manual');
  const result = { body: Buffer.alloc(0), contentType: 'x'.repeat(129) };
  expect(await reasonOf(tasks.call('updateTaskState', { taskId, expectedVersion: 1, state: 2 }))).toBe('accepted');
  expect(await reasonOf(tasks.call('updateTaskState', { taskId, expectedVersion: 2, state: 3, result }))).toBe('INVALID_REQUEST');
});

test('a flood of progress in one message is recorded once', async () => {
  await tasks.create('mail');
  const worker = tasks.worker();
  const lease = leaseOf(await worker.task());
  worker.send({ heartbeats: Array.from({ length: 1_000 }, (_, done) => ({ lease, progress: { done, total: 1_000, text: '' } })) });
  await worker.until(({ heard }) => heard[999]);
  const marks = tasks.events().flatMap(({ type, payload }) => (type === 'task.ProgressRecorded' ? taskpb.ProgressRecorded.decode(payload).marks : []));
  expect(marks).toHaveLength(1);
  await worker.cut();
});

test.each<[string, Partial<taskpb.WorkRequest>]>([
  ['signs of life', { heartbeats: Array.from({ length: 20_001 }, () => ({ lease: { taskId: 'q/1', leaseToken: '1.1.1' }, progress: undefined })) }],
  ['reports', { completions: Array.from({ length: 20_001 }, () => ({ lease: { taskId: 'q/1', leaseToken: '1.1.1' }, result: undefined, ranUs: 0n })) }],
])('a message with too many %s ends the stream', async (_what, message) => {
  const worker = tasks.worker();
  worker.send(message);
  expect(await reasonOf(worker.ended)).toBe('INVALID_REQUEST');
});

test('a worker cannot name more leases than it may hold', async () => {
  const worker = tasks.worker({ held: Array.from({ length: 10_001 }, (_, at) => ({ taskId: `q/${at + 1}`, leaseToken: '1.1.1' })) });
  expect(await reasonOf(worker.ended)).toBe('INVALID_REQUEST');
});

test('a thousand types are the most that wait in a queue; the request that was refused passes when others have ended', async () => {
  const items = Array.from({ length: 1_001 }, (_, at) => ({ requestId: `r${at}`, task: specOf({ type: `type ${at}` }) }));
  const { results } = await tasks.call('createTasks', { queue: 'q', tasks: items });
  expect(results.filter(({ error }) => error !== undefined).map(({ error }) => error?.reason)).toEqual(['QUEUE_TYPES_FULL']);
  await tasks.call('purgeQueue', { queue: 'q' });
  await tasks.clock.elapse(1_000);
  const again = await tasks.call('createTasks', { queue: 'q', tasks: items.slice(1_000) });
  expect(again.results[0]?.task?.taskId).toBe('q/1001');
});

test('a worker of one type gets its task although thousands of workers of other types wait', async () => {
  const others = Array.from({ length: 3_000 }, (_, at) => tasks.worker({ workerId: `w${at}`, types: [`other ${at}`, `more ${at}`] }));
  for (const worker of others) await worker.until(({ subscribed }) => subscribed || undefined);
  const wanted = tasks.worker({ types: ['mail'] });
  await wanted.until(({ subscribed }) => subscribed || undefined);
  const taskId = await tasks.create('mail');
  expect((await wanted.task()).taskId).toBe(taskId);
  for (const worker of [wanted, ...others]) await worker.cut();
});

test('what was under way when its queue was purged, and fails, is ended and does not wait for ever', async () => {
  const taskId = await tasks.create('mail');
  const worker = tasks.worker();
  const task = await worker.task();
  await tasks.call('purgeQueue', { queue: 'q' });
  await tasks.clock.elapse(200);
  expect(await worker.fail(task, 'no connection')).toBe('');
  await tasks.clock.elapse(5_000);
  expect(await reasonOf(tasks.call('cancelTask', { taskId }))).toBe('TASK_ENDED');
  await worker.cut();
});

test.each([
  ['cron', { cron: `${'0,'.repeat(100)}0 * * * *` }],
  ['time zone', { cron: '0 * * * *', timeZone: 'x'.repeat(65) }],
])('a %s that is too long is refused', async (_what, spec) => {
  expect(await reasonOf(tasks.call('createSchedule', { queue: 'q', name: 's', spec: { ...spec, task: { type: 't' } } }))).toBe('INVALID_REQUEST');
});

describe('times at the end of what can be told', () => {
  const LAST = { seconds: 253_402_300_799n, nanos: 999_999_999 };
  const YEAR_2255 = { seconds: 9_000_000_000n, nanos: 0 };

  test('a start, or the begin of a schedule, that is too late is refused, and the partition goes on', async () => {
    expect(await reasonOf(tasks.create('mail', { startAt: LAST }))).toBe('INVALID_REQUEST');
    expect(await reasonOf(tasks.create('mail', { startAt: YEAR_2255 }))).toBe('accepted');
    const schedule = (spec: object) => reasonOf(tasks.call('createSchedule', { queue: 'q', name: 's', spec: { ...spec, task: { type: 't' } } }));
    for (const spec of [{ intervalMs: 60_000 }, { cron: '* * * * *' }]) expect(await schedule({ ...spec, beginAt: LAST })).toBe('INVALID_REQUEST');
    expect(await reasonOf(tasks.create('mail'))).toBe('accepted');
  });

  test('a schedule that begins late has the runs that can be told', async () => {
    const spec = { intervalMs: 4_000_000_000, beginAt: { seconds: 9_000_000_000n, nanos: 0 }, endAt: LAST, task: { type: 't' } };
    const { nextRuns } = await tasks.call('createSchedule', { queue: 'q', name: 's', spec });
    expect(nextRuns).toHaveLength(2);
    await tasks.restart();
    expect(await reasonOf(tasks.create('mail'))).toBe('accepted');
  });
});
