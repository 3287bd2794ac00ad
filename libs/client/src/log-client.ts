/** What reads the event log for people: where a key lives, the commits with their events, and the check of one account. */
import { eventTableOf, type logpb, usFromTimestamp } from '@sluice/protocol';
import type { Caller, CallOptions, StreamOptions } from './caller';

export interface KeyPartition {
  readonly partition: number;
  readonly partitions: number;
  /** 0: no commit yet. */
  readonly headSequence: bigint;
  /** 32 hex digits. */
  readonly incarnation: string;
  /** Of the partition's newest owner; 0: no commit yet. */
  readonly ownerEpoch: bigint;
  /** Instance id of that owner, which may have stopped since; empty: no commit yet. */
  readonly owner: string;
}

export interface GetPartitionOptions extends CallOptions {
  /** The key is hashed whole, braces included, like the number of a reservation. Default: text in braces is what is hashed. */
  readonly wholeKey?: boolean;
}

export interface CommitView {
  readonly partition: number;
  readonly sequence: bigint;
  readonly epoch: bigint;
  readonly committedAtUs: number;
  readonly sizeBytes: number;
  /** Hex. */
  readonly checksum: string;
  readonly events: readonly EventView[];
  readonly traceparents: readonly string[];
}

export interface EventView {
  /** Like "account.PostingsRecorded". */
  readonly type: string;
  readonly version: number;
  /** The event as plain data in the JSON form of protobuf; undefined: a type or version that this library does not know. */
  readonly event: unknown;
}

export interface AccountVerification {
  readonly equal: boolean;
  readonly differences: readonly string[];
  readonly sequence: bigint;
  readonly logBalanceMinor: bigint;
  readonly readBalanceMinor: bigint;
  readonly logEntryCount: bigint;
  readonly readEntryCount: bigint;
}

/** Names an aggregate of any capability. */
export interface VerifiedAggregate {
  readonly capability: string;
  /** As it stands in the read store. */
  readonly key: string;
  /** Its kind, like "transfer"; default: the first of the capability. */
  readonly aggregate?: string | undefined;
}

export interface AggregateVerification {
  readonly equal: boolean;
  readonly differences: readonly string[];
  readonly sequence: bigint;
  /** Figures as the log and the read store have them. */
  readonly figures: readonly { readonly name: string; readonly log: bigint; readonly read: bigint }[];
}

export interface TailOptions extends StreamOptions {
  /** Only this partition; default: all. */
  readonly partition?: number;
  /** With a partition: the first sequence; default: what comes from now on. */
  readonly fromSequence?: bigint;
  readonly headersOnly?: boolean;
}

export interface ReadCommitsOptions extends CallOptions {
  readonly fromSequence?: bigint;
  readonly pageSize?: number;
  readonly headersOnly?: boolean;
}

export class LogClient {
  readonly #caller: Caller;
  readonly #service: logpb.LogServiceClient;

  /** @internal Made by SluiceClient. */
  constructor(caller: Caller, service: logpb.LogServiceClient) {
    this.#caller = caller;
    this.#service = service;
  }

  getPartition(key: string, options: GetPartitionOptions = {}): Promise<KeyPartition> {
    return this.#caller.unary(this.#service.getPartition.bind(this.#service), { key, wholeKey: options.wholeKey ?? false }, options);
  }

  /** The commits of a partition up to its head, page after page as they are asked for. */
  async *readCommits(partition: number, options: ReadCommitsOptions = {}): AsyncGenerator<CommitView, void, undefined> {
    let fromSequence = options.fromSequence ?? 1n;
    do {
      const request = { partition, fromSequence, pageSize: options.pageSize ?? 0, headersOnly: options.headersOnly ?? false };
      const page = await this.#caller.unary(this.#service.readCommits.bind(this.#service), request, options);
      for (const commit of page.commits) yield commitFromWire(commit);
      fromSequence = page.nextSequence;
    } while (fromSequence > 0n);
  }

  /** Commits as they come, until the loop is left or the signal aborts. */
  async *tail(options: TailOptions = {}): AsyncGenerator<CommitView, void, undefined> {
    const request = { partition: options.partition, fromSequence: options.fromSequence ?? 0n, headersOnly: options.headersOnly ?? false };
    for await (const { commit } of this.#caller.stream((metadata) => this.#service.tailCommits(request, metadata), options)) {
      if (commit !== undefined) yield commitFromWire(commit);
    }
  }

  /** Folds the account's events from the log and compares the result with the read store. */
  verifyAccount(accountId: string, options?: CallOptions): Promise<AccountVerification> {
    return this.#caller.unary(this.#service.verifyAccount.bind(this.#service), { accountId }, options);
  }

  /** Folds the events of an aggregate of any capability from the log and compares the result with the read store. */
  verifyAggregate({ capability, key, aggregate = '' }: VerifiedAggregate, options?: CallOptions): Promise<AggregateVerification> {
    return this.#caller.unary(this.#service.verifyAggregate.bind(this.#service), { capability, key, aggregate }, options);
  }
}

function commitFromWire(commit: logpb.CommitView): CommitView {
  return {
    partition: commit.partition,
    sequence: commit.sequence,
    epoch: commit.epoch,
    committedAtUs: commit.committedAt === undefined ? 0 : Number(usFromTimestamp(commit.committedAt)),
    sizeBytes: commit.sizeBytes,
    checksum: commit.checksum,
    events: commit.events.map(({ type, version, event }) => ({ type, version, event: event && eventTableOf(type)?.readable(type, version, event.value) })),
    traceparents: commit.traceparents,
  };
}
