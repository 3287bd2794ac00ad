/** Handlers in the process of the command service: real threads, on queues over memory adapters. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Partition, QueueFullError, SILENT_OBSERVER } from '@sluice/engine';
import { ConfigurationError, loadConfiguration } from '@sluice/service';
import { taskEvents, taskpb } from '@sluice/protocol/task';
import { TasksUnderTest } from '../../test/tasks-under-test';
import { QueueWork } from '../queue-work';

const GRACE_MS = 2_000;
const folder = mkdtempSync(join(tmpdir(), 'sluice-handlers-'));
let tasks: TasksUnderTest | undefined;

afterEach(async () => {
  if (tasks !== undefined) await whileTimePasses(tasks, tasks.stop());
  tasks = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function moduleOf(name: string, source: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, source);
  return file;
}

const HANDLERS = moduleOf(
  'handlers',
  `export const handlers = {
    double: (task) => ({ twice: task.json().n * 2 }),
    spin: (task, { progress }) => { progress(1, 2, 'spinning'); for (;;); },
    fail: () => { throw new Error('no connection'); },
  };`,
);

const start = (module: string, threads = 2, observer = SILENT_OBSERVER): Promise<TasksUnderTest> =>
  TasksUnderTest.start({ settings: { ...loadConfiguration({}), taskHandlers: module, taskHandlerThreads: threads }, drainGraceMs: GRACE_MS, observer });

/** Threads run in real time, everything else by the manual clock. */
async function whileTimePasses<Result>(of: TasksUnderTest, work: Promise<Result>): Promise<Result> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  while (!isOver) {
    await of.clock.elapse(10);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return over;
}

/** Resolves as soon as it holds. */
async function until(of: TasksUnderTest, condition: () => boolean): Promise<void> {
  while (!condition()) await whileTimePasses(of, new Promise((resolve) => setImmediate(resolve)));
}

/** How attempts ended: "<number>.<attempt> <outcome> <result, or why it failed>". */
function ends(of: TasksUnderTest): string[] {
  return of
    .events()
    .flatMap((event) => taskEvents.readOnly('AttemptsEnded', event, { partition: 0, sequence: 0 })?.ends ?? [])
    .map(({ number, attempt, outcome, result, failure }) => {
      const what = result?.body.toString() ?? (failure && taskpb.FailureKind[failure.kind]?.slice('FAILURE_KIND_'.length)) ?? '';
      return `${number}.${attempt} ${taskpb.AttemptOutcome[outcome]?.slice('ATTEMPT_OUTCOME_'.length)} ${what}`.trim();
    });
}

test('tasks of every queue are run by their types; other types wait', async () => {
  const run = await start(HANDLERS);
  tasks = run;
  await run.create('unknown', {}, 'a');
  for (const [queue, n] of [
    ['b', 21],
    ['c', 4],
    ['a', 1],
  ] as const)
    await run.create('double', { payload: Buffer.from(JSON.stringify({ n })) }, queue);
  await until(run, () => ends(run).length === 3);
  expect(ends(run).sort()).toEqual(['1.1 SUCCEEDED {"twice":42}', '1.1 SUCCEEDED {"twice":8}', '2.1 SUCCEEDED {"twice":2}']);
});

test('tasks that were submitted before the start are run, too', async () => {
  const run = await start(HANDLERS);
  tasks = run;
  await run.call('pauseQueue', { queue: 'q' });
  await run.create('double', { payload: Buffer.from('{"n":1}') });
  await run.restart();
  await run.call('resumeQueue', { queue: 'q' });
  await run.restart();
  await until(run, () => ends(run).length === 1);
});

test('a busy loop ends at its time limit and when it is cancelled, and its thread is free again', async () => {
  const run = await start(HANDLERS, 1);
  tasks = run;
  await run.create('spin', { limits: { startToFinishMs: 300 } });
  await until(run, () => ends(run).length === 1);
  expect(ends(run)).toEqual(['1.1 FAILED TIME_LIMIT']);
  const taskId = await run.create('spin');
  await until(run, () => run.eventTypes().filter((type) => type === 'ProgressRecorded').length === 2);
  await run.call('cancelTask', { taskId });
  await run.create('double', { payload: Buffer.from('{"n":1}') });
  await until(run, () => ends(run).length === 3);
  expect(ends(run).slice(1)).toEqual(['2.1 CANCELLED', '3.1 SUCCEEDED {"twice":2}']);
});

