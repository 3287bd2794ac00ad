/** Kills a worker and the command service while tasks run, and knows whose attempts that cut off. */
import type { Task } from '@sluice/client';
import type { GridWorkerProcess } from './grid-workers';

/** The command service of a replay, where it is the replay's to kill. */
export interface KillableService {
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it serves again. */
  start(): Promise<void>;
}

export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  /** Undefined: it concerns every attempt. */
  readonly workerId: string | undefined;
}

/** At these parts of the time in which jobs are submitted. */
const WORKER_KILLED_AT = 0.25;
const SERVICE_KILLED_AT = 0.5;
/** A service that serves again is not yet reached by every worker. */
const RECONNECTING_MS = 3_000;
const AWAY_MS = 500;

export async function killOnTheWay(spanMs: number, worker: GridWorkerProcess, service: KillableService): Promise<readonly Outage[]> {
  await pause(spanMs * WORKER_KILLED_AT);
  const { workerId } = worker;
  const workerKilledMs = Date.now();
  await worker.kill();
  const workerGoneMs = Date.now();
  await worker.start();
  await pause(spanMs * (SERVICE_KILLED_AT - WORKER_KILLED_AT));
  const serviceKilledMs = Date.now();
  await service.kill();
  await pause(AWAY_MS);
  await service.start();
  return [
    { fromMs: workerKilledMs, toMs: workerGoneMs, workerId },
    { fromMs: serviceKilledMs, toMs: Date.now() + RECONNECTING_MS, workerId: undefined },
  ];
}

/** Whether the task ran out of time in an attempt that an outage cut off. */
export function wasCutOff({ state, failure, attempts }: Pick<Task, 'state' | 'failure' | 'attempts'>, outages: readonly Outage[]): boolean {
  const last = attempts.at(-1);
  if (state !== 'FAILED' || failure?.kind !== 'TIME_LIMIT' || last?.startedAt === undefined || last.endedAt === undefined) return false;
  const [startedMs, endedMs] = [last.startedAt.getTime(), last.endedAt.getTime()];
  return outages.some(({ fromMs, toMs, workerId }) => (workerId ?? last.workerId) === last.workerId && startedMs <= toMs && endedMs >= fromMs);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
