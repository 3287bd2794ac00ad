/** One task system in a process of its own: its callers, and its workers. */
import { newHistogram, packHistogram, recordMs } from '../measure/latency';
import { answerOrders } from '../machine/orders';
import { drive } from '../rival/drive';
import { openBullMq } from './bullmq-system';
import { openGraphileWorker } from './graphile-worker-system';
import { openPgBoss } from './pg-boss-system';
import { openSluice } from './sluice-system';
import type { TaskAnswer, TaskOrder, TaskPlace } from './task-order';
import type { TaskPayload, TaskSystem } from './task-system';

const PAYLOAD: TaskPayload = { at: 0 };
/** A worker of the latency measurement listens by then. */
const SETTLE_MS = 1_000;
/** A task that has not started by then is given up. */
const START_TIMEOUT_MS = 30_000;

let opened: TaskSystem | undefined;
let shift: Shift | undefined;

answerOrders<TaskOrder, TaskAnswer>(async (order) => {
  if (order.kind === 'open') {
    opened = await open(order.place, order.queue);
    return answerOf(0, nowMs(), nowMs());
  }
  const system = opened;
  if (system === undefined) throw new Error('the system was not opened');
  switch (order.kind) {
    case 'bulk':
      return createBulk(system, order);
    case 'singles':
      return createSingles(system, order);
    case 'work':
      shift = await Shift.begin(system);
      return answerOf(0, nowMs(), nowMs());
    case 'handled':
      return working().handled;
    case 'rest':
      return working().end();
    case 'latency':
      return measureLatency(system, order);
    default:
      return order satisfies never;
  }
});

function working(): Shift {
  if (shift === undefined) throw new Error('nothing works here');
  return shift;
}

function open(place: TaskPlace, queue: string): Promise<TaskSystem> {
  switch (place.system) {
    case 'sluice':
      return Promise.resolve(openSluice(place.url, queue));
    case 'graphile-worker':
      return openGraphileWorker(place, queue);
    case 'pg-boss':
      return openPgBoss(place, queue);
    case 'bullmq':
      return openBullMq(place, queue);
    default:
      return place.system satisfies never;
  }
}

async function createBulk(system: TaskSystem, { count, batchSize, inFlight }: Extract<TaskOrder, { kind: 'bulk' }>): Promise<TaskAnswer> {
  let left = count;
  const firstAtMs = nowMs();
  const send = async (): Promise<void> => {
    while (left > 0) {
      const size = Math.min(batchSize, left);
      left -= size;
      await system.createMany(size);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, send));
  return answerOf(count, firstAtMs, nowMs());
}

async function createSingles(system: TaskSystem, { inFlight, warmUpMs, windowMs }: Extract<TaskOrder, { kind: 'singles' }>): Promise<TaskAnswer> {
  let created = 0;
  const create = async (): Promise<number> => {
    await system.createOne(PAYLOAD);
    created += 1;
    return 1;
  };
  const callers = Array.from({ length: inFlight }, () => create);
  const startedAtMs = nowMs();
  const { accepted } = await drive(callers, { warmUpMs, windowMs });
  return { ...answerOf(created, startedAtMs, nowMs()), counted: accepted };
}

/** Workers from their beginning to their end. */
class Shift {
  private count = 0;
  private firstAtMs = 0;
  private lastAtMs = nowMs();
  private stop: () => Promise<void> = () => Promise.resolve();

  static async begin(system: TaskSystem): Promise<Shift> {
    const shift = new Shift();
    shift.stop = await system.work({ aim: 'throughput', started: () => shift.note() });
    return shift;
  }

  get handled(): TaskAnswer {
    return answerOf(this.count, this.firstAtMs, this.lastAtMs);
  }

  async end(): Promise<TaskAnswer> {
    await this.stop();
    return this.handled;
  }

  private note(): void {
    this.lastAtMs = nowMs();
    if (this.count === 0) this.firstAtMs = this.lastAtMs;
    this.count += 1;
  }
}

async function measureLatency(system: TaskSystem, { count, pauseMs }: Extract<TaskOrder, { kind: 'latency' }>): Promise<TaskAnswer> {
  const latency = newHistogram();
  let startedAtMs = 0;
  let onStart = (): void => undefined;
  const stop = await system.work({
    aim: 'latency',
    started: ({ at }) => {
      if (at === 0) return;
      startedAtMs = nowMs();
      onStart();
    },
  });
  await sleep(SETTLE_MS);
  const firstAtMs = nowMs();
  for (let at = 1; at <= count; at += 1) {
    const started = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`a task did not start within ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS);
      onStart = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await system.createOne({ at });
    const acknowledgedAtMs = nowMs();
    await started;
    recordMs(latency, Math.max(0, startedAtMs - acknowledgedAtMs));
    // Not in step with anything that polls.
    await sleep(pauseMs * (0.5 + ((at * 37) % 100) / 100));
  }
  const answer = answerOf(count, firstAtMs, nowMs());
  await stop();
  return { ...answer, latency: packHistogram(latency) };
}

function answerOf(count: number, firstAtMs: number, lastAtMs: number): TaskAnswer {
  return { count, counted: count, firstAtMs, lastAtMs, latency: undefined };
}

/** The same in every process of the machine. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
