/**
 * The bus from one thread to another, reading end (embedded mode: the projector's thread). Messages of partitions that
 * nobody subscribed to are released at once. A rejected message is handed over again after a moment.
 */
import type { MessagePort } from 'node:worker_threads';
import { systemClock, type Bus, type BusMessage, type BusSubscription, type Clock } from '@sluice/ports';
import type { MessageFrame, ReleasedFrame } from './message-port-bus-frames';
import { heldBytes } from './message-size';
import { pause, REDELIVERY_DELAY_MS } from './redelivery';

interface Reader {
  readonly fromSequence: number;
  readonly waiting: BusMessage[];
  wake: () => void;
}

export class MessagePortBusReader implements Bus {
  readonly #port: MessagePort;
  readonly #clock: Clock;
  readonly #lastSequences = new Map<number, number>();
  readonly #readers = new Map<number, Reader>();
  readonly #subscriptions = new Set<BusSubscription>();
  #open = true;

  constructor(port: MessagePort, options: { clock?: Clock } = {}) {
    this.#port = port;
    this.#clock = options.clock ?? systemClock;
    port.on('message', (frame: MessageFrame) => this.#receive(frame.message));
    port.on('close', () => {
      this.#open = false;
    });
    port.unref();
  }

  readonly keepsMessages = false;

  get connected(): boolean {
    return this.#open;
  }

  publish(): Promise<void> {
    return Promise.reject(new Error('this is the reading end of the bus; publish at the publishing end'));
  }

  async lastSequence(partition: number): Promise<number> {
    return this.#lastSequences.get(partition) ?? 0;
  }

  async subscribe(partition: number, fromSequence: number, handler: (message: BusMessage) => Promise<void>): Promise<BusSubscription> {
    if (!this.#open) throw new Error('the bus is closed');
    if (this.#readers.has(partition)) throw new Error(`partition ${partition} is subscribed already`);
    const reader: Reader = { fromSequence, waiting: [], wake: () => {} };
    this.#readers.set(partition, reader);
    const stopping = new AbortController();
    const running = this.#run(reader, handler, stopping.signal);
    const subscription: BusSubscription = {
      stop: async () => {
        stopping.abort();
        this.#readers.delete(partition);
        this.#subscriptions.delete(subscription);
        reader.wake();
        await running;
        for (const message of reader.waiting) this.#release(message);
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
    this.#open = false;
    this.#port.close();
  }

  #receive(message: BusMessage): void {
    this.#lastSequences.set(message.partition, Math.max(message.sequence, this.#lastSequences.get(message.partition) ?? 0));
    const reader = this.#readers.get(message.partition);
    if (reader === undefined || message.sequence < reader.fromSequence) {
      this.#release(message);
      return;
    }
    reader.waiting.push(message);
    reader.wake();
  }

  async #run(reader: Reader, handler: (message: BusMessage) => Promise<void>, stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const message = reader.waiting[0];
      if (message === undefined) {
        await new Promise<void>((resolve) => {
          reader.wake = resolve;
        });
        continue;
      }
      try {
        await handler(message);
        reader.waiting.shift();
        this.#release(message);
      } catch {
        await pause(this.#clock, REDELIVERY_DELAY_MS, stopping);
      }
    }
  }

  #release(message: BusMessage): void {
    const frame: ReleasedFrame = { kind: 'released', bytes: heldBytes(message) };
    if (this.#open) this.#port.postMessage(frame);
  }
}
