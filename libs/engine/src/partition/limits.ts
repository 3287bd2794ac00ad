import type { EventLog } from '@sluice/ports';
import { SEGMENT_IDS } from '../request-index/segment';

/** Limits of the hot path, in one place. */
export interface PartitionLimits {
  /** Commands that may wait at a partition. */
  readonly queueCommands: number;
  readonly queueBytes: number;
  /** Commands and bytes of one turn. */
  readonly turnCommands: number;
  readonly turnBytes: number;
  /** Commands that must wait for the next turn to be decided while a commit is still on its way to the disk. */
  readonly decideAheadCommands: number;
  /** Log bytes after which a snapshot is taken (at least; it grows with the snapshot's own size). */
  readonly snapshotBytes: number;
  /** Commits after which a snapshot is taken, however small they are: a log is read commit by commit. */
  readonly snapshotCommits: number;
  /** Commits that stay in memory for repeats and for the bus. */
  readonly recentBytes: number;
  /** Memory of the request-id filters of one partition. */
  readonly filterBytes: number;
  /** Newest request ids of one partition that stay in memory: more are written to a run, by a snapshot or while the log is replayed. */
  readonly segmentIds: number;
  /** Bytes of one batch of deliveries. */
  readonly deliveryBatchBytes: number;
  /** How long memory is kept while the outcome of an append is unknown, and its callers wait; 0: it is dropped at once. */
  readonly doubtMs: number;
}

const MEBIBYTE = 1 << 20;
/** What a commit has beside the records of its turn: header, checksum, 32 traceparents. */
const COMMIT_FRAME_BYTES = 4 << 10;

/** What the submissions of one turn may record together. */
export function commitRoomBytes({ maximumCommitBytes }: Pick<EventLog, 'maximumCommitBytes'>): number {
  return maximumCommitBytes - COMMIT_FRAME_BYTES;
}

/**
 * Bytes of one submission: its commit has to fit one record of the log (15 MiB on MongoDB), together with what it adds to each of 10,000 commands
 * (balances, and the header of an account).
 */
export const MAXIMUM_SUBMISSION_BYTES = 12 * MEBIBYTE;

export const DEFAULT_LIMITS: PartitionLimits = {
  queueCommands: 50_000,
  queueBytes: 32 * MEBIBYTE,
  turnCommands: 10_000,
  turnBytes: 4 * MEBIBYTE,
  decideAheadCommands: 500,
  snapshotBytes: 48 * MEBIBYTE,
  snapshotCommits: 20_000,
  recentBytes: 16 * MEBIBYTE,
  filterBytes: 64 * MEBIBYTE,
  segmentIds: SEGMENT_IDS,
  deliveryBatchBytes: MEBIBYTE,
  doubtMs: 30_000,
};
