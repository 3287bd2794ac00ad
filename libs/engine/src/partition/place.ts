/** Where a submission stands in a contended lane: which submissions go before it, and whose share it takes. */
import { Rank } from './ranked-heap';
import type { CallerShare, KeyShare } from './shares';
import type { Waiting } from './waiting';

/** The submissions between two that may touch any aggregate, the one at its beginning included. */
export interface Stretch {
  /** Submissions of it that have not left. */
  open: number;
  /** The submission at its beginning that may touch any aggregate; undefined: there is none, or it has left. */
  opening: Place | undefined;
  /** The submission that waits until the stretch is empty. */
  closing: Place | undefined;
}

export class Place {
  /** False: it was refused. What follows it on an aggregate still waits for what was before it. */
  waits = true;
  /** What has to leave, or to happen, before it can be taken. */
  blockers = 0;
  /** Distinct ones, but for repeats that do not lie side by side. */
  aggregates: readonly number[] = [];
  readonly followers: Place[] = [];
  stretch!: Stretch;
  key!: KeyShare;
  /** The one that it touches; undefined: several, or any. */
  aggregate: number | undefined;
  /** Among those of its caller that can be taken. */
  readonly turn: Rank<Place>;
  /** Among all that can be taken. */
  readonly age: Rank<Place>;

  constructor(
    readonly waiting: Waiting,
    readonly caller: CallerShare,
    /** Commands, or what its bytes are worth in commands if that is more. */
    readonly cost: number,
  ) {
    this.turn = new Rank<Place>(this, waiting.number);
    this.age = new Rank<Place>(this, waiting.number);
  }
}
