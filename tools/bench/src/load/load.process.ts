/**
 * The load generator: its own process, so that what it spends is seen apart from the server's. It keeps a fixed number of
 * calls in flight: as soon as one is answered the next one leaves.
 */
import * as grpc from '@grpc/grpc-js';
import { newHistogram, packHistogram, recordMs } from '../measure/latency';
import { answerOrders } from '../machine/orders';
import { callSource, type CallSlot, type CallSource } from './call-source';
import type { LoadAnswer, LoadOrder } from './load-order';

const CONNECT_TIMEOUT_MS = 10_000;
/** After a failed call a slot waits, so that a server that refuses everything is not flooded with attempts. */
const PAUSE_AFTER_FAILURE_MS = 20;
const NO_METADATA = new grpc.Metadata();
const asIs = (bytes: Buffer): Buffer => bytes;

answerOrders<LoadOrder, LoadAnswer>(async (order) => {
  const source = callSource(order.calls);
  const connections = await connect(order);
  try {
    return await new LoadRun(order, source, connections).run();
  } finally {
    for (const connection of connections) connection.close();
  }
});

async function connect({ addresses, connections }: LoadOrder): Promise<grpc.Client[]> {
  const clients = Array.from({ length: connections }, (_, index) => {
    const options = {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    };
    return new grpc.Client(addresses[index % addresses.length] as string, grpc.credentials.createInsecure(), options);
  });
  await Promise.all(
    clients.map(
      (client) => new Promise<void>((resolve, reject) => client.waitForReady(Date.now() + CONNECT_TIMEOUT_MS, (error) => (error ? reject(error) : resolve()))),
    ),
  );
  return clients;
}

class LoadRun {
  readonly #latency = newHistogram();
  #accepted = 0;
  #acknowledged = 0;
  #refused = 0;
  #failed = 0;
  #complaint: string | undefined;
  #windowStart = 0;
  #windowEnd = 0;
  #lastAnswer = 0;
  #exhausted = false;
  #callsLeft: number;

  constructor(
    private readonly order: LoadOrder,
    private readonly source: CallSource,
    private readonly connections: readonly grpc.Client[],
  ) {
    this.#callsLeft = order.maximumCalls ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<LoadAnswer> {
    this.#windowStart = performance.now() + this.order.warmUpMs;
    this.#windowEnd = this.#windowStart + this.order.windowMs;
    const slots = Array.from({ length: this.order.inFlight }, (_, index) =>
      this.#drive(this.source.slot(index), this.connections[index % this.connections.length] as grpc.Client),
    );
    await Promise.all(slots);
    // Where the requests ran out the window ends with the last answer.
    const end = this.#exhausted ? Math.min(this.#lastAnswer, this.#windowEnd) : this.#windowEnd;
    return {
      accepted: this.#accepted,
      windowMs: Math.max(1, end - this.#windowStart),
      acknowledged: this.#acknowledged,
      refused: this.#refused,
      failed: this.#failed,
      complaint: this.#complaint,
      latency: packHistogram(this.#latency),
    };
  }

  /** One call after the other until the window ends; resolves when the last one is answered. */
  #drive(slot: CallSlot, connection: grpc.Client): Promise<void> {
    return new Promise((resolve) => {
      const send = (): void => {
        const sentAt = performance.now();
        const request = sentAt < this.#windowEnd && this.#callsLeft > 0 ? slot.next() : undefined;
        this.#callsLeft -= 1;
        if (request === undefined) {
          this.#exhausted ||= sentAt < this.#windowEnd;
          resolve();
          return;
        }
        connection.makeUnaryRequest<Buffer, Buffer>(slot.path ?? this.source.path, asIs, asIs, request, NO_METADATA, {}, (error, answer) => {
          if (error !== null || answer === undefined) {
            this.#failed += 1;
            this.#complaint ??= error?.message ?? 'an empty answer';
            setTimeout(send, PAUSE_AFTER_FAILURE_MS);
            return;
          }
          this.#count(slot, answer, sentAt);
          send();
        });
      };
      send();
    });
  }

  #count(slot: CallSlot, answer: Buffer, sentAt: number): void {
    const now = performance.now();
    const { accepted, refused, complaint } = slot.judge(answer);
    this.#acknowledged += accepted;
    this.#refused += refused;
    this.#complaint ??= complaint;
    this.#lastAnswer = now;
    if (now < this.#windowStart || now >= this.#windowEnd) return;
    this.#accepted += accepted;
    recordMs(this.#latency, now - sentAt);
  }
}
