/**
 * The stream of a deployment's commits: a subject per partition, kept on disk, bounded in age and in bytes.
 */
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

import { type CommitHeaders, readHeaders } from './commit-message';
import type { NatsLink } from './nats-link';
import { ensureStream, type ExpectedStream } from './stream-configuration';

const DEPLOYMENT = /^[A-Za-z0-9_-]{1,64}$/;

export interface CommitStreamLimits {
  /** Older messages go; who is further behind reads the log. */
  readonly maxAgeMs: number;
  /** Beyond it the oldest messages go. */
  readonly maxBytes: number;
  /** Copies in a cluster of servers: 1, 3 or 5. */
  readonly replicas: number;
  /** Within it the server itself knows a repeated message by its id. */
  readonly dedupeWindowMs: number;
}

export const DEFAULT_LIMITS: CommitStreamLimits = { maxAgeMs: 24 * 3_600_000, maxBytes: 1024 ** 3, replicas: 1, dedupeWindowMs: 120_000 };

/** Where a partition's subject ends. */
export interface SubjectTail {
  /** Of the stream; 0: the subject is empty. */
  readonly streamSequence: number;
  /** Newest commit of this log's incarnation; 0: none. */
  readonly newest: number;
}

export class CommitStream {
  readonly name: string;
  readonly #expected: ExpectedStream;
  readonly #prefix: string;

  constructor(
    private readonly link: NatsLink,
    deployment: string,
    private readonly incarnation: string,
    limits: CommitStreamLimits,
  ) {
    if (!DEPLOYMENT.test(deployment))
      throw new RangeError(`the name of a deployment is of 1 to 64 letters, digits, - and _, not ${JSON.stringify(deployment)}`);
    this.name = `SLUICE_${deployment}_COMMITS`;
    this.#prefix = `sluice.${deployment}.commits`;
    this.#expected = {
      name: this.name,
      subjects: [`${this.#prefix}.*`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: nanos(limits.maxAgeMs),
      max_bytes: limits.maxBytes,
      max_msgs: -1,
      max_msgs_per_subject: -1,
      max_msg_size: -1,
      duplicate_window: nanos(limits.dedupeWindowMs),
      num_replicas: limits.replicas,
      allow_direct: true,
    };
  }

  subject(partition: number): string {
    return `${this.#prefix}.${partition}`;
  }

  /** Makes it if it is missing; true: it was made now. Throws StreamMismatchError. */
  ensure(): Promise<boolean> {
    return ensureStream(this.link, this.#expected);
  }

  /** Asks the server's leader, because a replica may be behind. */
  async tail(partition: number): Promise<SubjectTail> {
    const last = await this.link.manager.streams.getMessage(this.name, { last_by_subj: this.subject(partition) });
    if (last === null) return { streamSequence: 0, newest: 0 };
    const head = readHeaders(last.header);
    return { streamSequence: last.seq, newest: head !== undefined && this.isOurs(head) ? head.newest : 0 };
  }

  /** Messages of another incarnation are of a log that was restored since. */
  isOurs(head: CommitHeaders): boolean {
    return head.incarnation === this.incarnation;
  }

  /**
   * Where in the stream the partition's commits from `fromSequence` on begin, by bisection: they stand in order, after those
   * of earlier incarnations. A stream in which they do not (a repeat after the dedupe window) may begin a little late or
   * early, which readers heal.
   */
  async startOf(partition: number, fromSequence: number): Promise<number> {
    const { state } = await this.link.manager.streams.info(this.name);
    let low = Math.max(1, state.first_seq);
    let high = state.last_seq + 1;
    if ((await this.tail(partition)).newest < fromSequence) return high;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const next = await this.#next(partition, middle);
      if (next === undefined || next.streamSequence >= high || (next.head !== undefined && this.isOurs(next.head) && next.head.sequence >= fromSequence))
        high = middle;
      else low = next.streamSequence + 1;
    }
    return low;
  }

  /** Whether the stream has the commit. */
  async has(partition: number, sequence: number): Promise<boolean> {
    const start = await this.startOf(partition, sequence);
    const next = await this.#next(partition, start);
    return next?.head !== undefined && this.isOurs(next.head) && next.head.sequence === sequence;
  }

  /** The first message of the partition at or after the place. */
  async #next(partition: number, streamSequence: number): Promise<{ streamSequence: number; head: CommitHeaders | undefined } | undefined> {
    const message = await this.link.manager.direct.getMessage(this.name, { seq: Math.max(1, streamSequence), next_by_subj: this.subject(partition) });
    return message === null ? undefined : { streamSequence: message.seq, head: readHeaders(message.header) };
  }
}
