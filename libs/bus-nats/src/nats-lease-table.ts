/**
 * The lease table in a stream of NATS JetStream, laid out as a key-value bucket: one message per key, changed by compare-and-set on the
 * sequence of the key's last message, read from the stream's leader, watched by one consumer per process.
 */
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { LeaseTable, LeaseTableEntry, LeaseTableWatch, LeaseTableWatcher } from '@sluice/ports';
import { isBehind, isStreamGone } from './jetstream-errors';
import { decodeKey, encodeKey } from './lease-key';
import { NatsLeaseWatch } from './nats-lease-watch';
import type { NatsLink } from './nats-link';
import { ensureStream } from './stream-configuration';

const DEPLOYMENT = /^[A-Za-z0-9_-]{1,64}$/;
/** Entries that nobody has written for so long go away by themselves. */
const FORGOTTEN_AFTER_MS = 600_000;
/** Every process has one consumer. Servers that are told nothing allow fewer than a large deployment has processes. */
const MAXIMUM_CONSUMERS = 16_384;

export interface NatsLeaseTableOptions {
  readonly link: NatsLink;
  /** Deployments that share a server have tables of their own. */
  readonly deployment: string;
  /** Copies in a cluster of servers: 1, 3 or 5. */
  readonly replicas?: number;
}

export class NatsLeaseTable implements LeaseTable {
  readonly #stream: string;
  readonly #prefix: string;

  private constructor(private readonly options: NatsLeaseTableOptions) {
    const bucket = `sluice_${options.deployment}_leases`;
    this.#stream = `KV_${bucket}`;
    this.#prefix = `$KV.${bucket}.`;
  }

  /** Makes the bucket if it is missing. Throws StreamMismatchError for one that is configured otherwise. */
  static async open(options: NatsLeaseTableOptions): Promise<NatsLeaseTable> {
    if (!DEPLOYMENT.test(options.deployment)) throw new RangeError(`${JSON.stringify(options.deployment)} is no name of a deployment`);
    const table = new NatsLeaseTable(options);
    await table.#ensure();
    return table;
  }

  async put(key: string, value: string, previousRevision: number, limitMs: number): Promise<number | undefined> {
    return this.#withStream(async () => {
      try {
        const { jetstream } = this.options.link;
        const expect = { lastSubjectSequence: previousRevision };
        return (await jetstream.publish(this.#subject(key), value, { expect, timeout: limitMs })).seq;
      } catch (error) {
        if (isBehind(error)) return undefined;
        throw error;
      }
    });
  }

  async get(key: string, limitMs: number): Promise<LeaseTableEntry | undefined> {
    return this.#withStream(async () => {
      const { streams } = this.options.link.manager;
      const message = await withinLimit(streams.getMessage(this.#stream, { last_by_subj: this.#subject(key) }), limitMs);
      return message === null ? undefined : { key, value: message.string(), revision: message.seq };
    });
  }

  watch(watcher: LeaseTableWatcher): LeaseTableWatch {
    return new NatsLeaseWatch({
      link: this.options.link,
      stream: this.#stream,
      subjects: `${this.#prefix}>`,
      entryOf: (message) => ({ key: decodeKey(message.subject.slice(this.#prefix.length)), value: message.string(), revision: message.seq }),
      ensureStream: () => this.#ensure(),
      watcher,
    });
  }

  /** Does the work; a stream that was deleted is made anew first. */
  async #withStream<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.options.link.whileConnected(async () => {
      try {
        return await work();
      } catch (error) {
        if (!isStreamGone(error)) throw error;
        await this.#ensure();
        return work();
      }
    });
  }

  #subject(key: string): string {
    return this.#prefix + encodeKey(key);
  }

  async #ensure(): Promise<void> {
    const { link, replicas = 1 } = this.options;
    await ensureStream(link, {
      name: this.#stream,
      subjects: [`${this.#prefix}>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      max_age: nanos(FORGOTTEN_AFTER_MS),
      max_consumers: MAXIMUM_CONSUMERS,
      allow_rollup_hdrs: true,
      // Reads go to the leader: a replica may still name a holder that is gone.
      allow_direct: false,
      num_replicas: replicas,
    });
  }
}

/** Rejects if the work takes longer. */
async function withinLimit<Result>(work: Promise<Result>, limitMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`NATS did not answer within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
