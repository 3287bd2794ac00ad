/** Yesterday's events of tasks are read by today's code (test/recorded-history.ts). */
import { join } from 'node:path';
import { taskEvents } from '@sluice/protocol/task';
import { eventsWithoutHistory, historiesIn, type History, keptAnswer, readHistory, testRecordingInto } from '../test/recorded-history';
import { leaseOf, specOf, TasksUnderTest } from '../test/tasks-under-test';

interface TaskHistory extends History {
  /** Number of the next task of the queue. */
  readonly nextTask: string;
}

const FOLDER = join(__dirname, 'history');

/** Requests that make every event, by their ids. */
const REQUESTS: Readonly<Record<string, readonly [Parameters<TasksUnderTest['call']>[0], object]>> = {
  mail: ['createTask', { queue: 'q', task: specOf({ type: 'mail', payload: Buffer.from('hello'), labels: { to: 'a' }, dedupeKey: 'd' }) }],
  'mail again': ['createTask', { queue: 'q', task: specOf({ type: 'mail', dedupeKey: 'd' }) }],
  other: ['createTask', { queue: 'q', task: specOf({ type: 'other', priority: -1, key: 'k', delayMs: 60_000 }) }],
  cancel: ['cancelTask', { taskId: 'q/2', note: 'not needed' }],
  retry: ['retryTask', { taskId: 'q/2' }],
  limits: ['configureQueue', { queue: 'q', limits: { maximumRunning: 5, types: [] } }],
  pause: ['pauseQueue', { queue: 'q' }],
  purge: ['purgeQueue', { queue: 'q' }],
  resume: ['resumeQueue', { queue: 'q' }],
  schedule: ['createSchedule', { queue: 'q', name: 's', spec: { cron: '0 8 * * *', timeZone: 'Europe/Berlin', task: { type: 'report' } } }],
  'run now': ['runScheduleNow', { scheduleId: 'q/s' }],
  'pause it': ['pauseSchedule', { scheduleId: 'q/s' }],
  'delete it': ['deleteSchedule', { scheduleId: 'q/s' }],
};

function answerTo(tasks: TasksUnderTest, requestId: string): Promise<string> {
  const [method, request] = REQUESTS[requestId] as (typeof REQUESTS)[string];
  return keptAnswer(tasks.call(method, { requestId, ...request }));
}

async function record(): Promise<TaskHistory> {
  const tasks = await TasksUnderTest.start();
  const answers: Record<string, string> = { mail: await answerTo(tasks, 'mail') };
  const worker = tasks.worker();
  const task = await worker.task();
  worker.send({ heartbeats: [{ lease: leaseOf(task), progress: { done: 1, total: 2, text: 'half' } }] });
  await worker.until(({ heard }) => heard[0]);
  for (const requestId of Object.keys(REQUESTS).slice(1)) answers[requestId] = await answerTo(tasks, requestId);
  await worker.complete(task, 'done');
  await worker.cut();
  await tasks.clock.elapse(1_000);
  const nextTask = await tasks.create('next');
  const commits = tasks.commits();
  await tasks.stop();
  return { commits, answers, nextTask };
}

testRecordingInto(FOLDER, record);

test('the histories have every event, in every version that can be read', () => {
  expect(eventsWithoutHistory(FOLDER, taskEvents.known())).toEqual([]);
});

test.each(historiesIn(FOLDER))('%s: requests get their first answers again, from the log and from a snapshot, and the queue goes on', async (name) => {
  const history = readHistory<TaskHistory>(FOLDER, name);
  const tasks = await TasksUnderTest.over(history.commits);
  for (const restart of [async () => undefined, () => tasks.restart()]) {
    await restart();
    for (const [requestId, answer] of Object.entries(history.answers)) expect([requestId, await answerTo(tasks, requestId)]).toEqual([requestId, answer]);
  }
  const number = Number(history.nextTask.split('/')[1]);
  expect(await tasks.create('after')).toBe(`q/${number + 1}`);
  await tasks.stop();
});
