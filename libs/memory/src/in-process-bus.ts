/**
 * The bus within one thread. It keeps the newest messages of each partition, bounded in bytes, and every subscription reads
 * them at its own pace: who falls behind the bound loses messages and heals from the log. A publisher never waits.
 */
import { systemClock, type Bus, type BusMessage, type BusSubscription, type Clock } from '@sluice/ports';
import { heldBytes } from './message-size';
import { pause, REDELIVERY_DELAY_MS } from './redelivery';

/** Bytes of messages kept per partition. */
export const RETAINED_BYTES_PER_PARTITION = 8 * 1024 * 1024;

interface PartitionMessages {
  /** In the order of their arrival; `messages[0]` is the arrival number `firstArrival`. */
  messages: BusMessage[];
  firstArrival: number;
  bytes: number;
  lastSequence: number;
  readonly readers: Set<() => void>;
}

export class InProcessBus implements Bus {
  readonly #partitions = new Map<number, PartitionMessages>();
  readonly #clock: Clock;
  readonly #retainedBytes: number;
  readonly #subscriptions = new Set<BusSubscription>();
  #closed = false;

  constructor(options: { clock?: Clock; retainedBytesPerPartition?: number } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#retainedBytes = options.retainedBytesPerPartition ?? RETAINED_BYTES_PER_PARTITION;
  }

  readonly keepsMessages = false;

  get connected(): boolean {
    return !this.#closed;
  }

  async publish(message: BusMessage): Promise<void> {
    if (this.#closed) throw new Error('the bus is closed');
    const partition = this.#partition(message.partition);
    const mayBeKnown = message.sequence <= partition.lastSequence;
    if (mayBeKnown && partition.messages.some((known) => known.sequence === message.sequence)) return;
    partition.messages.push(message);
    partition.bytes += heldBytes(message);
    partition.lastSequence = Math.max(partition.lastSequence, message.sequence);
    while (partition.bytes > this.#retainedBytes && partition.messages.length > 1) {
      partition.bytes -= heldBytes(partition.messages.shift() as BusMessage);
      partition.firstArrival += 1;
    }
    for (const wake of partition.readers) wake();
  }

  async lastSequence(partition: number): Promise<number> {
    return this.#partition(partition).lastSequence;
  }

  async subscribe(partitionNumber: number, fromSequence: number, handler: (message: BusMessage) => Promise<void>): Promise<BusSubscription> {
    if (this.#closed) throw new Error('the bus is closed');
    const partition = this.#partition(partitionNumber);
    const stopping = new AbortController();
    let wake: () => void = () => {};
    const reader = (): void => wake();
    partition.readers.add(reader);
    const run = async (): Promise<void> => {
      let arrival = partition.firstArrival;
      while (!stopping.signal.aborted) {
        arrival = Math.max(arrival, partition.firstArrival);
        const message = partition.messages[arrival - partition.firstArrival];
        if (message === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (message.sequence < fromSequence || (await this.#deliver(message, handler, stopping.signal))) {
          arrival += 1;
        }
      }
    };
    const running = run();
    const subscription: BusSubscription = {
      stop: async () => {
        stopping.abort();
        partition.readers.delete(reader);
        this.#subscriptions.delete(subscription);
        wake();
        await running;
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
  }

  /** Whether the handler took the message; after a rejection the message waits a moment and is the next one again. */
  async #deliver(message: BusMessage, handler: (message: BusMessage) => Promise<void>, stopping: AbortSignal): Promise<boolean> {
    try {
      await handler(message);
      return true;
    } catch {
      await pause(this.#clock, REDELIVERY_DELAY_MS, stopping);
      return false;
    }
  }

  #partition(number: number): PartitionMessages {
    let partition = this.#partitions.get(number);
    if (partition === undefined) {
      partition = { messages: [], firstArrival: 0, bytes: 0, lastSequence: 0, readers: new Set() };
      this.#partitions.set(number, partition);
    }
    return partition;
  }
}
