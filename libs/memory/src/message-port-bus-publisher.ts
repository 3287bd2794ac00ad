/**
 * The bus from one thread to another, publishing end (embedded mode: the engine's thread). Commits are posted to the
 * reader's thread; bytes on shared memory travel without a copy. What the reader has not released yet is bounded: beyond
 * the bound messages are dropped, not queued, because the reader heals from the log and the engine must never wait for it.
 */
import { types } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import type { Bus, BusMessage, BusSubscription } from '@sluice/ports';
import type { MessageFrame, ReleasedFrame } from './message-port-bus-frames';
import { heldBytes } from './message-size';

/** Bytes posted and not yet released by the reader. */
export const OUTSTANDING_BYTES_LIMIT = 32 * 1024 * 1024;

export class MessagePortBusPublisher implements Bus {
  readonly #port: MessagePort;
  readonly #limit: number;
  readonly #lastSequences = new Map<number, number>();
  #outstandingBytes = 0;
  #dropped = 0;
  #open = true;

  constructor(port: MessagePort, options: { outstandingBytesLimit?: number } = {}) {
    this.#port = port;
    this.#limit = options.outstandingBytesLimit ?? OUTSTANDING_BYTES_LIMIT;
    port.on('message', (frame: ReleasedFrame) => {
      this.#outstandingBytes -= frame.bytes;
    });
    port.on('close', () => {
      this.#open = false;
    });
    port.unref();
  }

  readonly keepsMessages = false;

  get connected(): boolean {
    return this.#open;
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  /** Messages that were not sent because the reader was too far behind. */
  get dropped(): number {
    return this.#dropped;
  }

  async publish(message: BusMessage): Promise<void> {
    if (!this.#open) throw new Error('the bus is closed');
    this.#lastSequences.set(message.partition, Math.max(message.sequence, this.#lastSequences.get(message.partition) ?? 0));
    const bytes = heldBytes(message);
    if (this.#outstandingBytes + bytes > this.#limit) {
      this.#dropped += 1;
      return;
    }
    this.#outstandingBytes += bytes;
    const frame: MessageFrame = { kind: 'message', message: { ...message, bytes: message.bytes && ownBytes(message.bytes) } };
    this.#port.postMessage(frame);
  }

  async lastSequence(partition: number): Promise<number> {
    return this.#lastSequences.get(partition) ?? 0;
  }

  subscribe(): Promise<BusSubscription> {
    return Promise.reject(new Error('this is the publishing end of the bus; subscribe at the reading end'));
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#port.close();
  }
}

/** Posting a view copies all of the memory under it: a view of something larger is cut out first. Shared memory is not copied. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  if (types.isSharedArrayBuffer(bytes.buffer) || bytes.byteLength === bytes.buffer.byteLength) return bytes;
  return new Uint8Array(bytes);
}
