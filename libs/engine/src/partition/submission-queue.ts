/**
 * Submissions that wait for a turn of one partition: bounded in commands and bytes, in two lanes.
 *
 *   callers      what callers ask for; goes first; callers and aggregates have fair shares of it while it is contended
 *   background   what deliveries, timers and sweeps ask for; has an eighth of each turn at least, so that it is never starved
 *
 * Submissions that share an aggregate are decided in the order in which they came.
 */
import type { Submission } from '../capability';
import { Lane } from './lane';
import { MAXIMUM_SUBMISSION_BYTES, type PartitionLimits } from './limits';
import type { Waiting } from './waiting';

/** The part of a turn that the background has at least: one of so many. */
const BACKGROUND_SHARE = 8;

/** More commands wait than the queue may hold, and the submission is of the share that has most of it: nothing of the submission was taken. */
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

export class SubmissionQueue {
  /** Submissions that ever came. */
  submitted = 0;
  private readonly callers: Lane;
  private readonly background: Lane;

  constructor(
    private readonly partition: number,
    private readonly limits: PartitionLimits,
    /** What the submissions of one turn may record together. */
    private readonly commitRoomBytes: number,
  ) {
    this.callers = new Lane(limits, true);
    this.background = new Lane(limits, false);
  }

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

  /**
   * Throws QueueFullError or SubmissionTooLargeError. A full queue fails, in favour of the submission, what is of a larger share. `ready` is called when
   * the submission can be decided: at once, or after its preparation.
   */
  push(submission: Submission, ready: () => void): void {
    this.assertFits(submission);
    const lane = submission.background === true ? this.background : this.callers;
    const crowdedOut = lane.makeRoom(submission);
    if (crowdedOut === undefined) throw new QueueFullError(this.partition);
    this.submitted += 1;
    const waiting: Waiting = { submission, number: this.submitted, prepared: submission.prepared === undefined };
    lane.push(waiting);
    if (submission.prepared === undefined) ready();
    else void this.awaitPreparation(lane, waiting, submission.prepared, ready);
    for (const refused of crowdedOut) refused.fail('QUEUE_FULL');
  }

  /** Whether callers' submissions are taken by fair shares. */
  get contended(): boolean {
    return this.callers.contended;
  }

  /**
   * What is ready, within the limits of a turn and the largest commit of the log; the first submission may be larger than a turn.
   * @param share part of the limits of a turn.
   */
  take(share = 1): Submission[] {
    const turnCommands = Math.ceil(this.limits.turnCommands * share);
    const turnBytes = Math.ceil(this.limits.turnBytes * share);
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

  private assertFits({ commandCount, sizeBytes, recordBytes }: Submission): void {
    const { limits, partition, commitRoomBytes } = this;
    const mostBytes = Math.min(limits.queueBytes, MAXIMUM_SUBMISSION_BYTES);
    if (commandCount > limits.queueCommands || sizeBytes > mostBytes) {
      const most = `a partition takes ${limits.queueCommands} commands and ${mostBytes} bytes at once`;
      throw new SubmissionTooLargeError(partition, `the batch has ${commandCount} commands and ${sizeBytes} bytes for one partition; ${most}`);
    }
    if (recordBytes > commitRoomBytes)
      throw new SubmissionTooLargeError(partition, `the batch may record ${recordBytes} bytes; one commit has room for ${commitRoomBytes}`);
  }

  private async awaitPreparation(lane: Lane, waiting: Waiting, prepared: Promise<void>, ready: () => void): Promise<void> {
    await prepared;
    waiting.prepared = true;
    lane.preparationDone(waiting);
    ready();
  }
}
