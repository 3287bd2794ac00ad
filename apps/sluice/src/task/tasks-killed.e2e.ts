/** kill -9 and SIGSTOP of workers, and kill -9 of the server, while tasks run: each acknowledged task ends once, and what zombies say is refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient, SluiceError, type Task, type TaskInput } from '@sluice/client';
import { WorkerChild } from '@sluice/distributed';
import { readCommit } from '@sluice/protocol';
import { taskEvents, taskpb } from '@sluice/protocol/task';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { ServedSluice } from '../testing/cli-for-tests';

const CALLERS = 4;
/** However slow the machine is, the tasks remain few. */
const BETWEEN_CALLS_MS = 40;
const TASKS_BETWEEN_FAULTS = 60;
const HEARTBEAT_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-tasks-killed-'));
const data = join(folder, 'data');
const handlers = join(folder, 'handlers.mjs');
const workers: WorkerChild[] = [];
let served: ServedSluice;
let client: SluiceClient;

beforeAll(async () => {
  writeFileSync(
    handlers,
    `import { existsSync } from 'node:fs';
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    export const handlers = {
      work: () => pause(10),
      gated: async (task, { progress }) => { progress(1, 2); while (!existsSync(task.json().gate)) await pause(10); return 'by attempt ' + task.attempt; },
      poison: () => process.kill(process.pid, 'SIGKILL'),
    };`,
  );
  served = await ServedSluice.start({ SLUICE_DATA_DIR: data });
  client = new SluiceClient({ target: served.address });
});

afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));
afterAll(async () => {
  client.close();
  await served.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

async function work(queue: string, workerId: string, capacity = 10): Promise<WorkerChild> {
  const worker = await WorkerChild.start({ target: served.address, module: handlers, queues: [queue], workerId, capacity });
  workers.push(worker);
  return worker;
}

/** The server's process dies, and another one serves the same data on the same port. */
async function killServer(): Promise<void> {
  const port = Number(served.address.slice(served.address.lastIndexOf(':') + 1));
  await served.end('SIGKILL');
  served = await ServedSluice.start({ SLUICE_DATA_DIR: data }, port);
}

/** Submits tasks until it is stopped; one that is not answered is submitted again with the same request id. */
class Submissions {
  readonly acknowledged = new Set<string>();
  private isStopped = false;
  private readonly callers: Promise<void>[];
  private number = 0;

  constructor(
    private readonly queue: string,
    private readonly task: TaskInput,
  ) {
    this.callers = Array.from({ length: CALLERS }, () => this.call());
  }

  private async call(): Promise<void> {
    while (!this.isStopped) {
      this.number += 1;
      const requestId = `task-${this.number}`;
      while (!(await this.isAnswered(requestId)));
      await look(BETWEEN_CALLS_MS);
    }
  }

  private async isAnswered(requestId: string): Promise<boolean> {
    try {
      this.acknowledged.add((await client.tasks.create(this.queue, { ...this.task, requestId })).taskId);
      return true;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'UNAVAILABLE') throw error;
      return false;
    }
  }

  async more(count: number): Promise<void> {
    const until = this.acknowledged.size + count;
    while (this.acknowledged.size < until) await look();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.callers);
  }
}

const look = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function ended(taskId: string): Promise<Task> {
  for await (const task of client.tasks.watch(taskId)) if (task.version === 3) return task;
  throw new Error(`the watch of ${taskId} ended before the task`);
}

interface RecordedAttempt {
  readonly attempt: number;
  readonly workerId: string;
  readonly outcome: string;
}

/** How attempts of the queue's tasks ended, from the log, by task id and in their order. Throws if an attempt was started or ended that could not be. */
async function attemptsInLog(queue: string): Promise<Map<string, RecordedAttempt[]>> {
  const log = await SqliteEventLog.open({ file: join(data, 'log.db'), readOnly: true });
  const attempts = new Map<string, RecordedAttempt[]>();
  const running = new Map<string, { readonly attempt: number; readonly workerId: string }>();
  const over = new Set<string>();
  for (let partition = 0; partition < log.identity.partitions; partition += 1) {
    for (let sequence = 1; ; ) {
      const page = await log.read(partition, sequence, { maxCommits: 500, maxBytes: 8 << 20 });
      if (page.length === 0) break;
      for (const { bytes } of page) {
        const commit = readCommit(bytes);
        sequence = commit.sequence + 1;
        for (const event of commit.events) {
          const started = taskEvents.readOnly('AttemptsStarted', event, commit);
          for (const { number, attempt } of started?.queue === queue ? started.starts : []) {
            const taskId = `${queue}/${number}`;
            if (running.has(taskId) || over.has(taskId)) throw new Error(`${taskId}: attempt ${attempt} was started beside or behind another end`);
            running.set(taskId, { attempt, workerId: started?.workerId ?? '' });
          }
          const ends = taskEvents.readOnly('AttemptsEnded', event, commit);
          for (const { number, attempt, outcome, retryAtUs } of ends?.queue === queue ? ends.ends : []) {
            const taskId = `${queue}/${number}`;
            const begun = running.get(taskId);
            if (begun?.attempt !== attempt) throw new Error(`${taskId}: attempt ${attempt} ended and was not under way`);
            running.delete(taskId);
            if (retryAtUs === 0) over.add(taskId);
            const ofTask = attempts.get(taskId) ?? [];
            attempts.set(taskId, ofTask);
            ofTask.push({ ...begun, outcome: taskpb.AttemptOutcome[outcome] ?? '' });
          }
        }
      }
    }
  }
  await log.close();
  return attempts;
}

