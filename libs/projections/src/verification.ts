/**
 * How the rows of a projection are compared with the log: the log is folded once more, by code that shares no decoding of events and no
 * fold with the projection, and what comes out must be what the readers of the rows say. The projector drives it and reads the log.
 *
 * Both go on meanwhile. So the rows are captured first, each with the sequence that it reflects, and the log is folded for each aggregate
 * up to that sequence; none is older than the log's head was before.
 *
 *   partition(scope)        captures the rows of a partition
 *   take(commit) …          the commits 1 to `last`
 *   compare()               what was compared, and which aggregates may differ
 *   aggregate(scope, name)  the same for one of these: what differs
 */
import type { ReadCopy } from '@sluice/ports';
import type { DecodedCommit } from '@sluice/protocol';
import type { PauseBetweenReads } from './torn-read';

export interface AggregateName {
  /** Kind of aggregate, like "account". */
  readonly aggregate: string;
  readonly key: string;
}

export interface VerificationScope {
  readonly copy: ReadCopy;
  /** Id of the projection. */
  readonly projection: string;
  readonly partition: number;
  /** The rows are at least as new as this sequence. */
  readonly head: number;
  /** What a reader waits by when it meets rows of two moments. */
  readonly pause: () => PauseBetweenReads;
  readonly signal: AbortSignal;
}

/** Folds the partition's log. */
export interface VerifyingFold {
  /** The newest sequence that a captured row reflects; at least the scope's head. */
  readonly last: number;
  take(commit: DecodedCommit): void;
}

export interface PartitionVerification extends VerifyingFold {
  compare(): Promise<PartitionComparison>;
}

export interface PartitionComparison {
  /** How many of each kind of thing were compared, like accounts and entries. */
  readonly compared: Readonly<Record<string, number>>;
  /** What is wrong with the partition as a whole, for people. */
  readonly faults: readonly string[];
  /** What may differ: each is compared on its own. */
  readonly suspicious: readonly AggregateName[];
}

export interface AggregateVerification extends VerifyingFold {
  /** Undefined: neither the log nor the read store knows it. */
  compare(): Promise<AggregateComparison | undefined>;
}

export interface AggregateComparison {
  /** What differs, for people; empty: nothing. */
  readonly differences: readonly string[];
  /** Figures as the log and the read store have them, for people. */
  readonly figures: Readonly<Record<string, ComparedFigure>>;
}

export interface ComparedFigure {
  readonly log: bigint;
  readonly read: bigint;
}

/** A kind of aggregates that can be compared one by one. */
export interface VerifiedKind {
  /** Like "account". */
  readonly aggregate: string;
  /** The part of a key whose hash says in which partition the aggregate is. */
  readonly partitionKey: (key: string) => string;
  /** True: that part is hashed whole, braces included. */
  readonly wholeKey?: boolean;
}

export interface ProjectionVerification {
  /** The first one is what the capability is about. */
  readonly kinds: readonly VerifiedKind[];
  partition(scope: VerificationScope): Promise<PartitionVerification>;
  aggregate(scope: VerificationScope, name: AggregateName): Promise<AggregateVerification>;
}
