/**
 * What a capability (accounts, contests, …) plugs into a partition. The engine knows turns, commits, the log, snapshots and request
 * ids; a capability knows its aggregates.
 */
import type { CommitHeader, DecodedCommit, EventRecord, logpb } from '@sluice/protocol';
import type { SettledDelivery } from './internal/engine-room';
import type { InternalCommand, InternalVerdict } from './internal/internal-command';
import type { Turn } from './partition/turn';
import type { HashSeeds } from './request-index/request-hash';
import type { RequestIndex } from './request-index/request-index';
import type { CommitSearch } from './requests/commit-search';

export interface Capability {
  /** Prefix of its event types: "account". */
  readonly name: string;
  /** Version of the blocks of its snapshots; 1 if it says nothing. Older ones are handed to `restore`, too. */
  readonly snapshotVersion?: number;
  createState(partition: PartitionServices): CapabilityState;
}

/** What a capability may ask of its partition. */
export interface PartitionServices {
  readonly partition: number;
  readonly seeds: HashSeeds;
  readonly index: RequestIndex;
  /** A durable commit, from memory or from the log, waiting until it is durable. Rejects when its turn is lost. */
  recall(sequence: number): Promise<DecodedCommit>;
  /** Finds recorded requests in durable commits. */
  readonly commitSearch: CommitSearch;
  /** What another capability lets its siblings read of its state in this partition, as of this turn; undefined: nothing. Ask anew each time. */
  sibling(capability: string): unknown;
}

/** The aggregates of one capability in one partition. */
export interface CapabilityState {
  /**
   * Takes one of its events from the log into the state, and every request id in it into the request-id index. An event that may be large
   * is taken step by step: what is returned takes the next step when it is asked for, and yields how many bytes of the event that was.
   */
  replay(event: EventRecord, commit: CommitHeader): Iterable<number> | undefined;
  /** Takes the verdict of a request of one of its aggregates from the log: it stands behind the events of the request. Undefined: it has no such requests. */
  replayRequest?(decided: logpb.RequestDecided, commit: CommitHeader): void;
  /**
   * Decides what deliveries, timers and sweeps ask for, in order: one verdict for each command, which depends on nothing but the state, the
   * command and the turn's commit time. It stops at the first command that it cannot decide: the list ends with that verdict, and nothing behind it
   * is decided. It throws for programmer errors only: an exception costs the partition a reload. What it records goes into the turn like the events of callers' commands. Undefined: it takes none.
   */
  decideInternal?(turn: Turn, commands: readonly InternalCommand[]): readonly InternalVerdict[];
  /**
   * What deciding the command may record at most, in bytes: timers that are due together are fired in as many commits as that needs. Undefined: no more
   * than commands of timers have by default (RECORD_BYTES_PER_TIMER beside the payload).
   */
  recordBytesOf?(method: string, payload: Uint8Array): number | undefined;
  /** Deliveries that it owed have their verdicts, which the turn's commit records: it may record what follows from them, and owe anew. */
  settled?(turn: Turn, deliveries: readonly SettledDelivery[]): void;
  /**
   * Whether the keys are there that its aggregates name: asked when the log is in memory, before the partition is taken over. Lets the event loop
   * run meanwhile. Rejects with MissingKeysError. Undefined: its aggregates name none.
   */
  assertKeysPresent?(): Promise<void>;
  /** What its siblings in the partition may read while they decide: an interface of the capability's domain, read only. */
  readonly siblingView?: unknown;
  /** Begins a snapshot of the state as it is now; its blocks are taken later, in small steps, while turns go on. */
  beginSnapshot(): SnapshotSession;
  /** Takes one block of a snapshot back in. @param version in which it was written. */
  restore(block: Uint8Array, version: number): void;
}

export interface SnapshotSession {
  /** The next block (at most about 1 MiB), or undefined when the snapshot is whole. One call stays within a few milliseconds. */
  next(): Uint8Array | undefined;
  /** Called once, when the snapshot is durable or was given up. */
  end(durable: boolean): void;
}

/**
 * Commands of one caller for one partition, decided in one turn.
 *
 *   waiting (look-ups under way) → queued → decided → settled | failed
 */
export interface Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  /** What it takes of a commit at most. */
  readonly recordBytes: number;
  /** W3C traceparent of the caller's span, if it is sampled. */
  readonly traceparent?: string;
  /** True: a delivery, a timer or a sweep asks for it, not a caller. It waits behind what callers ask for. */
  readonly background?: boolean;
  /** Whose share of a contended queue it takes; undefined: all submissions without a caller have one share. */
  readonly caller?: SubmissionCaller | undefined;
  /**
   * Hashes of the aggregates that it touches, repeats allowed. The order of submissions is kept per aggregate only, so that one that waits
   * for its preparation lets the others pass, and what comes for a flooded aggregate does not hold up the others. A single command names its own
   * aggregate first. Undefined: it may touch any, it waits for every earlier one, and every later one waits behind it.
   */
  aggregates?(): Iterable<number>;
  /** Resolves when the submission can be decided; undefined: at once. Never rejects: what went wrong shows in `decide`. */
  readonly prepared?: Promise<void> | undefined;
  /** Decides its commands against the state, in order. Throws only for programmer errors. */
  decide(turn: Turn): void;
  /** Everything that was decided and that the decision depended on is durable, the newest of it with this sequence: answers may leave. */
  settle(sequence: number): void;
  /** The turn is lost, or was never had: nothing of it is recorded, or that is unknown. QUEUE_FULL: it was never had. */
  fail(failure: SubmissionFailure): void;
}

export type SubmissionFailure = 'PARTITION_UNAVAILABLE' | 'SHUTTING_DOWN' | 'NOT_OWNER' | 'QUEUE_FULL';

/** A caller, as far as the queue of a partition has to tell it from others. */
export interface SubmissionCaller {
  /** The same for all submissions of the caller. Read only while the queue is contended. */
  readonly identity: string;
}
