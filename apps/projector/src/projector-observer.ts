/** What the projector tells whoever measures it. */
import type { SetAside } from '@sluice/projections';
import type { BlockedPartition } from './unreadable-commit';

export interface FlushReport {
  readonly partition: number;
  readonly commitCount: number;
  readonly lastSequence: number;
  /** Commit times of the first and the last commit. */
  readonly oldestUs: number;
  readonly newestUs: number;
  /** Traceparent of the span that published the newest of them, if it was sampled. */
  readonly publishTraceparent: string | undefined;
  /** Traceparents of the requests in them, at most 32. */
  readonly traceparents: readonly string[];
  /** Postings in them, refusals included. */
  readonly postings: number;
  /** The account with the most postings in them. */
  readonly busiest: { readonly key: string; readonly postings: number } | undefined;
  /** Rows written. */
  readonly writes: number;
  /** When the work on it began, when writing began, and when the read store had it; microseconds since the epoch. */
  readonly startUs: number;
  readonly writeStartUs: number;
  readonly endUs: number;
}

export interface ProjectorObserver {
  flushed(report: FlushReport): void;
  setAside(aside: SetAside): void;
  /** The bus brought a commit that was changed, or that is not the one that the log has next; the log is read instead. */
  busCommitDiscarded(partition: number, error: Error): void;
  /** A commit of the partition cannot be read: it stands still before it. Told with every look at it. */
  blocked(blocked: BlockedPartition): void;
  /** The partition goes on, or another process has it. */
  unblocked(partition: number): void;
  /** Something went wrong that the projector recovers from, or tries to. */
  trouble(partition: number, what: string, error: unknown): void;
}

export const SILENT_PROJECTOR_OBSERVER: ProjectorObserver = {
  flushed: () => undefined,
  setAside: () => undefined,
  busCommitDiscarded: () => undefined,
  blocked: () => undefined,
  unblocked: () => undefined,
  trouble: () => undefined,
};