const outcomesOf = (attempts: readonly RecordedAttempt[] | undefined): string[] =>
  (attempts ?? []).map(({ workerId, outcome }) => `${workerId} ${outcome.slice('ATTEMPT_OUTCOME_'.length)}`);

test('kill -9 of a worker and of the server at load: every acknowledged task succeeds once, and the tasks of the worker are tried again', async () => {
  const queue = 'load';
  const victim = await work(queue, 'victim');
  const often = { limits: { heartbeatMs: HEARTBEAT_MS }, retry: { maximumAttempts: 20, firstPauseMs: 20, growthPercent: 0 } };
  // What the victim holds when it dies.
  const gate = join(folder, 'gate of the load');
  const { taskId: held } = await client.tasks.create(queue, { type: 'gated', payload: { gate }, ...often });
  for await (const task of client.tasks.watch(held)) if (task.progress !== undefined) break;
  await work(queue, 'other');
  const submissions = new Submissions(queue, { type: 'work', ...often });
  await submissions.more(TASKS_BETWEEN_FAULTS);
  await victim.kill();
  writeFileSync(gate, '');
  await submissions.more(TASKS_BETWEEN_FAULTS);
  // The loss of a worker is noticed and made good at load, before anything is started anew.
  expect(await ended(held)).toMatchObject({ state: 'SUCCEEDED' });
  await killServer();
  await work(queue, 'third');
  await submissions.more(TASKS_BETWEEN_FAULTS);
  await submissions.stop();
  for await (const { counts } of client.tasks.watchQueue(queue)) if (counts.submitted + counts.running === 0) break;
  const succeeded = new Set<string>();
  for await (const { taskId } of client.tasks.list({ queue, state: 'SUCCEEDED' }, { pageSize: 500 })) succeeded.add(taskId);
  expect([held, ...submissions.acknowledged].filter((taskId) => !succeeded.has(taskId))).toEqual([]);

  const attempts = await attemptsInLog(queue);
  const successes = [...attempts].map(([taskId, ofTask]) => `${taskId} ${ofTask.filter(({ outcome }) => outcome.endsWith('SUCCEEDED')).length}`);
  expect(successes.filter((text) => !text.endsWith(' 1'))).toEqual([]);
  expect([...submissions.acknowledged].filter((taskId) => !attempts.has(taskId))).toEqual([]);
  expect(outcomesOf(attempts.get(held))[0]).toBe('victim FAILED');
});

test('a worker that was paused for longer than its heartbeat limit is a zombie: what it says is refused', async () => {
  const queue = 'paused';
  const gate = join(folder, 'gate');
  const zombie = await work(queue, 'zombie');
  const limits = { heartbeatMs: HEARTBEAT_MS };
  const { taskId } = await client.tasks.create(queue, { type: 'gated', payload: { gate }, limits, retry: { maximumAttempts: 20, firstPauseMs: 1 } });
  for await (const task of client.tasks.watch(taskId)) if (task.progress !== undefined) break;
  zombie.signal('SIGSTOP');
  const second = await work(queue, 'second');
  for await (const task of client.tasks.watch(taskId)) if (task.attemptCount > 1) break;
  // Both finish now; the lease of the first one is not in force.
  writeFileSync(gate, '');
  zombie.signal('SIGCONT');
  expect(await ended(taskId)).toMatchObject({ state: 'SUCCEEDED' });
  // It takes tasks again, and has said before what became of its first one.
  await second.kill();
  const { taskId: next } = await client.tasks.create(queue, { type: 'work' });
  expect(await ended(next)).toMatchObject({ state: 'SUCCEEDED', attempts: [{ workerId: 'zombie' }] });
  const outcomes = outcomesOf((await attemptsInLog(queue)).get(taskId));
  expect(outcomes[0]).toBe('zombie FAILED');
  expect(outcomes.filter((outcome) => outcome.endsWith('SUCCEEDED'))).toEqual(outcomes.slice(-1));
  expect(Buffer.from((await client.tasks.get(taskId)).result?.body ?? []).toString()).toBe(`by attempt ${outcomes.length}`);
});

test('a task that kills its worker again and again is dead after its attempts, and the tasks behind it are done', async () => {
  const queue = 'poisoned';
  const limits = { heartbeatMs: HEARTBEAT_MS };
  const { taskId: poison } = await client.tasks.create(queue, { type: 'poison', priority: 9, limits, retry: { maximumAttempts: 3, firstPauseMs: 1 } });
  const behind = await client.tasks.createMany(
    queue,
    Array.from({ length: 20 }, () => ({ type: 'work', limits, retry: { maximumAttempts: 10, firstPauseMs: 1 } })),
  );
  let stop = false;
  // As a supervisor does.
  const supervising = (async () => {
    for (let start = 1; !stop; start += 1) {
      const worker = await work(queue, `worker ${start}`, 2);
      while (worker.isRunning && !stop) await look();
    }
  })();
  const dead = await ended(poison);
  expect(dead).toMatchObject({ state: 'FAILED', attemptCount: 3, failure: { kind: 'WORKER_LOST', limit: 'HEARTBEAT' } });
  for (const { task } of behind) expect(await ended(task?.taskId ?? '')).toMatchObject({ state: 'SUCCEEDED' });
  stop = true;
  await supervising;
  expect(outcomesOf((await attemptsInLog(queue)).get(poison))).toEqual([1, 2, 3].map((start) => `worker ${start} FAILED`));
});
