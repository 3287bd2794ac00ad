/**
 * What can be asked of the projector, wherever it runs: in this thread (projector.ts) or in another one (thread/). The
 * services know nothing else.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { AggregateComparison, AggregateName, SetAside } from '@sluice/projections';
import type { LagPercentiles } from './lag-window';
import type { BlockedPartition } from './unreadable-commit';
import type { DayVerdict } from './verification/verify-day';

export interface PartitionStanding {
  readonly partition: number;
  /** Sequence up to which the read store has it; but for what is being filled. */
  readonly checkpoint: number;
  /** Projections that lack commits before the checkpoint, and up to where they are filled. */
  readonly filling: readonly { readonly projection: string; readonly sequence: number }[];
  /** Sequence of the log's newest commit. */
  readonly headSequence: number;
  /** From commit to read store, of the newest projected commit or of what waits, whichever is more; 0: nothing waits. */
  readonly lagUs: number;
  readonly heldHere: boolean;
  /** The commit that cannot be read, if this process holds the partition and stands still before one. */
  readonly blocked?: BlockedPartition | undefined;
}

export interface ProjectorStatus {
  readonly partitions: readonly PartitionStanding[];
  /** Name of the copy of the read collections in force. */
  readonly copy: string;
  readonly setAside: readonly SetAside[];
  /** Postings projected since the start. */
  readonly projectedPostings: number;
  readonly incarnation: string;
  readonly hottestAccount: string | undefined;
  /** Over the last half minute. */
  readonly lag: LagPercentiles;
}

export interface RebuildProgress {
  readonly doneCommits: number;
  readonly totalCommits: number;
  /** The copy is in force. */
  readonly switched: boolean;
  readonly copy: string;
}

export interface VerificationProgress {
  readonly doneCommits: number;
  readonly totalCommits: number;
  /** How many of each kind of thing were compared, like accounts and entries. */
  readonly compared: Readonly<Record<string, number>>;
  /** What differs, for people; at most 100. */
  readonly differences: readonly string[];
  readonly finished: boolean;
  readonly equal: boolean;
}

/** The comparison of one aggregate. */
export interface AggregateReport extends AggregateComparison {
  readonly equal: boolean;
  /** The fold went up to this sequence. */
  readonly sequence: number;
}

/** A rebuild runs already, here or in another process; or another process has begun one, and this one has stopped. */
export class RebuildRunningError extends Error {
  constructor(options?: { readonly cause: unknown }) {
    super('a rebuild is running already', options);
    this.name = 'RebuildRunningError';
  }
}

/** Neither the log nor the read store knows the aggregate. */
export class UnknownAggregateError extends Error {
  constructor(
    readonly aggregate: string,
    readonly key: string,
  ) {
    super(`there is no ${aggregate} "${key}"`);
    this.name = 'UnknownAggregateError';
  }
}

/** The read store did not reach the position that it is to be compared at. */
export class ProjectionBehindError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ProjectionBehindError';
  }
}

/** The projector's thread ended and is being started again. */
export class ProjectorDownError extends Error {
  constructor(cause?: Error) {
    super('the projector ended and is being started again', { cause });
    this.name = 'ProjectorDownError';
  }
}

export type Report<Progress> = (progress: Progress) => void;

export interface ProjectorControl {
  status(): Promise<ProjectorStatus>;
  /** Fills a fresh copy and puts it in force; goes on when nobody listens any more. Throws RebuildRunningError. */
  rebuild(report: Report<RebuildProgress>): Promise<void>;
  /** Folds the whole log and compares it with the read store; the last report is the result. Throws ProjectionBehindError. */
  verifyAll(report: Report<VerificationProgress>, signal: AbortSignal): Promise<void>;
  /** Compares one aggregate of the projection of that name. Throws UnknownAggregateError or ProjectionBehindError. */
  verifyAggregate(projection: string, name: AggregateName, signal: AbortSignal): Promise<AggregateReport>;
  /** Proves a business date of a branch from the log; the read store is not asked. */
  verifyDay(branchId: string, date: CalendarDate, signal: AbortSignal): Promise<DayVerdict>;
  stop(): Promise<void>;
}
