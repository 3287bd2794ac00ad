/** graphile-worker with what its own benchmark recommends: tasks fetched in advance, completions in batches. */
import { installedPackage } from './installed-package';
import type { TaskPlace } from './task-order';
import type { TaskPayload, TaskSystem } from './task-system';

interface Job {
  readonly identifier: string;
  readonly payload: TaskPayload;
}

interface GraphileWorker {
  readonly Logger: new (factory: () => () => void) => unknown;
  readonly makeWorkerUtils: (options: object) => Promise<{
    migrate(): Promise<void>;
    addJob(identifier: string, payload: TaskPayload): Promise<unknown>;
    addJobs(jobs: readonly Job[]): Promise<unknown>;
  }>;
  readonly run: (options: object) => Promise<{ stop(): Promise<void> }>;
}

const POOL_SIZE = 32;
const CONCURRENT_JOBS = 24;
const FETCHED_AHEAD = 500;
const POLL_MS = 2_000;

export async function openGraphileWorker({ url, packages }: TaskPlace, queue: string): Promise<TaskSystem> {
  const { Logger, makeWorkerUtils, run } = await installedPackage<GraphileWorker>(packages, 'graphile-worker');
  const shared = { connectionString: url, maxPoolSize: POOL_SIZE, logger: new Logger(() => () => undefined) };
  const utils = await makeWorkerUtils(shared);
  await utils.migrate();
  return {
    createMany: async (count) => {
      await utils.addJobs(Array.from({ length: count }, () => ({ identifier: queue, payload: { at: 0 } })));
    },
    createOne: async (payload) => {
      await utils.addJob(queue, payload);
    },
    work: async ({ aim, started }) => {
      const batches = { localQueue: { size: FETCHED_AHEAD }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
      const runner = await run({
        ...shared,
        noHandleSignals: true,
        pollInterval: POLL_MS,
        taskList: { [queue]: (payload: TaskPayload) => started(payload) },
        preset: { worker: { concurrentJobs: CONCURRENT_JOBS, ...(aim === 'throughput' ? batches : undefined) } },
      });
      return () => runner.stop();
    },
  };
}
