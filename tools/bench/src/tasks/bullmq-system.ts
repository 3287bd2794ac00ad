import { installedPackage } from './installed-package';
import type { TaskPlace } from './task-order';
import type { TaskPayload, TaskSystem } from './task-system';

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    waitUntilReady(): Promise<unknown>;
    add(name: string, data: TaskPayload): Promise<unknown>;
    addBulk(jobs: readonly { readonly name: string; readonly data: TaskPayload }[]): Promise<unknown>;
  };
  readonly Worker: new (
    name: string,
    handler: (job: { readonly data: TaskPayload }) => Promise<void>,
    options: object,
  ) => { on(event: 'error', listener: (error: unknown) => void): void; waitUntilReady(): Promise<unknown>; close(): Promise<void> };
}

const CONCURRENCY = 100;
const JOB = 'nothing';

export async function openBullMq({ url, packages }: TaskPlace, queue: string): Promise<TaskSystem> {
  const { Queue, Worker } = await installedPackage<BullMq>(packages, 'bullmq');
  const { hostname, port } = new URL(url);
  const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  const jobs = new Queue(queue, { connection, defaultJobOptions: { removeOnComplete: true } });
  await jobs.waitUntilReady();
  return {
    createMany: async (count) => {
      await jobs.addBulk(Array.from({ length: count }, () => ({ name: JOB, data: { at: 0 } })));
    },
    createOne: async (payload) => {
      await jobs.add(JOB, payload);
    },
    work: async ({ started }) => {
      const worker = new Worker(queue, async ({ data }) => started(data), { connection, concurrency: CONCURRENCY });
      worker.on('error', (error) => process.stderr.write(`bullmq: ${String(error)}\n`));
      await worker.waitUntilReady();
      return () => worker.close();
    },
  };
}
