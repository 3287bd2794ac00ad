/**
 * The event log ("first database"): the truth. One record per commit, keyed by (partition, sequence).
 *
 * An adapter stores and returns bytes; it never looks into them. What it promises:
 *  - `append` resolves only when the commit is durable (fsync; majority + journal), and all of it or nothing is there;
 *  - of two appends with the same (partition, sequence) exactly one succeeds, the other gets `SequenceTakenError`;
 *  - `read` and `head` see every append that succeeded before (majority reads from the primary).
 */
export interface LogIdentity {
  /** 32 hex digits; another one after a restore. */
  readonly incarnation: string;
  /** Those that it had before it was restored, 32 hex digits each: its older commits carry them. */
  readonly formerIncarnations?: readonly string[];
  /** Number of partitions, fixed when the log was made; at least 2. */
  readonly partitions: number;
  /** When the log was made, microseconds since the epoch. */
  readonly createdAtUs: number;
}

export interface CommitRecord {
  readonly partition: number;
  /** 1, 2, 3 … */
  readonly sequence: number;
  /** The encoded commit, checksum included. */
  readonly bytes: Uint8Array;
}

/** A commit on its way to the log, with what people see beside it when they look with a shell. */
export interface CommitToAppend extends CommitRecord {
  /** Number of commands whose verdicts it records. */
  readonly commandCount: number;
  readonly committedAtUs: number;
  /** The distinct event types in it. */
  readonly eventTypes: readonly string[];
}

/** Another writer has written this sequence: the caller is not the owner any more. Final. */
export class SequenceTakenError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
  ) {
    super(`partition ${partition}: sequence ${sequence} is taken by another writer`);
    this.name = 'SequenceTakenError';
  }
}

/** The append failed, or its outcome is unknown. The caller finds out from the log, or drops its memory and reads the log again. */
export class AppendFailedError extends Error {
  readonly diskFull: boolean;
  /** Nothing was stored, and the same append will fail again until something is changed: the log is closed or full, or the commit is too large. */
  readonly refused: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly diskFull?: boolean; readonly refused?: boolean } = {}) {
    const { cause, diskFull = false, refused = diskFull } = options;
    super(message, { cause });
    this.name = 'AppendFailedError';
    this.diskFull = diskFull;
    this.refused = refused;
  }
}

/** A commit is not there although later ones are: the log is damaged. */
export class MissingCommitError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
  ) {
    super(`partition ${partition}, sequence ${sequence}: the commit is missing from the log, later ones are there`);
    this.name = 'MissingCommitError';
  }
}

/** As much as a document of MongoDB holds beside its other fields. Every log takes as much, so that one can be moved to another. */
export const MAXIMUM_COMMIT_BYTES = 15 << 20;

export interface AppendReceipt {
  /** How long storage took, microseconds, without the time until the event loop of the caller heard of it. */
  readonly durationUs: number;
}

export interface EventLog {
  readonly identity: LogIdentity;
  /** The largest commit that `append` takes; a larger one is refused with AppendFailedError. */
  readonly maximumCommitBytes: number;
  /** Resolves when the commit is durable; with a receipt where storage has a clock of its own. */
  append(commit: CommitToAppend): Promise<AppendReceipt | void>;
  /** Commits from `fromSequence` on, in order, without gaps; at most `maxCommits` and about `maxBytes` (at least one commit). Empty: nothing there. May throw MissingCommitError for a gap. */
  read(partition: number, fromSequence: number, page: { maxCommits: number; maxBytes: number }): Promise<CommitRecord[]>;
  /** The newest commit, or undefined for an empty partition. */
  head(partition: number): Promise<CommitRecord | undefined>;
  /**
   * Whether the log has the commit. Linearizable: an append that was acknowledged to any writer before the call is seen, even if the server
   * that is asked was deposed and does not know. For answers that are given without recording anything.
   */
  isTaken(partition: number, sequence: number): Promise<boolean>;
  /** Newest sequence of every partition (index = partition), 0 for empty ones. Cheap: polled by projectors. */
  headSequences(): Promise<number[]>;
  /** Repair: drops the commits from `sequence` on; resolves with how many were dropped. Only ever called by a person. */
  dropFrom(partition: number, sequence: number): Promise<number>;
  close(): Promise<void>;
}
