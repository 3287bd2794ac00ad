/**
 * Submissions that wait for a turn of one partition: bounded in commands and bytes, in two lanes.
 *
 *   callers      what callers ask for; goes first
 *   background   what deliveries, timers and sweeps ask for; has an eighth of each turn at least, so that it is never starved
 *
 * A lane keeps the order in which submissions came, but for one case. A submission that still waits for its preparation (a look-up on disk,
 * a signature check on another thread) lets later ones pass that touch none of its aggregates:
 *
 *   held ──prepared, and no earlier held one touches an aggregate of it──▶ ready ──▶ taken
 *
 * So the order per aggregate stays, and one slow look-up costs the others nothing.
 */
import type { Submission } from '../capability';
import { MAXIMUM_SUBMISSION_BYTES, type PartitionLimits } from './limits';

/** Taken submissions that stay at the front of the array before it is cut. */
const CUT_AFTER = 1_024;
/** The part of a turn that the background has at least: one of so many. */
const BACKGROUND_SHARE = 8;

/** More commands wait than the queue may hold: nothing of the submission was taken. */
export class QueueFullError extends Error {
  constructor(readonly partition: number) {
    super(`partition ${partition}: the queue is full`);
    this.name = 'QueueFullError';
  }
}

/** The submission can never be taken, however empty the queue: it is larger than the queue, or than one commit may be. */
export class SubmissionTooLargeError extends Error {
  constructor(
    readonly partition: number,
    what: string,
  ) {
    super(`${what}; send smaller batches`);
    this.name = 'SubmissionTooLargeError';
  }
}

interface Waiting {
  readonly submission: Submission;
  /** Counts the submissions of the partition. */
  readonly number: number;
  prepared: boolean;
}

/** What is left of the commit while a turn is filled. */
interface CommitRoom {
  bytes: number;
}

/** What is left of a turn while it is filled. */
interface Room {
  commands: number;
  bytes: number;
}

export class SubmissionQueue {
  /** Submissions that ever came. */
  submitted = 0;
  private readonly callers = new Lane();
  private readonly background = new Lane();

  constructor(
    private readonly partition: number,
    private readonly limits: PartitionLimits,
    /** What the submissions of one turn may record together. */
    private readonly commitRoomBytes: number,
  ) {}

  /** Waiting commands. */
  get commands(): number {
    return this.callers.commands + this.background.commands;
  }

  get empty(): boolean {
    return this.callers.empty && this.background.empty;
  }

  /** Whether a turn would find a submission that can be decided. */
  get hasReady(): boolean {
    return this.callers.hasReady || this.background.hasReady;
  }

  /** Whether every one of the first `submitted` submissions has been taken or failed. */
  hasTaken(submitted: number): boolean {
    return this.callers.oldest > submitted && this.background.oldest > submitted;
  }

  /** Throws QueueFullError or SubmissionTooLargeError. `ready` is called when the submission can be decided: at once, or after its preparation. */
  push(submission: Submission, ready: () => void): void {
    const { limits } = this;
    const { commandCount, sizeBytes } = submission;
    const mostBytes = Math.min(limits.queueBytes, MAXIMUM_SUBMISSION_BYTES);
    if (commandCount > limits.queueCommands || sizeBytes > mostBytes) {
      const most = `a partition takes ${limits.queueCommands} commands and ${mostBytes} bytes at once`;
      throw new SubmissionTooLargeError(this.partition, `the batch has ${commandCount} commands and ${sizeBytes} bytes for one partition; ${most}`);
    }
    if (submission.recordBytes > this.commitRoomBytes) {
      throw new SubmissionTooLargeError(
        this.partition,
        `the batch may record ${submission.recordBytes} bytes; one commit has room for ${this.commitRoomBytes}`,
      );
    }
    const lane = submission.background === true ? this.background : this.callers;
    if (lane.commands + commandCount > limits.queueCommands || lane.bytes + sizeBytes > limits.queueBytes) {
      throw new QueueFullError(this.partition);
    }
    this.submitted += 1;
    const waiting = { submission, number: this.submitted, prepared: submission.prepared === undefined };
    lane.push(waiting);
    if (submission.prepared === undefined) ready();
    else void this.awaitPreparation(lane, waiting, submission.prepared, ready);
  }

