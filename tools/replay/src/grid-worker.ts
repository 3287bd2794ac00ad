/** What a worker does with a job: nothing, for as long as it ran. It does not know the limit. */
import type { SluiceClient, TaskWorker } from '@sluice/client';

export const JOB_TYPE = 'grid-job';

export interface GridWorkerOptions {
  readonly queues: readonly string[];
  readonly workerId: string;
}

/** Jobs of the file that are under way at once stay far below. */
const CAPACITY = 2_000;

export function gridWorker(client: SluiceClient, { queues, workerId }: GridWorkerOptions): TaskWorker {
  return client.tasks.worker({ queues, workerId, capacity: CAPACITY }).handle(JOB_TYPE, (task, { signal }) => {
    const { runMs } = task.json() as { readonly runMs: number };
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, runMs);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  });
}
