/**
 * The bus from one thread to another, publishing end (embedded mode: the engine's thread). Commits are posted to the
 * reader's thread; bytes on shared memory travel without a copy. What the reader has not released yet is bounded: beyond
 * the bound messages are dropped, not queued, because the reader heals from the log and the engine must never wait for it.
 * For the same reason they are dropped while there is no reader: its thread may have ended, and is started again.
 */
import { types } from 'node:util';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Bus, BusMessage, BusSubscription } from '@sluice/ports';
import type { MessageFrame, ReleasedFrame } from './message-port-bus-frames';
import { heldBytes } from './message-size';

/** Bytes posted and not yet released by the reader. */
export const OUTSTANDING_BYTES_LIMIT = 32 * 1024 * 1024;

export class MessagePortBusPublisher implements Bus {
  readonly #limit: number;
  readonly #lastSequences = new Map<number, number>();
  /** Undefined: there is no reader. */
  #port: MessagePort | undefined;
  #outstandingBytes = 0;
  #dropped = 0;
  #closed = false;

  constructor(options: { outstandingBytesLimit?: number } = {}) {
    this.#limit = options.outstandingBytesLimit ?? OUTSTANDING_BYTES_LIMIT;
  }

  /** The port of a new reader, in place of the one before: what that one held counts no more. */
  newReader(): MessagePort {
    this.#port?.close();
    const { port1: port, port2: reading } = new MessageChannel();
    this.#port = port;
    this.#outstandingBytes = 0;
    port.on('message', (frame: ReleasedFrame) => {
      if (this.#port === port) this.#outstandingBytes -= frame.bytes;
    });
    port.on('close', () => {
      if (this.#port === port) this.#port = undefined;
    });
    port.unref();
    return reading;
  }

  readonly keepsMessages = false;

  get connected(): boolean {
    return this.#port !== undefined && !this.#closed;
  }

  get outstandingBytes(): number {
    return this.#outstandingBytes;
  }

  /** Messages that were not sent because the reader was too far behind, or not there. */
  get dropped(): number {
    return this.#dropped;
  }

  async publish(message: BusMessage): Promise<void> {
    if (this.#closed) throw new Error('the bus is closed');
    this.#lastSequences.set(message.partition, Math.max(message.sequence, this.#lastSequences.get(message.partition) ?? 0));
    const bytes = heldBytes(message);
    if (this.#port === undefined || this.#outstandingBytes + bytes > this.#limit) {
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
    this.#closed = true;
    this.#port?.close();
  }
}

/** Posting a view copies all of the memory under it: a view of something larger is cut out first. Shared memory is not copied. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  if (types.isSharedArrayBuffer(bytes.buffer) || bytes.byteLength === bytes.buffer.byteLength) return bytes;
  return new Uint8Array(bytes);
}
