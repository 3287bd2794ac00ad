/**
 * When something is due in which queue of a partition: a look costs what is due, however many queues there are. A queue may stand in the heap
 * more than once: its time of now counts, and the others are dropped when they come to the top, or are most of the heap.
 */
import { DueHeap } from '@sluice/domain/task';
import type { QueueEntry } from './queue-entry';

/** The heap is packed when it has twice as many entries as queues, and so many more. */
const STALE_ENTRIES = 1_024;

export class QueueAlarms {
  private heap = new DueHeap();
  private entries: QueueEntry[] = [];
  private numbers = new Map<QueueEntry, number>();

  /** Places that are taken. */
  get size(): number {
    return this.heap.size;
  }

  /** Microseconds; Infinity: nothing is. */
  get nextUs(): number {
    return this.heap.topTimeUs;
  }

  /** Looks through all queues. */
  reset(entries: Iterable<QueueEntry>): void {
    this.heap = new DueHeap();
    this.entries = [];
    this.numbers = new Map();
    for (const entry of entries) {
      entry.wakeAtUs = Number.POSITIVE_INFINITY;
      this.set(entry);
    }
  }

  /** Takes the queue's time in. @returns whether it is earlier than was known. */
  set(entry: QueueEntry): boolean {
    const { nextDueUs } = entry;
    if (nextDueUs >= entry.wakeAtUs) return false;
    entry.wakeAtUs = nextDueUs;
    if (this.heap.size > 2 * this.entries.length + STALE_ENTRIES) this.pack();
    this.heap.push(nextDueUs, this.numberOf(entry), 0);
    return true;
  }

  /** The queues in which something is due. A queue is not named again before its `wakeAtUs` was taken back. */
  due(nowUs: number): readonly QueueEntry[] {
    const { heap } = this;
    const due: QueueEntry[] = [];
    while (heap.topTimeUs <= nowUs) {
      const atUs = heap.topTimeUs;
      const entry = this.entries[heap.topNumber] as QueueEntry;
      heap.pop();
      if (entry.wakeAtUs !== atUs) continue;
      if (entry.nextDueUs <= nowUs) {
        // Told apart from the time of another entry of it in the heap.
        entry.wakeAtUs = Number.NEGATIVE_INFINITY;
        due.push(entry);
      } else {
        entry.wakeAtUs = Number.POSITIVE_INFINITY;
        this.set(entry);
      }
    }
    return due;
  }

  private pack(): void {
    const seen = new Set<number>();
    this.heap.keep((timeUs, number) => {
      if (seen.has(number) || this.entries[number]?.wakeAtUs !== timeUs) return false;
      seen.add(number);
      return true;
    });
  }

  private numberOf(entry: QueueEntry): number {
    let number = this.numbers.get(entry);
    if (number === undefined) {
      number = this.entries.length;
      this.numbers.set(entry, number);
      this.entries.push(entry);
    }
    return number;
  }
}
