/** Handlers in the process of the embedded server, configured by a module path. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { ServedSluice } from '../testing/cli-for-tests';

const folder = mkdtempSync(join(tmpdir(), 'sluice-own-handlers-'));
const handlers = join(folder, 'handlers.mjs');
const environment = { SLUICE_DATA_DIR: join(folder, 'data'), SLUICE_TASK_HANDLERS: handlers };
let served: ServedSluice | undefined;
let client: SluiceClient | undefined;

beforeAll(() =>
  writeFileSync(
    handlers,
    `export const handlers = {
      double: (task) => ({ twice: task.json().n * 2 }),
      spin: () => { for (;;); },
      wait: (task, { progress }) => { progress(1, 2); return new Promise((resolve) => setTimeout(resolve, 700)); },
    };`,
  ),
);
afterEach(async () => {
  client?.close();
  await served?.end('SIGTERM');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(): Promise<SluiceClient> {
  served = await ServedSluice.start(environment);
  client = new SluiceClient({ target: served.address });
  return client;
}

async function ended(tasks: SluiceClient['tasks'], taskId: string) {
  for await (const task of tasks.watch(taskId)) if (task.version === 3) return task;
  throw new Error(`the watch of ${taskId} ended before the task`);
}

test('tasks are run without a worker, a busy loop ends at its limit, and what runs at SIGTERM is finished', async () => {
  const { tasks } = await start();
  const { taskId: doubled } = await tasks.create('q', { type: 'double', payload: { n: 21 } });
  const done = await ended(tasks, doubled);
  expect(done).toMatchObject({ state: 'SUCCEEDED', attemptCount: 1 });
  expect(Buffer.from(done.result?.body ?? []).toString()).toBe('{"twice":42}');
  const { taskId: busy } = await tasks.create('other', { type: 'spin', limits: { startToFinishMs: 300 } });
  expect(await ended(tasks, busy)).toMatchObject({ state: 'FAILED', failure: { kind: 'TIME_LIMIT', limit: 'START_TO_FINISH' } });

  const { taskId: running } = await tasks.create('q', { type: 'wait' });
  for await (const task of tasks.watch(running)) if (task.progress !== undefined) break;
  client?.close();
  expect(await served?.end('SIGTERM')).toBe(0);
  expect(await (await start()).tasks.get(running)).toMatchObject({ state: 'SUCCEEDED', attemptCount: 1 });
});

test('a module that cannot be loaded refuses the start with exit code 78', async () => {
  const { code, output } = await ServedSluice.fail({ ...environment, SLUICE_TASK_HANDLERS: join(folder, 'nowhere.mjs') });
  expect(output).toContain(`SLUICE_TASK_HANDLERS: the module ${join(folder, 'nowhere.mjs')} cannot be used: `);
  expect(code).toBe(78);
});
