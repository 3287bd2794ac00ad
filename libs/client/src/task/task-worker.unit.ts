/** The time limits that a worker keeps by its own clock, against a server that a test plays. */
import { EventEmitter } from 'node:events';
import { taskpb } from '@sluice/protocol/task';
import { longTimer, type Timer } from '../long-timer';
import { TaskWorker, type WorkerOptions } from './task-worker';

const LIMIT_MS = 30 * 86_400_000;

/** The server's end of the worker's stream: it takes every report. */
class PlayedStream extends EventEmitter {
  readonly reports: Partial<taskpb.WorkRequest>[] = [];

  write({ subscription, completions, failings, returned }: taskpb.WorkRequest): void {
    if (subscription !== undefined) this.answer({ subscribed: true });
    if (completions.length + failings.length + returned.length === 0) return;
    this.reports.push({ completions, failings, returned });
    this.answer({ verdicts: [...completions.map(({ lease }) => lease), ...failings.map(({ lease }) => lease), ...returned].map((lease) => ({ lease })) });
  }

  answer(response: Parameters<typeof taskpb.WorkResponse.fromPartial>[0]): void {
    setImmediate(() => this.emit('data', taskpb.WorkResponse.fromPartial(response)));
  }

  end(): void {
    this.emit('end');
  }

  cancel(): void {
    this.emit('end');
  }
}

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const rounds = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) await round();
};

/** Timers that fire when the test says so. */
class PlayedTimers {
  readonly set: { readonly delayMs: number; readonly callback: () => void }[] = [];

  readonly timer = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { delayMs, callback };
    this.set.push(timer);
    return () => void (this.set.includes(timer) && this.set.splice(this.set.indexOf(timer), 1));
  };

  get delaysMs(): number[] {
    return this.set.map(({ delayMs }) => delayMs);
  }

  fire(): void {
    this.set.shift()?.callback();
  }
}

/** The declaration of the constructor is internal, and left out of what is published. */
const Made = TaskWorker as unknown as new (open: () => PlayedStream, options: WorkerOptions, timer: Timer) => TaskWorker;

let stream: PlayedStream;
let timers: PlayedTimers;
let worker: TaskWorker;
let end: () => void;
let signal: AbortSignal | undefined;

beforeEach(async () => {
  stream = new PlayedStream();
  timers = new PlayedTimers();
  worker = new Made(
    () => stream,
    { queues: ['q'] },
    (delayMs, callback) => longTimer(delayMs, callback, timers.timer),
  );
  worker.handle('work', (_task, context) => {
    ({ signal } = context);
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  await worker.begin();
  stream.answer({ tasks: [{ taskId: 'q/1', leaseToken: 'lease', timeLeftMs: LIMIT_MS, heartbeatEveryMs: 2 * LIMIT_MS, spec: { type: 'work' } }] });
  await rounds(2);
});

afterEach(() => worker.close());

test('an attempt whose limit is further away than a timer of Node can be is ended at its limit, which is reported', async () => {
  const longestMs = 2 ** 31 - 1;
  expect(timers.delaysMs).toEqual([longestMs]);
  timers.fire();
  expect(signal?.aborted).toBe(false);
  expect(timers.delaysMs).toEqual([LIMIT_MS - longestMs]);
  timers.fire();
  expect(signal?.aborted).toBe(true);
  await rounds(5);
  expect(stream.reports).toMatchObject([{ failings: [{ lease: { taskId: 'q/1' }, timeLimit: true }] }]);
});

test.each`
  how                          | act
  ${'it has ended'}            | ${() => end()}
  ${'the server stopped it'}   | ${() => stream.answer({ stops: [{ lease: { taskId: 'q/1', leaseToken: 'lease' } }] })}
  ${'the worker gave it back'} | ${() => void worker.close()}
`('nothing waits for the limit of an attempt any more when $how', async ({ act }: { act: () => void }) => {
  expect(timers.set).toHaveLength(1);
  act();
  await rounds(5);
  expect(timers.set).toHaveLength(0);
});
