/** A worker of the client library, with handlers that do what they should: it heartbeats, stops when it is told to, and connects again, all by itself. */
import { SluiceClient } from '@sluice/client';
import type { Deployment } from '../world/deployment';

export const LIBRARY_WORKER = 'library';
const CAPACITY = 2;
const LONGEST_RUN_US = 700_000;

/** @returns how to end it. */
export function startLibraryWorker(deployment: Deployment, queues: readonly string[], types: readonly string[]): () => Promise<void> {
  const life = deployment.process(LIBRARY_WORKER);
  const { trace, timeline } = deployment.world;
  const client = new SluiceClient({ target: 'command', channel: () => deployment.channel(life, 'command') });
  const worker = client.tasks.worker({
    queues,
    capacity: CAPACITY,
    workerId: LIBRARY_WORKER,
    onTrouble: (what, error) => trace.note(LIBRARY_WORKER, `${what}: ${String(error)}`),
  });
  for (const type of types) {
    worker.handle(type, async ({ taskId, attempt }, handling) => {
      trace.note(LIBRARY_WORKER, `starts ${taskId} (attempt ${attempt})`);
      await timeline.pass(life.random.below(LONGEST_RUN_US));
      handling.progress(1, 2);
      if (life.random.chance(0.15)) throw new Error('as it was drawn');
      return libraryResult(taskId, attempt);
    });
  }
  void worker.begin();
  return () => worker.close();
}

export function libraryResult(taskId: string, attempt: number): string {
  return `the library did ${taskId} in attempt ${attempt}`;
}
