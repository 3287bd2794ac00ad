/** Several instances share the queues: a worker's stream at one of them gets the tasks of queues that another one owns. */
import { credentials } from '@grpc/grpc-js';
import { taskpb } from '@sluice/protocol/task';
import { answered, look, type SharingInstance, SharingInstances } from '../test/sharing-instances';
import { partitionOfKey } from '../methods/partition-share';
import { leaseOf, specOf } from '../test/tasks-under-test';

const instances = new SharingInstances({ partitions: 4 });
let one: SharingInstance;
let two: SharingInstance;
const closing: { close(): void }[] = [];

beforeAll(async () => {
  one = await instances.start('one');
  two = await instances.start('two');
  await instances.untilShared();
});

afterAll(async () => {
  for (const client of closing) client.close();
  await instances.stop();
});

/** A queue of each instance. */
function queuesOf(instance: SharingInstance): string {
  const queue = Array.from({ length: 100 }, (_, at) => `queue ${at}`).find((name) => {
    const { engine } = instance.command;
    return engine.partition(partitionOfKey(engine, name))?.state === 'serving';
  });
  if (queue === undefined) throw new Error('the instance serves no partition');
  return queue;
}

test('tasks of both owners reach one worker, which is told of a cancellation, and reports', async () => {
  const commands = new taskpb.TaskCommandServiceClient(one.server.address, credentials.createInsecure());
  const workers = new taskpb.TaskWorkerServiceClient(two.server.address, credentials.createInsecure());
  closing.push(commands, workers);
  const queues = [queuesOf(one), queuesOf(two)];
  const create = async (queue: string, type: string): Promise<string> => {
    const request = { requestId: `${type} ${queue}`, queue, task: specOf({ type }) };
    const { task } = await answered<taskpb.CreateTaskResponse>((done) => commands.createTask(request, done));
    return task?.taskId ?? '';
  };
  const taskIds = [];
  for (const queue of queues) for (const type of ['done', 'cancelled']) taskIds.push(await create(queue, type));

  const stream = workers.work();
  const tasks: taskpb.AssignedTask[] = [];
  const verdicts: string[] = [];
  const stopped: string[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (answer: taskpb.WorkResponse) => {
    tasks.push(...answer.tasks);
    verdicts.push(...answer.verdicts.map(({ reason }) => reason));
    stopped.push(...answer.stops.map(({ lease }) => lease?.taskId ?? ''));
  });
  const send = (part: Partial<taskpb.WorkRequest>): void =>
    void stream.write({ subscription: undefined, heartbeats: [], completions: [], failings: [], returned: [], draining: false, ...part });
  send({ subscription: { workerId: 'w', queues, types: [], capacity: 10, held: [], keepsLimits: false } });
  while (tasks.length < 4) await look();
  expect(tasks.map(({ taskId }) => taskId).sort()).toEqual([...taskIds].sort());

  const cancelled = tasks.filter(({ spec }) => spec?.type === 'cancelled');
  for (const { taskId } of cancelled) {
    await answered((done) => commands.cancelTask({ requestId: `cancel ${taskId}`, taskId, expectedVersion: 2, note: '' }, done));
  }
  while (new Set(stopped).size < 2) await look();
  expect([...new Set(stopped)].sort()).toEqual(cancelled.map(({ taskId }) => taskId).sort());

  send({ completions: tasks.map((task) => ({ lease: leaseOf(task), result: undefined, ranUs: 0n })) });
  while (verdicts.length < 4) await look();
  expect(verdicts.sort()).toEqual(['', '', 'LEASE_LOST', 'LEASE_LOST']);
  stream.end();
  stream.cancel();
});
