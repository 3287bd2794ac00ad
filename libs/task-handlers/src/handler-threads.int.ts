/** What the pool of threads promises, whatever its handlers do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HandlerOutcome } from './handler-outcome';
import type { HandlerTask } from './handler-task';
import { HandlerThreads } from './handler-threads';

const folder = mkdtempSync(join(tmpdir(), 'sluice-threads-'));
const moduleOf = (name: string, source: string): string => {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
};
const HANDLERS = moduleOf(
  'handlers.mjs',
  `export const handlers = {
    double: (task) => 2 * task.json(),
    text: () => 'a text',
    spin: (_task, { progress }) => { progress(1, 2, 'spins'); for (;;); },
    throws: () => { throw Object.assign(new Error('not today'), { permanent: true }); },
    exits: () => process.exit(3),
    strays: () => new Promise(() => setTimeout(() => { throw new Error('a stray error'); })),
    waits: (_task, { progress }) => { progress(0); return new Promise((resolve) => setTimeout(() => resolve('waited'), 300)); },
    straysLater: () => { setTimeout(() => { throw new Error('too late'); }); return 'ended'; },
    exitsLater: () => { setTimeout(() => process.exit(1)); return 'ended'; },
  };`,
);

const taskOf = (type: string, body: unknown = 0): HandlerTask => ({
  ...{ taskId: 'q/1', queue: 'q', type, attempt: 1, payload: Buffer.from(JSON.stringify(body)), contentType: 'application/json' },
  ...{ key: '', labels: {}, parentTaskId: '', retryOf: '', scheduleId: '', scheduledAt: undefined },
});
const textOf = ({ result, failure }: HandlerOutcome): string =>
  failure === undefined ? Buffer.from(result?.bytes ?? []).toString('utf8') : `${failure.message}${failure.permanent ? ', for good' : ''}`;

let threads: HandlerThreads;
const run = async (type: string, body?: unknown): Promise<string> => textOf(await threads.run(taskOf(type, body), () => undefined).outcome);

beforeAll(() => {
  threads = new HandlerThreads(HANDLERS, 2);
});
afterAll(() => {
  threads.end();
  rmSync(folder, { recursive: true });
});

test.each`
  type        | outcome
  ${'double'} | ${'42'}
  ${'text'}   | ${'a text'}
  ${'throws'} | ${'not today, for good'}
  ${'exits'}  | ${'worker exited with code: 3'}
  ${'strays'} | ${'a stray error'}
`('a handler that $type brings "$outcome", and the next one runs', async ({ type, outcome }: { type: string; outcome: string }) => {
  expect(await run(type, 21)).toBe(outcome);
  expect(await run('double', 1)).toBe('2');
});

test.each(['straysLater', 'exitsLater'])('a thread that dies after its task (%s) leaves none without an outcome', async (type) => {
  let beside: Promise<HandlerOutcome> | undefined;
  await new Promise<void>((waiting) => {
    beside = threads.run(taskOf('waits'), () => waiting()).outcome;
  });
  expect(await run(type)).toBe('ended');
  expect(await beside?.then(textOf)).toBe('waited');
  // Until this process hears of its death, a thread may be given a task, which fails then. None is left without an outcome.
  let outcomes: string[] = [];
  while (!outcomes.every((outcome) => outcome === '8') || outcomes.length === 0) outcomes = await Promise.all([run('double', 4), run('double', 4)]);
});

test('a handler that never ends is ended, what runs beside it goes on, and its place is free', async () => {
  const said: unknown[] = [];
  let stop = (): void => undefined;
  const spins = new Promise<void>((spinning) => {
    ({ stop } = threads.run(taskOf('spin'), (...progress) => {
      said.push(progress);
      spinning();
    }));
  });
  await spins;
  let stopped = '';
  const beside = threads.run(taskOf('waits'), () => {
    stop();
    stopped = 'while the other one ran';
  });
  expect(textOf(await beside.outcome)).toBe('waited');
  expect(await Promise.all([run('double', 2), run('double', 3)])).toEqual(['4', '6']);
  expect({ said, stopped }).toEqual({ said: [[1, 2, 'spins']], stopped: 'while the other one ran' });
});

test.each`
  module                                                           | reason
  ${moduleOf('broken.mjs', 'throw new Error("it will not load")')} | ${'Error: it will not load'}
  ${moduleOf('wrong.mjs', 'import { nothing } from "node:path"')}  | ${/^SyntaxError: .* \(file:.*wrong\.mjs:1\)$/}
  ${moduleOf('exiting.mjs', 'process.exit(4)')}                    | ${'worker exited with code: 4'}
  ${moduleOf('empty.mjs', 'export const number = 1')}              | ${/exports no handlers$/}
`('types of a module that cannot be used: $reason', async ({ module, reason }: { module: string; reason: string | RegExp }) => {
  const broken = new HandlerThreads(module, 1);
  await expect(broken.types()).rejects.toThrow(reason);
  broken.end();
});

test('a module that could not be loaded is loaded again for the next task', async () => {
  const module = moduleOf('later.mjs', 'throw new Error("not yet")');
  const later = new HandlerThreads(module, 1);
  await expect(later.types()).rejects.toThrow('not yet');
  moduleOf('later.mjs', 'export const handlers = { late: () => "there" }');
  await expect(later.types()).resolves.toEqual(['late']);
  later.end();
});
