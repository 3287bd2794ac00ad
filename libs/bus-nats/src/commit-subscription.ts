/**
 * One reader of one partition: a durable pull consumer of its own, that acknowledges a message when its handler is through.
 *
 *   positioning ──consumer made──▶ consuming ──consumer, stream or connection gone──▶ positioning …
 *        └────────────────────────────┴──stop──▶ stopped, the consumer is removed
 *
 * The reader's own checkpoint is the truth about where it stands; the consumer begins there each time, and the server
 * forgets it when nobody has asked it for anything for a while. A message whose handler rejects is handed over again before
 * any later one: the order is kept here and not left to redelivery.
 */
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg, ReplayPolicy } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/transport-node';

import type { BusMessage, BusSubscription } from '@sluice/ports';

import { decodeMessage, readHeaders } from './commit-message';
import type { CommitStream } from './commit-stream';
import { type NatsLink, pause } from './nats-link';

/** Messages fetched ahead of the handler; times the payload limit that is what a subscription may hold in memory. */
const PREFETCH_MESSAGES = 32;
/** A message that was fetched and not acknowledged within it is sent again, which readers recognise. */
const ACK_WAIT_MS = 60_000;
/** While a handler works on a message the server is told so this often. */
const WORKING_INTERVAL_MS = 20_000;
/** The server removes the consumer when nobody asked it for so long: its reader is dead. */
const INACTIVE_LIMIT_MS = 600_000;
/** Pulls are renewed after so long; the heartbeat of half of it notices a consumer that is gone. */
const PULL_LIMIT_MS = 4_000;
/** Between two attempts after a rejection or a failure: the first pause, doubled each time up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export interface SubscriptionOptions {
  readonly link: NatsLink;
  readonly stream: CommitStream;
  /** Who reads, like "projector": the beginning of the consumer's name. */
  readonly reader: string;
  readonly partition: number;
  readonly fromSequence: number;
  readonly handler: (message: BusMessage) => Promise<void>;
  /** Makes the stream again if it is gone. */
  readonly ensureStream: () => Promise<void>;
}

export class CommitSubscription implements BusSubscription {
  readonly #stopping = new AbortController();
  /** The first commit that was not handled yet. */
  #nextSequence: number;
  #messages: ConsumerMessages | undefined;
  #consumer: string | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(private readonly options: SubscriptionOptions) {
    this.#nextSequence = options.fromSequence;
  }

  /** Resolves when it reads, or, while the server is out of reach, when it waits for it. */
  static async start(options: SubscriptionOptions): Promise<CommitSubscription> {
    const subscription = new CommitSubscription(options);
    const positioned = new Promise<void>((resolve) => {
      subscription.#running = subscription.#run(resolve);
    });
    await positioned;
    return subscription;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#messages?.close();
    await this.#running;
  }

  async #run(positioned: () => void): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted; ) {
      try {
        const messages = await this.#position();
        positioned();
        failures = 0;
        for await (const message of messages) {
          if (this.#stopping.signal.aborted) break;
          await this.#take(message);
        }
      } catch {
        // The consumer, the stream or the connection is gone; what was handled is known, so it begins again from there.
        failures += 1;
      }
      positioned();
      await this.#removeConsumer();
      if (failures > 0) await pause(backOffMs(failures), this.#stopping.signal);
    }
  }

  /** Makes a consumer that begins at the first commit that was not handled, and pulls from it. */
  async #position(): Promise<ConsumerMessages> {
    const { link, stream, partition, reader } = this.options;
    link.assertConnected();
    await this.options.ensureStream();
    const start = await stream.startOf(partition, this.#nextSequence);
    const name = `${reader}-${partition}-${nuid.next()}`;
    await link.manager.consumers.add(stream.name, {
      durable_name: name,
      filter_subject: stream.subject(partition),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: start,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(INACTIVE_LIMIT_MS),
    });
    this.#consumer = name;
    const consumer = await link.jetstream.consumers.get(stream.name, name);
    this.#messages = await consumer.consume({ max_messages: PREFETCH_MESSAGES, expires: PULL_LIMIT_MS, abort_on_missing_resource: true });
    return this.#messages;
  }

  /** Hands the message over until the handler is through with it. */
  async #take(message: JsMsg): Promise<void> {
    const { partition, stream, handler } = this.options;
    const head = readHeaders(message.headers);
    if (head !== undefined && stream.isOurs(head) && head.sequence >= this.options.fromSequence) {
      const working = setInterval(() => message.working(), WORKING_INTERVAL_MS);
      try {
        const decoded = decodeMessage(partition, head, message.headers, message.data);
        for (let rejections = 0; !(await accepted(handler, decoded)); ) {
          rejections += 1;
          await pause(backOffMs(rejections), this.#stopping.signal);
          if (this.#stopping.signal.aborted) return;
        }
      } finally {
        clearInterval(working);
      }
      this.#nextSequence = Math.max(this.#nextSequence, head.sequence + 1);
    }
    message.ack();
  }

  async #removeConsumer(): Promise<void> {
    const { link, stream } = this.options;
    const name = this.#consumer;
    this.#consumer = undefined;
    this.#messages = undefined;
    if (name === undefined || !link.connected) return;
    // A consumer that cannot be removed now is removed by the server when it has been inactive for long enough.
    await link.manager.consumers.delete(stream.name, name).catch(() => undefined);
  }
}

async function accepted(handler: (message: BusMessage) => Promise<void>, message: BusMessage): Promise<boolean> {
  try {
    await handler(message);
    return true;
  } catch {
    return false;
  }
}

function backOffMs(failures: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}
