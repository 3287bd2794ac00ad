/**
 * Submissions that wait for a turn of one partition: bounded in commands and bytes, taken in the order in which they came.
 */
import type { Submission } from '../capability';
import type { PartitionLimits } from './limits';

/** Taken submissions that stay at the front of the array before it is cut. */
const CUT_AFTER = 1_024;

/** More commands wait than the queue may hold: nothing of the submission was taken. */
export class QueueFullError extends Error {
  constructor(readonly partition: number) {
    super(`partition ${partition}: the queue is full`);
    this.name = 'QueueFullError';
  }
}

export class SubmissionQueue {
  /** Waiting commands and their bytes. */
  commands = 0;
  bytes = 0;
  /** Submissions that ever came, and those that ever left. */
  submitted = 0;
  taken = 0;
  private submissions: Submission[] = [];
  private head = 0;
  /** Submissions whose preparation is done. */
  private readonly prepared = new WeakSet<Submission>();

  constructor(
    private readonly partition: number,
    private readonly limits: PartitionLimits,
  ) {}

  get empty(): boolean {
    return this.head === this.submissions.length;
  }

  /** Throws QueueFullError. `ready` is called when the submission can be decided: at once, or after its preparation. */
  push(submission: Submission, ready: () => void): void {
    const { limits } = this;
    if (this.commands + submission.commandCount > limits.queueCommands || this.bytes + submission.sizeBytes > limits.queueBytes) {
      throw new QueueFullError(this.partition);
    }
    this.submissions.push(submission);
    this.submitted += 1;
    this.commands += submission.commandCount;
    this.bytes += submission.sizeBytes;
    if (submission.prepared === undefined) ready();
    else void this.awaitPreparation(submission, submission.prepared, ready);
  }

  /** What is ready at the head of the queue, within the limits of a turn; one submission may be larger than they are. */
  take(): Submission[] {
    const { limits } = this;
    const taken: Submission[] = [];
    let commands = 0;
    let bytes = 0;
    while (this.head < this.submissions.length) {
      const submission = this.submissions[this.head] as Submission;
      if (submission.prepared !== undefined && !this.prepared.has(submission)) break;
      if (taken.length > 0 && (commands + submission.commandCount > limits.turnCommands || bytes + submission.sizeBytes > limits.turnBytes)) break;
      this.head += 1;
      commands += submission.commandCount;
      bytes += submission.sizeBytes;
      taken.push(submission);
    }
    this.commands -= commands;
    this.bytes -= bytes;
    this.taken += taken.length;
    if (this.head > CUT_AFTER || this.empty) {
      this.submissions = this.empty ? [] : this.submissions.slice(this.head);
      this.head = 0;
    }
    return taken;
  }

  /** Empties the queue and returns what waited in it, ready or not. */
  clear(): Submission[] {
    const waiting = this.submissions.slice(this.head);
    this.submissions = [];
    this.head = 0;
    this.commands = 0;
    this.bytes = 0;
    this.taken = this.submitted;
    return waiting;
  }

  private async awaitPreparation(submission: Submission, prepared: Promise<void>, ready: () => void): Promise<void> {
    await prepared;
    this.prepared.add(submission);
    ready();
  }
}
