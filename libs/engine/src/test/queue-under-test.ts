/** A queue of submissions that tell nothing but what they touch and how large they are. */
import type { Submission, SubmissionFailure } from '../capability';
import { DEFAULT_LIMITS, type PartitionLimits } from '../partition/limits';
import { SubmissionQueue } from '../partition/submission-queue';

export interface Given {
  readonly name: string;
  /** Undefined: it may touch any. */
  readonly aggregates?: readonly number[] | undefined;
  readonly caller?: string;
  readonly commands?: number;
  readonly bytes?: number;
  readonly background?: boolean;
  readonly slow?: boolean;
}

export class WaitingSubmission implements Submission {
  readonly name: string;
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly background: boolean;
  readonly caller: Submission['caller'];
  readonly prepared: Promise<void> | undefined;
  failure: SubmissionFailure | undefined;
  prepare = (): void => undefined;

  constructor({ name, aggregates, caller, commands = 1, bytes = 1, background = false, slow = false }: Given) {
    this.name = name;
    this.commandCount = commands;
    this.sizeBytes = bytes;
    this.recordBytes = bytes;
    this.background = background;
    this.caller = caller === undefined ? undefined : { identity: caller };
    if (slow) this.prepared = new Promise((resolve) => (this.prepare = resolve));
    if (aggregates !== undefined) this.aggregates = () => aggregates;
  }

  aggregates?: () => readonly number[];
  decide(): void {}
  settle(): void {}

  fail(failure: SubmissionFailure): void {
    this.failure = failure;
  }
}

export class QueueUnderTest {
  readonly queue: SubmissionQueue;
  private readonly submissions = new Map<string, WaitingSubmission>();

  constructor(limits: Partial<PartitionLimits> = {}, commitRoomBytes = Number.POSITIVE_INFINITY) {
    this.queue = new SubmissionQueue(0, { ...DEFAULT_LIMITS, ...limits }, commitRoomBytes);
  }

  /** Throws what the queue throws. */
  push(given: Given): void {
    const submission = new WaitingSubmission(given);
    this.queue.push(submission, () => undefined);
    this.submissions.set(given.name, submission);
  }

  /** Ends the preparation of a slow one. */
  async prepare(name: string): Promise<void> {
    const submission = this.submissions.get(name);
    submission?.prepare();
    await submission?.prepared;
    await Promise.resolve();
  }

  /** The names of what the next turn takes. */
  take(): string[] {
    return this.queue.take().map((submission) => (submission as WaitingSubmission).name);
  }

  takeAll(): string[] {
    const taken: string[] = [];
    for (let turn = this.take(); turn.length > 0; turn = this.take()) taken.push(...turn);
    return taken;
  }

  /** The names of those that were refused after they had been taken in. */
  get crowdedOut(): string[] {
    return [...this.submissions.values()].filter(({ failure }) => failure === 'QUEUE_FULL').map(({ name }) => name);
  }
}
