/**
 * The order of a lane that is not contended: submissions are taken in the order in which they came, but for one case. A submission that still waits for
 * its preparation (a look-up on disk, a signature check on another thread) lets later ones pass that touch none of its aggregates:
 *
 *   held ──prepared, and no earlier held one touches an aggregate of it──▶ ready ──▶ taken
 *
 * So the order per aggregate stays, and one slow look-up costs the others nothing. What is not held costs one place in an array.
 */
import type { Submission } from '../capability';
import type { CommitRoom, Room, Waiting, WaitingOrder } from './waiting';

/** Taken submissions that stay at the front of the array before it is cut. */
const CUT_AFTER = 1_024;

export class ArrivalOrder implements WaitingOrder {
  private ready: Waiting[] = [];
  private head = 0;
  /** Not prepared, or behind one that is not and touches one of its aggregates; in the order in which they came. */
  private held: Waiting[] = [];
  /** Aggregates of held submissions, by hash. */
  private heldAggregates = new Set<number>();
  /** A held submission does not say what it touches: everything behind it waits. */
  private heldBarrier = false;
  /** A preparation has ended since the held ones were looked at. */
  private stale = false;

  get empty(): boolean {
    return this.head === this.ready.length && this.held.length === 0;
  }

  get hasReady(): boolean {
    if (this.stale) this.release();
    return this.head < this.ready.length;
  }

  get oldest(): number {
    let oldest = this.held[0]?.number ?? Number.POSITIVE_INFINITY;
    // A submission that was released late stands behind younger ones.
    for (let at = this.head; at < this.ready.length; at += 1) oldest = Math.min(oldest, (this.ready[at] as Waiting).number);
    return oldest;
  }

  push(waiting: Waiting): void {
    if (waiting.prepared && (this.held.length === 0 || !this.isBehindHeld(waiting.submission))) this.ready.push(waiting);
    else this.hold(waiting);
  }

  preparationDone(): void {
    this.stale = true;
  }

  take(taken: Submission[], room: Room, commit: CommitRoom): void {
    if (this.stale) this.release();
    while (this.head < this.ready.length) {
      const { submission } = this.ready[this.head] as Waiting;
      if (!fits(submission, taken, room, commit)) break;
      room.commands -= submission.commandCount;
      room.bytes -= submission.sizeBytes;
      this.takeOne(taken, commit);
    }
  }

  takeOne(taken: Submission[], commit: CommitRoom): void {
    const waiting = this.ready[this.head];
    if (waiting === undefined || waiting.submission.recordBytes > commit.bytes) return;
    commit.bytes -= waiting.submission.recordBytes;
    this.head += 1;
    taken.push(waiting.submission);
    if (this.head > CUT_AFTER || this.head === this.ready.length) {
      this.ready = this.head === this.ready.length ? [] : this.ready.slice(this.head);
      this.head = 0;
    }
  }

  clear(): Waiting[] {
    const waiting = [...this.ready.slice(this.head), ...this.held];
    this.ready = [];
    this.head = 0;
    this.forgetHeld();
    return waiting;
  }

  /** Lets go on what is prepared and no longer behind a held submission. */
  private release(): void {
    const { held } = this;
    this.stale = false;
    this.forgetHeld();
    for (const waiting of held) this.push(waiting);
  }

  private hold(waiting: Waiting): void {
    this.held.push(waiting);
    const aggregates = waiting.submission.aggregates?.();
    if (aggregates === undefined) this.heldBarrier = true;
    else for (const aggregate of aggregates) this.heldAggregates.add(aggregate);
  }

  private isBehindHeld(submission: Submission): boolean {
    const aggregates = this.heldBarrier ? undefined : submission.aggregates?.();
    if (aggregates === undefined) return true;
    for (const aggregate of aggregates) if (this.heldAggregates.has(aggregate)) return true;
    return false;
  }

  private forgetHeld(): void {
    this.held = [];
    this.heldAggregates = new Set();
    this.heldBarrier = false;
  }
}

function fits({ commandCount, sizeBytes, recordBytes }: Submission, taken: readonly Submission[], room: Room, commit: CommitRoom): boolean {
  return recordBytes <= commit.bytes && (taken.length === 0 || (commandCount <= room.commands && sizeBytes <= room.bytes));
}
