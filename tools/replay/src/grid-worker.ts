/** What a worker does with a job: nothing, for as long as it ran. It does not know the limit. */
import type { SluiceClient, TaskWorker } from '@sluice/client';

export const JOB_TYPE = 'grid-job';

export interface GridWorkerOptions {
  readonly queues: readonly string[];
  readonly workerId: string;
}

/** How long the handler of a task ran by the worker's own clock, until it ended or was stopped. */
export interface MeasuredRun {
  readonly taskId: string;
  /** The time of day at which it began. */
  readonly beganAtMs: number;
  readonly ranMs: number;
}

/** Jobs of the file that are under way at once stay far below. */
const CAPACITY = 2_000;

export function gridWorker(client: SluiceClient, { queues, workerId }: GridWorkerOptions, onRun: (run: MeasuredRun) => void): TaskWorker {
  return client.tasks.worker({ queues, workerId, capacity: CAPACITY }).handle(JOB_TYPE, (task, { signal }) => {
    const { runMs } = task.json() as { readonly runMs: number };
    const beganAtMs = Date.now();
    const beganMs = performance.now();
    return new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        onRun({ taskId: task.taskId, beganAtMs, ranMs: performance.now() - beganMs });
        resolve();
      };
      const timer = setTimeout(end, runMs);
      signal.addEventListener('abort', end);
    });
  });
}
