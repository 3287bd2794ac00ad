import { SluiceClient } from '@sluice/client';
import type { TaskPayload, TaskSystem } from './task-system';

export const BENCH_TYPE = 'nothing';
const CAPACITY = { throughput: 4_000, latency: 10 } as const;

export function openSluice(target: string, queue: string): TaskSystem {
  const client = new SluiceClient({ target, deadlineMs: 60_000 });
  return {
    createMany: async (count) => {
      const outcomes = await client.tasks.createMany(
        queue,
        Array.from({ length: count }, () => ({ type: BENCH_TYPE, payload: { at: 0 } })),
      );
      for (const { error } of outcomes) if (error !== undefined) throw error;
    },
    createOne: async ({ at }) => {
      await client.tasks.create(queue, { type: BENCH_TYPE, payload: { at } });
    },
    work: async ({ aim, started }) => {
      const worker = client.tasks.worker({ queues: [queue], capacity: CAPACITY[aim] });
      worker.handle(BENCH_TYPE, (task) => started(task.json() as TaskPayload));
      await worker.begin();
      return () => worker.drain();
    },
  };
}