test('a handler that throws fails its attempt, which is tried again', async () => {
  const run = await start(HANDLERS);
  tasks = run;
  await run.create('fail', { retry: { maximumAttempts: 2, firstPauseMs: 100 } });
  await until(run, () => ends(run).length === 2);
  expect(ends(run)).toEqual(['1.1 FAILED HANDLER', '1.2 FAILED HANDLER']);
});

describe('tasks that cannot be taken now are taken after a pause', () => {
  let troubles: string[];
  let run: TasksUnderTest;

  beforeEach(async () => {
    troubles = [];
    run = await start(HANDLERS, 2, { ...SILENT_OBSERVER, trouble: (_partition, what) => troubles.push(what) });
    tasks = run;
  });
  afterEach(() => jest.restoreAllMocks());

  test('and a partition that takes no turns is no trouble', async () => {
    const { submit } = Partition.prototype;
    // The first one is the submission of the task.
    const submitted = jest.spyOn(Partition.prototype, 'submit').mockImplementation(function (this: Partition, ...given: Parameters<typeof submit>) {
      if (submitted.mock.calls.length > 1 && submitted.mock.calls.length < 5) throw new QueueFullError(0);
      submit.apply(this, given);
    });
    await run.create('double', { payload: Buffer.from('{"n":1}') });
    await until(run, () => ends(run).length === 1);
    expect(submitted.mock.results.filter(({ type }) => type === 'throw')).toHaveLength(3);
    expect(troubles).toEqual([]);
  });

  test('and any other fault is told', async () => {
    jest.spyOn(QueueWork.prototype, 'start').mockRejectedValueOnce(new Error('no such commit'));
    await run.create('double', { payload: Buffer.from('{"n":1}') });
    await until(run, () => ends(run).length === 1);
    expect(troubles).toEqual(['tasks of queue q could not be handed to the handlers in this process']);
  });
});

test('signs of life keep a task for longer than its heartbeat limit', async () => {
  const run = await start(HANDLERS);
  tasks = run;
  const module = 'spin';
  await run.create(module, { limits: { heartbeatMs: 200, startToFinishMs: 1_500 } });
  await until(run, () => ends(run).length === 1);
  expect(ends(run)).toEqual(['1.1 FAILED TIME_LIMIT']);
});

test('a process that stops takes nothing further, lets what runs end within the grace, and gives the rest back', async () => {
  const run = await start(
    moduleOf(
      'slow',
      `const buffer = new Int32Array(new SharedArrayBuffer(4));
      export const handlers = { short: () => { Atomics.wait(buffer, 0, 0, 300); return 'done'; }, spin: () => { for (;;); } };`,
    ),
  );
  await run.create('short');
  await run.create('spin');
  await until(run, () => run.eventTypes().includes('AttemptsStarted'));
  await run.create('short');
  await whileTimePasses(run, run.stop());
  expect(ends(run).sort()).toEqual(['1.1 SUCCEEDED done', '2.1 RETURNED']);
});

test.each`
  what                  | source
  ${'is not there'}     | ${undefined}
  ${'does not compile'} | ${'export const handlers = {'}
  ${'throws'}           | ${"throw new Error('no')"}
  ${'has no handlers'}  | ${'export const handlers = {};'}
`('a module that $what is refused before anything is opened', async ({ what, source }: { what: string; source: string | undefined }) => {
  const module = source === undefined ? join(folder, 'nowhere.mjs') : moduleOf(what.replaceAll(' ', '-'), source);
  const starting = start(module);
  await expect(starting).rejects.toThrow(ConfigurationError);
  await expect(starting).rejects.toThrow(`SLUICE_TASK_HANDLERS: the module ${module} cannot be used: `);
});
