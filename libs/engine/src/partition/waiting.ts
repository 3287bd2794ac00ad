/** A submission that waits for a turn, and the orders in which a lane may hold it. */
import type { Submission } from '../capability';
import type { Place } from './place';

export interface Waiting {
  readonly submission: Submission;
  /** Counts the submissions of the partition. */
  readonly number: number;
  prepared: boolean;
  /** Where it stands in a contended lane. */
  place?: Place | undefined;
}

/** What is left of a turn while it is filled. */
export interface Room {
  commands: number;
  bytes: number;
}

/** What is left of the commit while a turn is filled. */
export interface CommitRoom {
  bytes: number;
}

/** The order in which what waits in a lane is taken. Every order keeps the order per aggregate. */
export interface WaitingOrder {
  readonly empty: boolean;
  /** Whether a turn would find a submission that can be decided. */
  readonly hasReady: boolean;
  /** Number of the oldest submission that waits; Infinity: none does. */
  readonly oldest: number;
  push(waiting: Waiting): void;
  /** The preparation of a submission has ended; the submission may have left meanwhile. */
  preparationDone(waiting: Waiting): void;
  /** Takes ready submissions while there is room; the very first of a turn whatever its size. */
  take(taken: Submission[], room: Room, commit: CommitRoom): void;
  /** Takes the next one whatever its size, if the commit has room for it. */
  takeOne(taken: Submission[], commit: CommitRoom): void;
  /** Empties it and returns what waited, ready or not. */
  clear(): Waiting[];
}
