/**
 * The queues of this instance in which a task may be startable. A queue is put in when something of it changes or its partition comes to
 * this instance, and is taken out when it turns out that nothing can be started. So a look costs as much as changed, however many queues
 * there are.
 */
import type { QueueEntry } from '../queue-entry';

export interface StartableQueue {
  readonly partition: number;
  readonly queue: string;
}

export class StartableQueues {
  private readonly candidates = new Map<QueueEntry, number>();

  /** @param isStartable whether a task of the queue would be started now. */
  constructor(private readonly isStartable: (partition: number, entry: QueueEntry) => boolean) {}

  add(partition: number, entry: QueueEntry): void {
    this.candidates.set(entry, partition);
  }

  /** A queue with a task to start, each in its turn; undefined: there is none. */
  next(): StartableQueue | undefined {
    for (const [entry, partition] of this.candidates) {
      this.candidates.delete(entry);
      if (!this.isStartable(partition, entry)) continue;
      // To the end of the row: another queue is next.
      this.candidates.set(entry, partition);
      return { partition, queue: entry.queue.name };
    }
    return undefined;
  }
}
