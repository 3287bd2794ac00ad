/**
 * The bus on NATS JetStream. A publish is answered when the message is on the server's disk.
 *
 * Per partition messages are published one after the other, each saying after which message of its subject it comes
 * (expected last subject sequence). So the stream holds each commit once and in order, also when an answer is lost, another
 * process publishes, or the stream is made anew; the message id makes the server recognise what is repeated soon after. The
 * price is one message in flight per partition: the commits themselves are the batches.
 */
import type { Bus, BusMessage, BusSubscription } from '@sluice/ports';

import { encodeMessage } from './commit-message';
import { CommitStream, type CommitStreamLimits, DEFAULT_LIMITS, type SubjectTail } from './commit-stream';
import { CommitSubscription } from './commit-subscription';
import { isBehind, isStreamGone } from './jetstream-errors';
import type { NatsLink } from './nats-link';

const PUBLISH_LIMIT_MS = 5_000;
/** Attempts of one publish, each after learning where the subject stands. */
const PUBLISH_ATTEMPTS = 4;

export interface NatsBusOptions {
  readonly link: NatsLink;
  /** Deployments that share a server have streams and subjects of their own. */
  readonly deployment: string;
  /** Incarnation of the log that the commits are of. */
  readonly incarnation: string;
  /** Who subscribes through this bus, like "projector"; shown in the names of its consumers. */
  readonly reader?: string;
  readonly limits?: Partial<CommitStreamLimits>;
  /** The stream has lost messages that it had (it was deleted, or purged): owners should publish again what projectors may lack. */
  readonly onStreamLost?: () => void;
}

export class NatsBus implements Bus {
  readonly #stream: CommitStream;
  /** Where subjects ended after the last publish from here. */
  readonly #tails = new Map<number, SubjectTail>();
  /** Newest commit that the bus was ever seen to have. */
  readonly #newestSeen = new Map<number, number>();
  /** The publish under way per partition. */
  readonly #publishing = new Map<number, Promise<void>>();
  readonly #subscriptions = new Set<BusSubscription>();
  #closed = false;

  private constructor(private readonly options: NatsBusOptions) {
    this.#stream = new CommitStream(options.link, options.deployment, options.incarnation, { ...DEFAULT_LIMITS, ...options.limits });
  }

  /** Makes the stream if it is missing. Throws StreamMismatchError for one that is configured otherwise. */
  static async open(options: NatsBusOptions): Promise<NatsBus> {
    const bus = new NatsBus(options);
    await bus.#stream.ensure();
    return bus;
  }

  readonly keepsMessages = true;

  get connected(): boolean {
    return !this.#closed && this.options.link.connected;
  }

  publish(message: BusMessage): Promise<void> {
    const { partition } = message;
    const before = this.#publishing.get(partition) ?? Promise.resolve();
    const publishing = before.then(
      () => this.#publish(message),
      () => this.#publish(message),
    );
    this.#publishing.set(partition, publishing);
    const done = (): void => {
      if (this.#publishing.get(partition) === publishing) this.#publishing.delete(partition);
    };
    publishing.then(done, done);
    return publishing;
  }

  async lastSequence(partition: number): Promise<number> {
    this.#assertOpen();
    return (await this.options.link.whileConnected(() => this.#tail(partition))).newest;
  }

  async subscribe(partition: number, fromSequence: number, handler: (message: BusMessage) => Promise<void>): Promise<BusSubscription> {
    this.#assertOpen();
    const { link, reader = 'reader' } = this.options;
    const reading = await CommitSubscription.start({
      link,
      stream: this.#stream,
      reader,
      partition,
      fromSequence,
      handler,
      ensureStream: () => this.#ensureStream(),
    });
    const subscription: BusSubscription = {
      stop: async () => {
        this.#subscriptions.delete(subscription);
        await reading.stop();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Stops the subscriptions; the link stays, it is closed by who opened it. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.stop()));
  }

  async #publish(message: BusMessage): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#assertOpen();
      try {
        await this.options.link.whileConnected(() => this.#publishOnce(message));
        return;
      } catch (error) {
        this.#tails.delete(message.partition);
        if (attempt >= PUBLISH_ATTEMPTS || !(isBehind(error) || isStreamGone(error))) throw error;
        if (isStreamGone(error)) await this.#ensureStream();
      }
    }
  }

  async #publishOnce(message: BusMessage): Promise<void> {
    const { partition, sequence } = message;
    const tail = this.#tails.get(partition) ?? (await this.#tail(partition));
    this.#tails.set(partition, tail);
    if (sequence <= tail.newest && (await this.#stream.has(partition, sequence))) return;
    const { link, incarnation } = this.options;
    const newest = Math.max(tail.newest, sequence);
    const { payload, headers } = encodeMessage(message, incarnation, newest, link.maxPayloadBytes);
    const acknowledged = await link.jetstream.publish(this.#stream.subject(partition), payload, {
      msgID: `${partition}-${sequence}-${incarnation}`,
      headers,
      expect: { lastSubjectSequence: tail.streamSequence },
      timeout: PUBLISH_LIMIT_MS,
    });
    this.#newestSeen.set(partition, newest);
    if (acknowledged.duplicate) this.#tails.delete(partition);
    else this.#tails.set(partition, { streamSequence: acknowledged.seq, newest });
  }

  /** Where the subject ends now; tells if it was further before, which also shows a stream that another process made anew. */
  async #tail(partition: number): Promise<SubjectTail> {
    const tail = await this.#stream.tail(partition).catch(async (error: unknown) => {
      if (!isStreamGone(error)) throw error;
      await this.#ensureStream();
      return this.#stream.tail(partition);
    });
    const before = this.#newestSeen.get(partition) ?? 0;
    this.#newestSeen.set(partition, tail.newest);
    if (tail.newest < before) this.options.onStreamLost?.();
    return tail;
  }

  async #ensureStream(): Promise<void> {
    if (await this.#stream.ensure()) this.#tails.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the bus is closed');
  }
}
