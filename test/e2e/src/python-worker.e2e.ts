/** The worker in Python, run as it stands in examples/python: by the server's reflection alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { credentials } from '@grpc/grpc-js';
import { taskpb } from '@sluice/protocol/task';
import { answered } from './harness/calls';
import { PREPARING_LIMIT_MS, PYTHON, preparePython, pythonExample, wherePythonIs } from './harness/python';
import { dataFolder, Server } from './harness/server';

const QUEUE = 'python';
const { TASK_STATE_RUNNING: RUNNING, TASK_STATE_SUCCEEDED: SUCCEEDED, TASK_STATE_FAILED: FAILED, TASK_STATE_CANCELLED: CANCELLED } = taskpb.TaskState;

const folder = dataFolder();
let server: Server;
let worker: ChildProcess | undefined;
let commands: taskpb.TaskCommandServiceClient;
let queries: taskpb.TaskQueryServiceClient;

beforeAll(preparePython, PREPARING_LIMIT_MS);

afterEach(async () => {
  worker?.kill('SIGKILL');
  commands?.close();
  queries?.close();
  await server?.end('SIGKILL');
  folder.remove();
});

async function create(type: string, payload = '', limits: Partial<taskpb.TimeLimits> = {}): Promise<string> {
  const task = taskpb.TaskSpec.fromPartial({ type, payload: Buffer.from(payload), limits });
  const request = taskpb.CreateTaskRequest.fromPartial({ requestId: `${type} ${payload} ${JSON.stringify(limits)}`, queue: QUEUE, task });
  const { task: receipt, positionToken } = await answered<taskpb.CreateTaskResponse>((done) => commands.createTask(request, done));
  // The read store has it from then on.
  await answered<taskpb.GetTaskResponse>((done) => queries.getTask({ taskId: receipt?.taskId ?? '', positionToken, positionTokens: [] }, done));
  return receipt?.taskId ?? '';
}

/** The task as soon as it is in the state, and says that. */
async function until(taskId: string, state: taskpb.TaskState, progressText = ''): Promise<taskpb.Task> {
  const watch = queries.watchTask({ taskId, positionToken: '', positionTokens: [] });
  watch.on('error', () => undefined);
  try {
    for await (const { task } of watch as AsyncIterable<taskpb.WatchTaskResponse>)
      if (task?.state === state && (progressText === '' || task.progress?.text === progressText)) return task;
  } finally {
    watch.cancel();
  }
  throw new Error(`${taskId} has ended, and never was in state ${taskpb.TaskState[state]}`);
}

wherePythonIs('it completes, fails, says how far it is, stops what must stop, and drains', async () => {
  server = await Server.start(folder.path);
  commands = new taskpb.TaskCommandServiceClient(server.address, credentials.createInsecure());
  queries = new taskpb.TaskQueryServiceClient(server.address, credentials.createInsecure());
  worker = spawn(PYTHON, [pythonExample('worker.py'), QUEUE, server.address], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  worker.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });

  const counted = await until(await create('count-words', 'one two three'), SUCCEEDED);
  expect(counted.result).toEqual({ body: Buffer.from('{"words": 3}'), contentType: 'application/json' });
  expect(counted.attempts).toMatchObject([{ number: 1, workerId: `python-${worker.pid}` }]);
  expect((await until(await create('parse', '{'), FAILED)).failure).toMatchObject({ kind: taskpb.FailureKind.FAILURE_KIND_PERMANENT });
  const overdue = await until(await create('wait', '', { startToFinishMs: 200 }), FAILED);
  expect(overdue.failure).toMatchObject({ kind: taskpb.FailureKind.FAILURE_KIND_TIME_LIMIT, limit: taskpb.TimeLimit.TIME_LIMIT_START_TO_FINISH });
  const waiting = await create('wait');
  await until(waiting, RUNNING, 'waiting');
  const cancel = { requestId: 'cancel', taskId: waiting, expectedVersion: 2, note: '' };
  await answered<taskpb.CancelTaskResponse>((done) => commands.cancelTask(cancel, done));
  await until(waiting, CANCELLED);

  const ended = once(worker, 'close');
  worker.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(JSON.parse(output)).toEqual({ succeeded: 1, failed: 1, stopped: 2 });
});
