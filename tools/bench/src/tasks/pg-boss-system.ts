/** pg-boss with batches that are fetched one after the other while they are full, and notifications. */
import { installedPackage } from './installed-package';
import type { TaskPlace } from './task-order';
import type { TaskPayload, TaskSystem } from './task-system';

interface Boss {
  on(event: 'error', listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  createQueue(name: string, options: object): Promise<void>;
  insert(name: string, jobs: readonly { readonly data: TaskPayload }[]): Promise<unknown>;
  send(name: string, data: TaskPayload): Promise<unknown>;
  work(name: string, options: object, handler: (jobs: readonly { readonly data: TaskPayload }[]) => Promise<void>): Promise<string>;
  offWork(name: string, options?: object): Promise<void>;
}

interface PgBossModule {
  readonly PgBoss: new (options: object) => Boss;
}

const POOL_SIZE = 32;
const LEAST_POLL_S = 0.5;
const FETCH = {
  throughput: { batchSize: 1_000, localConcurrency: 2, burstWhenBatchFull: true },
  latency: { batchSize: 1, localConcurrency: 1 },
} as const;

export async function openPgBoss({ url, packages }: TaskPlace, queue: string): Promise<TaskSystem> {
  const { PgBoss } = await installedPackage<PgBossModule>(packages, 'pg-boss');
  const boss = new PgBoss({ connectionString: url, max: POOL_SIZE, schedule: false, supervise: false, useListenNotify: true });
  boss.on('error', (error) => process.stderr.write(`pg-boss: ${String(error)}\n`));
  await boss.start();
  await boss.createQueue(queue, { notify: true });
  return {
    createMany: async (count) => {
      await boss.insert(
        queue,
        Array.from({ length: count }, () => ({ data: { at: 0 } })),
      );
    },
    createOne: async (payload) => {
      await boss.send(queue, payload);
    },
    work: async ({ aim, started }) => {
      const polls = { pollingIntervalSeconds: LEAST_POLL_S, notifyPollingIntervalSeconds: LEAST_POLL_S };
      await boss.work(queue, { ...FETCH[aim], ...polls }, async (jobs) => {
        for (const { data } of jobs) started(data);
      });
      return () => boss.offWork(queue, { wait: true });
    },
  };
}