  /** What is ready, within the limits of a turn and the largest commit of the log; the first submission may be larger than a turn. */
  take(): Submission[] {
    const { turnCommands, turnBytes } = this.limits;
    const taken: Submission[] = [];
    const room = { commands: turnCommands, bytes: turnBytes };
    const commit = { bytes: this.commitRoomBytes };
    if (!this.background.hasReady) {
      this.callers.take(taken, room, commit);
      return taken;
    }
    const kept = { commands: Math.ceil(turnCommands / BACKGROUND_SHARE), bytes: Math.ceil(turnBytes / BACKGROUND_SHARE) };
    const forCallers = { commands: room.commands - kept.commands, bytes: room.bytes - kept.bytes };
    this.callers.take(taken, forCallers, commit);
    const left = { commands: kept.commands + Math.max(0, forCallers.commands), bytes: kept.bytes + Math.max(0, forCallers.bytes) };
    const before = taken.length;
    this.background.take(taken, left, commit);
    // A background submission that is larger than its share goes alone rather than never.
    if (taken.length === before) this.background.takeOne(taken, commit);
    return taken;
  }

  /** Empties the queue and returns what waited in it, ready or not, in the order in which it came. */
  clear(): Submission[] {
    const waiting = [...this.callers.clear(), ...this.background.clear()];
    return waiting.sort((left, right) => left.number - right.number).map(({ submission }) => submission);
  }

  private async awaitPreparation(lane: Lane, waiting: Waiting, prepared: Promise<void>, ready: () => void): Promise<void> {
    await prepared;
    waiting.prepared = true;
    lane.preparationDone();
    ready();
  }
}

class Lane {
  commands = 0;
  bytes = 0;
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

  /** Number of the oldest submission that waits; Infinity: none does. */
  get oldest(): number {
    let oldest = this.held[0]?.number ?? Number.POSITIVE_INFINITY;
    // A submission that was released late stands behind younger ones.
    for (let at = this.head; at < this.ready.length; at += 1) oldest = Math.min(oldest, (this.ready[at] as Waiting).number);
    return oldest;
  }

  push(waiting: Waiting): void {
    this.commands += waiting.submission.commandCount;
    this.bytes += waiting.submission.sizeBytes;
    if (waiting.prepared && (this.held.length === 0 || !this.isBehindHeld(waiting.submission))) this.ready.push(waiting);
    else this.hold(waiting);
  }

  preparationDone(): void {
    this.stale = true;
  }

  /** Takes ready submissions while there is room for them; the very first of a turn whatever its size. */
  take(taken: Submission[], room: Room, commit: CommitRoom): void {
    if (this.stale) this.release();
    while (this.head < this.ready.length) {
      const { submission } = this.ready[this.head] as Waiting;
      if (taken.length > 0 && (submission.commandCount > room.commands || submission.sizeBytes > room.bytes)) break;
      if (submission.recordBytes > commit.bytes) break;
      room.commands -= submission.commandCount;
      room.bytes -= submission.sizeBytes;
      this.takeOne(taken, commit);
    }
  }

  /** Takes the next one if the commit has room for it. */
  takeOne(taken: Submission[], commit: CommitRoom): void {
    const waiting = this.ready[this.head];
    if (waiting === undefined || waiting.submission.recordBytes > commit.bytes) return;
    commit.bytes -= waiting.submission.recordBytes;
    this.head += 1;
    this.commands -= waiting.submission.commandCount;
    this.bytes -= waiting.submission.sizeBytes;
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
    this.commands = 0;
    this.bytes = 0;
    this.forgetHeld();
    return waiting;
  }

  /** Lets go on what is prepared and no longer behind a held submission. */
  private release(): void {
    const { held } = this;
    this.stale = false;
    this.forgetHeld();
    for (const waiting of held) {
      if (waiting.prepared && (this.held.length === 0 || !this.isBehindHeld(waiting.submission))) this.ready.push(waiting);
      else this.hold(waiting);
    }
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
