/** Several instances share the queues: each runs tasks of the queues that it owns, and reports to whoever owns them when they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { readCommit } from '@sluice/protocol';
import { taskEvents, taskpb } from '@sluice/protocol/task';
import { loadConfiguration } from '@sluice/service';
import { partitionOfKey } from '../../methods/partition-share';
import { answered, look, type SharingInstance, SharingInstances } from '../../test/sharing-instances';
import { specOf } from '../../test/tasks-under-test';

const PARTITIONS = 4;
const instances = new SharingInstances({ partitions: PARTITIONS });
const folder = mkdtempSync(join(tmpdir(), 'sluice-shared-handlers-'));
const handlers = join(folder, 'handlers.mjs');
const gate = join(folder, 'open');
let commands: taskpb.TaskCommandServiceClient;
let one: SharingInstance;
let two: SharingInstance;

beforeAll(async () => {
  writeFileSync(
    handlers,
    `import { existsSync } from 'node:fs';
    export const handlers = {
      quick: () => 'done',
      gated: async (task, { progress }) => {
        progress(1, 2);
        while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 10));
        return 'done';
      },
    };`,
  );
  const settings = { ...loadConfiguration({}), taskHandlers: handlers, taskHandlerThreads: 2 };
  one = await instances.start('one', { settings });
  two = await instances.start('two', { settings });
  await instances.untilShared();
  commands = new taskpb.TaskCommandServiceClient(two.server.address, credentials.createInsecure());
});

afterAll(async () => {
  commands.close();
  await instances.stop();
  rmSync(folder, { recursive: true, force: true });
});

function queueOf({ command: { engine } }: SharingInstance): string {
  const queue = Array.from({ length: 100 }, (_, at) => `queue ${at}`).find((name) => engine.partition(partitionOfKey(engine, name))?.state === 'serving');
  if (queue === undefined) throw new Error('the instance serves no partition');
  return queue;
}

async function create(queue: string, type: string): Promise<void> {
  await answered((done) => commands.createTask({ requestId: `${type} ${queue}`, queue, task: specOf({ type }) }, done));
}

/** "<queue>: <outcomes of its attempts>" */
async function outcomes(queue: string): Promise<string[]> {
  const { engine } = two.command;
  const commits = await two.log.read(partitionOfKey(engine, queue), 1, { maxCommits: 1_000, maxBytes: 1 << 20 });
  return commits
    .flatMap(({ bytes }) => readCommit(bytes).events)
    .flatMap((event) => {
      const ended = taskEvents.readOnly('AttemptsEnded', event, { partition: 0, sequence: 0 });
      return ended?.queue === queue ? ended.ends.map(({ outcome }) => taskpb.AttemptOutcome[outcome] ?? '') : [];
    });
}

test('each instance runs the tasks of its queues; one that stops reports what it runs to the new owner', async () => {
  const [first, second] = [queueOf(one), queueOf(two)];
  for (const queue of [first, second]) await create(queue, 'quick');
  for (const queue of [first, second]) while ((await outcomes(queue)).length < 1) await look();

  await create(first, 'gated');
  const partition = partitionOfKey(one.command.engine, first);
  while (!(await isRunning(first))) await look();
  const handedOver = one.command.handOver();
  await handedOver;
  while (two.command.engine.partition(partition)?.state !== 'serving') await look();
  expect(await outcomes(first)).toEqual(['ATTEMPT_OUTCOME_SUCCEEDED']);
  writeFileSync(gate, '');
  while ((await outcomes(first)).length < 2) await look();
  expect(await outcomes(first)).toEqual(['ATTEMPT_OUTCOME_SUCCEEDED', 'ATTEMPT_OUTCOME_SUCCEEDED']);
});

async function isRunning(queue: string): Promise<boolean> {
  const commits = await two.log.read(partitionOfKey(two.command.engine, queue), 1, { maxCommits: 1_000, maxBytes: 1 << 20 });
  return commits
    .flatMap(({ bytes }) => readCommit(bytes).events)
    .some((event) => taskEvents.readOnly('ProgressRecorded', event, { partition: 0, sequence: 0 }) !== undefined);
}
