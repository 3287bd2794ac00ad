/** Tasks over the wire: command line, client library, and grpcurl, which knows no protos. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient, type SluiceError } from '@sluice/client';
import { cli, grpcurlFolder, jsonLines, ServedSluice, withGrpcurl } from '../testing/cli-for-tests';

const folder = mkdtempSync(join(tmpdir(), 'sluice-tasks-'));
const handlers = join(folder, 'handlers.mjs');
let served: ServedSluice;
let client: SluiceClient;

beforeAll(async () => {
  writeFileSync(
    handlers,
    `export const handlers = {
      double: async (task, { progress }) => { progress(1, 2, 'half'); return { twice: task.json().n * 2 }; },
      spin: () => { for (;;); },
      die: () => process.exit(1),
    };`,
  );
  served = await ServedSluice.start({ SLUICE_DATA_DIR: join(folder, 'data') });
  client = new SluiceClient({ target: served.address });
});

afterAll(async () => {
  client.close();
  await served.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

const run = (...argv: readonly string[]) => cli([...argv, '--target', served.address, '--json']);

/** The command line is another client: what it made is waited for. */
async function present(taskId: string): Promise<void> {
  for (;;) {
    try {
      await client.tasks.get(taskId);
      return;
    } catch (error) {
      if ((error as SluiceError).reason !== 'TASK_NOT_FOUND') throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function ended(taskId: string) {
  await present(taskId);
  for await (const task of client.tasks.watch(taskId)) if (task.version === 3) return task;
  throw new Error(`the watch of ${taskId} ended before the task`);
}

test('a task goes from the command line through a worker to its result, and a busy loop ends at its time limit', async () => {
  const stop = new AbortController();
  const working = cli(['worker', 'run', handlers, '--queue', 'q', '--target', served.address], { interrupted: stop.signal });
  try {
    const [made] = jsonLines((await run('task', 'create', 'q', 'double', '--payload', '{"n":21}', '--label', 'customer=7')).out) as { taskId: string }[];
    const done = await ended(made?.taskId ?? '');
    expect(done).toMatchObject({ state: 'SUCCEEDED', version: 3, attemptCount: 1, labels: { customer: '7' } });
    expect(Buffer.from(done.result?.body ?? []).toString()).toBe('{"twice":42}');

    const { taskId: busy } = await client.tasks.create('q', { type: 'spin', limits: { startToFinishMs: 300 } });
    expect(await ended(busy)).toMatchObject({ state: 'FAILED', failure: { kind: 'TIME_LIMIT', limit: 'START_TO_FINISH' } });

    const { taskId: cancelled } = await client.tasks.create('q', { type: 'spin' });
    for await (const task of client.tasks.watch(cancelled)) if (task.state === 'RUNNING') break;
    expect((await run('task', 'cancel', cancelled, '--note', 'enough')).code).toBe(0);
    expect(await ended(cancelled)).toMatchObject({ state: 'CANCELLED', note: 'enough' });

    const { taskId: deadly } = await client.tasks.create('q', { type: 'die', retry: { maximumAttempts: 2, firstPauseMs: 1 } });
    expect(await ended(deadly)).toMatchObject({ state: 'FAILED', attemptCount: 2 });

    const listed = jsonLines((await run('task', 'list', 'q', '--state', 'FAILED')).out) as { taskId: string }[];
    expect(listed.map(({ taskId }) => taskId)).toEqual([deadly, busy]);
    const [stats] = jsonLines((await run('queue', 'stats', 'q')).out);
    expect(stats).toMatchObject({ counts: { submitted: 0, running: 0, succeeded: 1, failed: 2, cancelled: 1 } });
    const again = jsonLines((await run('task', 'retry', made?.taskId ?? '')).out) as { taskId: string }[];
    expect(await ended(again[0]?.taskId ?? '')).toMatchObject({ state: 'SUCCEEDED', retryOf: made?.taskId });
  } finally {
    // A worker that goes on would keep the test's process.
    stop.abort();
  }
  expect((await working).code).toBe(0);
});

test('a type without a worker waits, and the stats say so; a schedule has its next runs', async () => {
  await client.tasks.create('idle', { type: 'nobody-does-this' });
  await client.tasks.pauseQueue('idle');
  // This client reads what it wrote; the command line, which is another one, finds it then.
  await client.tasks.queueStats('idle');
  const [stats] = jsonLines((await run('queue', 'stats', 'idle')).out);
  expect(stats).toMatchObject({ paused: true, typesNeverStarted: ['nobody-does-this'], counts: { submitted: 1 } });
  const limits = { maximumRunning: 5, rate: { maximumStarts: 100, windowMs: 1_000 }, types: { report: { maximumRunning: 1 } } };
  await client.tasks.configureQueue('idle', limits);
  expect((await client.tasks.queueStats('idle')).limits).toEqual(limits);
  const shown = await cli(['queue', 'stats', 'idle', '--target', served.address]);
  expect(shown.out).toContain('5 running, 100 starts in 1000 ms, 1 running of report');
  const schedule = ['idle', 'nightly', '--type', 'report', '--cron', '30 2 * * *', '--time-zone', 'Europe/Berlin'];
  expect((await run('schedule', 'create', ...schedule)).code).toBe(0);
  const taskId = await client.tasks.runScheduleNow('idle/nightly');
  expect(await client.tasks.get(taskId)).toMatchObject({ type: 'report', scheduleId: 'idle/nightly', state: 'SUBMITTED' });
  expect(jsonLines((await run('schedule', 'next', 'idle/nightly')).out)).toHaveLength(10);
  await client.tasks.deleteSchedule('idle/nightly');
  const left: unknown[] = [];
  for await (const found of client.tasks.schedules('idle')) left.push(found);
  expect(left).toEqual([]);
});

test('a parent reads the results of more children than it waits for at once, in the order of their submission', async () => {
  const { taskId: parentTaskId } = await client.tasks.create('family', { type: 'manual' });
  const inputs = Array.from({ length: 130 }, () => ({ type: 'manual', parentTaskId }));
  const children = (await client.tasks.createMany('family', inputs)).map(({ task }) => task?.taskId ?? '');
  const results = client.tasks.children(parentTaskId);
  // The last one ends first.
  const ended = [...children].reverse().map(async (taskId) => {
    await client.tasks.updateState(taskId, 1, 'RUNNING');
    await client.tasks.updateState(taskId, 2, 'SUCCEEDED', { result: taskId });
  });
  await Promise.all(ended);
  expect((await results).map(({ taskId, result }) => [taskId, Buffer.from(result?.body ?? []).toString()])).toEqual(children.map((taskId) => [taskId, taskId]));
});

test('a redrive without a limit leaves no dead task out', async () => {
  const inputs = Array.from({ length: 101 }, () => ({ type: 'manual' }));
  const dead = (await client.tasks.createMany('many-dead', inputs)).map(({ task }) => task?.taskId ?? '');
  const failed = dead.map(async (taskId) => {
    await client.tasks.updateState(taskId, 1, 'RUNNING');
    await client.tasks.updateState(taskId, 2, 'FAILED');
  });
  await Promise.all(failed);
  await client.tasks.queueStats('many-dead');
  const redriven = jsonLines((await run('task', 'redrive', 'many-dead')).out) as { taskId: string }[];
  expect(redriven.map(({ taskId }) => taskId)).toEqual(dead);
});

test('dead tasks are redriven in bulk, each once; content types, start times and rates of types reach the server', async () => {
  const dead: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { taskId } = await client.tasks.create('dead', { type: 'manual' });
    await client.tasks.updateState(taskId, 1, 'RUNNING');
    await client.tasks.updateState(taskId, 2, 'FAILED');
    dead.push(taskId);
  }
  await client.tasks.queueStats('dead');
  const redriven = async () =>
    jsonLines((await run('task', 'redrive', 'dead', '--type', 'manual')).out) as { taskId: string; retriedAs: string; repeated: boolean }[];
  const first = await redriven();
  expect(first.map(({ taskId, repeated }) => [taskId, repeated])).toEqual(dead.map((taskId) => [taskId, false]));
  expect(new Set(first.map(({ retriedAs }) => retriedAs)).size).toBe(3);
  expect(await redriven()).toEqual(first.map((one) => ({ ...one, repeated: true })));

  const options = ['--payload', 'a;b', '--content-type', 'text/csv', '--start-at', '2250-01-31T12:00:00Z'];
  const [made] = jsonLines((await run('task', 'create', 'dead', 'later', ...options)).out) as { taskId: string }[];
  await present(made?.taskId ?? '');
  expect(await client.tasks.get(made?.taskId ?? '')).toMatchObject({ contentType: 'text/csv', startAt: new Date('2250-01-31T12:00:00Z') });
  expect((await run('queue', 'limit', 'dead', '--type', 'later=2', '--type-rate', 'later=3/1000', '--type-rate', 'x=y=1/50')).code).toBe(0);
  let { limits } = await client.tasks.queueStats('dead');
  for (; limits === undefined; { limits } = await client.tasks.queueStats('dead')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(limits.types).toEqual({
    later: { maximumRunning: 2, rate: { maximumStarts: 3, windowMs: 1_000 } },
    'x=y': { rate: { maximumStarts: 1, windowMs: 50 } },
  });
});

test('the example of the client library does what it says', () => {
  const example = join(__dirname, '..', '..', '..', '..', 'libs', 'client', 'example', 'worker.mjs');
  const out = execFileSync(process.execPath, [example], { env: { ...process.env, SLUICE_TARGET: served.address }, encoding: 'utf8' });
  expect(out).toContain('SUCCEEDED {"greetings":["hello Ada","hello Grace"]}');
});

(grpcurlFolder() !== undefined || process.env['CI'] === 'true' ? test : test.skip)('grpcurl finds the services and submits a task by reflection alone', () => {
  const grpcurl = (...argv: readonly string[]) => execFileSync('grpcurl', ['-plaintext', ...argv], { env: withGrpcurl(), encoding: 'utf8' });
  for (const service of ['TaskCommandService', 'TaskWorkerService', 'TaskQueryService', 'ScheduleCommandService', 'ScheduleQueryService'])
    expect(grpcurl(served.address, 'list')).toContain(`sluice.task.v1.${service}`);
  const body = JSON.stringify({ request_id: 'by-hand', queue: 'g', task: { type: 'hello' } });
  expect(grpcurl('-d', body, served.address, 'sluice.task.v1.TaskCommandService/CreateTask')).toContain('"taskId": "g/1"');
});

test('what the log says of tasks and what the read store says are the same', async () => {
  expect((await cli(['verify', '--target', served.address])).out).toContain('log = read store');
});
