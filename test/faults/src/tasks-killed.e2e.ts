import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient, SluiceError, type Task } from '@sluice/client';
import { WorkerChild } from '@sluice/distributed';
import { until } from '@sluice/judged-load';
import { actingSchedulers, type Scene, testFault } from './harness/under-load';

/** One in each of the four partitions. */
const QUEUES = ['l', 'b', 'a', 'd'].map((name) => `{${name}}-tasks`);
const TASKS_BETWEEN = 60;
/** However slow the machine is, the tasks remain few. */
const BETWEEN_CALLS_MS = 50;
const RETRY = { maximumAttempts: 20, firstPauseMs: 20, growthPercent: 0 };
const LIMIT_MS = 60_000;
const HEARTBEAT_MS = 2_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-tasks-killed-'));
const handlers = join(folder, 'handlers.mjs');
const workers: WorkerChild[] = [];
let client: SluiceClient | undefined;
let stopped = false;

const gate = join(folder, 'gate');

beforeAll(() =>
  writeFileSync(
    handlers,
    `import { existsSync } from 'node:fs';
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    export const handlers = {
      work: () => pause(20),
      gated: async () => { while (!existsSync(${JSON.stringify(gate)})) await pause(20); },
    };`,
  ),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Submits tasks until it is stopped; one that is not answered is submitted again with the same request id. */
async function submit(tasks: SluiceClient['tasks'], queue: string, acknowledged: Set<string>): Promise<void> {
  for (let number = 1; !stopped; ) {
    try {
      acknowledged.add((await tasks.create(queue, { requestId: `task-${number}`, type: 'work', limits: { heartbeatMs: HEARTBEAT_MS }, retry: RETRY })).taskId);
      number += 1;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_CALLS_MS));
    } catch (error) {
      if (!(error instanceof SluiceError) || !['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code)) throw error;
    }
  }
}

testFault(
  'kill -9 of a worker, an owner and the scheduler that acts while tasks run: every acknowledged task succeeds once',
  { counts: { scheduler: 2 } },
  async (scene) => {
    rmSync(gate, { force: true });
    stopped = false;
    try {
      await killWhileTasksRun(scene);
    } finally {
      stopped = true;
      await Promise.all(workers.splice(0).map((worker) => worker.kill()));
      client?.close();
    }
  },
);

async function killWhileTasksRun({ command, query, scheduler, calls, ownerOf }: Scene): Promise<void> {
  const [owner, other] = [await ownerOf(0), command.find(({ name }) => name !== 'command-1')];
  const survivor = command.find(({ name }) => name !== owner.name) ?? other;
  client = new SluiceClient({ target: survivor?.address, queryTarget: query[0]?.address });
  const { tasks } = client;
  const start = async (workerId: string, target: string | undefined): Promise<WorkerChild> => {
    const worker = await WorkerChild.start({ target: target ?? '', module: handlers, queues: QUEUES, workerId });
    workers.push(worker);
    return worker;
  };
  const victim = await start('victim', survivor?.address);
  // What it holds when it dies.
  const held = await Promise.all(QUEUES.map((queue) => tasks.create(queue, { type: 'gated', limits: { heartbeatMs: HEARTBEAT_MS }, retry: RETRY })));
  for (const { taskId } of held) for await (const task of tasks.watch(taskId)) if (task.state === 'RUNNING') break;
  // Its stream is cut when the owner falls.
  await start('other', owner.address);
  const acknowledged = new Set(held.map(({ taskId }) => taskId));
  const submitting = QUEUES.map((queue) => submit(tasks, queue, acknowledged));
  const more = (): Promise<void> => {
    const enough = acknowledged.size + TASKS_BETWEEN;
    return until('tasks are acknowledged', () => acknowledged.size >= enough, LIMIT_MS);
  };
  await more();
  const [acting] = await actingSchedulers(calls, scheduler);
  const fallen = [owner, scheduler.find(({ name }) => name === acting)];
  await Promise.all([victim.kill(), ...fallen.map((child) => child?.kill())]);
  writeFileSync(gate, '');
  await more();
  for (const child of fallen) await child?.start();
  for (const child of fallen) await child?.untilServing();
  await start('third', survivor?.address);
  await more();
  stopped = true;
  await Promise.all(submitting);

  const found = new Map<string, Task>();
  const read = async (): Promise<boolean> => {
    for (const queue of QUEUES) for await (const task of tasks.list({ queue }, { pageSize: 500 })) found.set(task.taskId, task);
    return [...found.values()].every(({ version }) => version === 3);
  };
  await until('every task has ended', read, LIMIT_MS);
  expect([...acknowledged].filter((taskId) => found.get(taskId)?.state !== 'SUCCEEDED')).toEqual([]);
  for (const { taskId, attemptCount } of found.values()) {
    if (attemptCount === 1) continue;
    const { attempts } = await tasks.get(taskId);
    const succeeded = attempts.filter(({ failure, retryAt }) => failure === undefined && retryAt === undefined);
    expect(succeeded.map(({ number }) => number)).toEqual([attemptCount]);
    const beside = attempts.filter(({ startedAt }, at) => at > 0 && (startedAt ?? 0) < (attempts[at - 1]?.endedAt ?? Number.POSITIVE_INFINITY));
    expect(beside).toEqual([]);
  }
  for (const { taskId } of held) expect((await tasks.get(taskId)).attempts[0]).toMatchObject({ workerId: 'victim', failure: { kind: 'WORKER_LOST' } });
  // Without a request that was answered twice as two tasks.
  expect(found.size).toBe(acknowledged.size);
}
