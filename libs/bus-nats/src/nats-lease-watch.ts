/**
 * The watch of a lease table: one push consumer that begins with the last message of every key.
 *
 *   establishing ── all that there is has come: snapshot ──► following ── a gap, silence, a lost connection, `restart` ──► establishing …
 *
 * The server sends a sign of life every second. A watch that misses two, or whose messages are not consecutive, is established anew. The
 * consumer that is left is removed, or goes away by itself within seconds, because nobody listens to it any more.
 */
import { AckPolicy, DeliverPolicy, type JsMsg, type PushConsumer, ReplayPolicy } from '@nats-io/jetstream';
import { createInbox, nanos, nuid } from '@nats-io/transport-node';
import type { LeaseTableEntry, LeaseTableWatch, LeaseTableWatcher } from '@sluice/ports';
import { type NatsLink, pause } from './nats-link';

const SIGN_OF_LIFE_MS = 1_000;
/** The server removes a consumer that nobody listens to for so long. */
const INACTIVE_LIMIT_MS = 10_000;
/** Between two attempts: the first pause, doubled each time up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export interface NatsLeaseWatchOptions {
  readonly link: NatsLink;
  readonly stream: string;
  /** All subjects of the stream. */
  readonly subjects: string;
  readonly entryOf: (message: JsMsg) => LeaseTableEntry;
  /** Makes the stream again if it is gone. */
  readonly ensureStream: () => Promise<void>;
  readonly watcher: LeaseTableWatcher;
}

/** The caller wants the watch to be established anew. */
class RestartRequest extends Error {}

export class NatsLeaseWatch implements LeaseTableWatch {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Ends what follows the table now. */
  #interrupt: (error: Error) => void = () => undefined;

  constructor(private readonly options: NatsLeaseWatchOptions) {
    this.#running = this.#run();
  }

  restart(reason: string): void {
    this.#interrupt(new RestartRequest(reason));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#interrupt(new RestartRequest('stopped'));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof RestartRequest) continue;
        this.options.watcher.broken(error as Error);
        failures += 1;
        await this.#pauseAfter(failures);
      }
    }
  }

  /** Waits longer after each failure, but not beyond the return of the connection. */
  async #pauseAfter(failures: number): Promise<void> {
    const restored = new AbortController();
    const end = this.options.link.onRestored(() => restored.abort());
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), AbortSignal.any([this.#stopping.signal, restored.signal]));
    end();
  }

  /** Follows the table until something is wrong; then rejects. */
  async #follow(established: () => void): Promise<void> {
    const { link, stream } = this.options;
    const interrupted = new Promise<never>((_, reject) => {
      this.#interrupt = reject;
    });
    interrupted.catch(() => undefined);
    const name = `watch-${nuid.next()}`;
    const ended = new AbortController();
    try {
      await link.whileConnected(() => Promise.race([interrupted, this.#consume(name, ended.signal, established)]));
    } finally {
      ended.abort();
      // One that cannot be removed now goes away by itself.
      if (link.connected) link.manager.consumers.delete(stream, name).catch(() => undefined);
    }
  }

  async #consume(name: string, ended: AbortSignal, established: () => void): Promise<never> {
    const { link, stream, subjects, watcher, ensureStream } = this.options;
    await ensureStream();
    const { num_pending: pending } = await link.manager.consumers.add(stream, {
      name,
      deliver_subject: createInbox(),
      deliver_policy: DeliverPolicy.LastPerSubject,
      filter_subject: subjects,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(INACTIVE_LIMIT_MS),
      idle_heartbeat: nanos(SIGN_OF_LIFE_MS),
    });
    const consumer = await link.jetstream.consumers.getPushConsumer(stream, name);
    const first: LeaseTableEntry[] = [];
    let delivered = 0;
    let following = pending === 0;
    const take = (message: JsMsg): void => {
      if (ended.aborted) return;
      const { deliverySequence, pending: left } = message.info;
      if (deliverySequence !== delivered + 1) {
        this.#interrupt(new RestartRequest('a message of the watch is missing'));
        return;
      }
      delivered = deliverySequence;
      const entry = this.options.entryOf(message);
      if (following) watcher.changed(entry);
      else {
        first.push(entry);
        if (left > 0) return;
        following = true;
        established();
        watcher.snapshot(first);
      }
    };
    if (pending === 0 && !ended.aborted) {
      established();
      watcher.snapshot([]);
    }
    return this.#consumeUntilEnd(consumer, ended, take, () => delivered);
  }

  async #consumeUntilEnd(consumer: PushConsumer, ended: AbortSignal, take: (message: JsMsg) => void, delivered: () => number): Promise<never> {
    const messages = await consumer.consume({ callback: take, abort_on_missing_resource: true });
    const stop = (): void => void messages.close();
    ended.addEventListener('abort', stop, { once: true });
    try {
      if (ended.aborted) stop();
      for await (const status of messages.status()) {
        if (status.type === 'heartbeats_missed') throw new Error('the lease service gives no sign of life');
        if (status.type === 'consumer_deleted') throw new Error('the consumer of the watch was removed');
        if (status.type === 'heartbeat' && status.lastConsumerSequence > delivered()) throw new Error('the last messages of the watch are missing');
      }
      throw new Error('the watch of the leases has ended');
    } finally {
      ended.removeEventListener('abort', stop);
      await messages.close();
    }
  }
}
