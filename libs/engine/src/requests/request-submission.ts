/**
 * Requests of one caller for one partition, each with an id that has one answer for ever.
 *
 *   open ──[may be old: looked up on disk]──▶ in a turn ──new──▶ decided, recorded
 *    ▲                                           └──suspect──▶ its commit is read ──the same request──▶ answered from it
 *    └────────the commit does not hold it: submitted again, without that commit────┘  └──another body──▶ refused
 *
 * What memory or the disk knows about a request id makes a request a *suspect*: it is taken out of the turn and answered from the commit
 * that holds the first one, once that is durable. A repeat never changes state, so nothing has to wait for it. A suspect that turns out to
 * be new (hashes collided) is submitted again, a bounded number of times; what a pass has ruled out stays ruled out.
 *
 * A subclass says where its items are: in the columns of a batch, or in an array. An item keeps its number when it is submitted again.
 */
import type { Submission, SubmissionCaller, SubmissionFailure } from '../capability';
import { TurnLostError } from '../partition/commits';
import type { Partition } from '../partition/partition';
import { QueueFullError, SubmissionTooLargeError } from '../partition/submission-queue';
import type { Turn } from '../partition/turn';
import type { RequestIndex } from '../request-index/request-index';

/** Why the partition did not decide a request. Nothing of it is recorded, or nobody knows. */
export type RequestRefusal = SubmissionFailure | 'BATCH_TOO_LARGE' | 'INTERNAL';

/**
 * How often requests are submitted because commits did not hold them. Hashes do not collide so often by chance, and callers cannot make them
 * collide; the bound is for what nobody thought of.
 */
const MAXIMUM_PASSES = 8;

/** Look-ups of one submission before the event loop runs: each reads blocks of 64 KiB. */
const LOOK_UPS_PER_ROUND = 16;

interface Suspect {
  readonly item: number;
  /** Commits that may hold the first request. */
  readonly sequences: readonly number[];
}

/** Commits that were read and do not hold the request, by item. */
type RuledOut = Map<number, ReadonlySet<number>>;

export abstract class RequestSubmission implements Submission {
  abstract readonly commandCount: number;
  abstract readonly sizeBytes: number;
  abstract readonly recordBytes: number;
  abstract readonly prepared: Promise<void> | undefined;
  caller: SubmissionCaller | undefined = undefined;
  /** Highest sequence that the answers depend on. */
  sequence = 0;
  /** The partition went to another instance before the requests were decided, or before their commit was durable. */
  notOwner = false;
  /** A look-up or a check failed: without it a repeat might be done twice, so nothing of the submission is decided. */
  private unusable = false;
  private suspects: Suspect[] | undefined;
  private ruledOut: RuledOut | undefined;
  private pass = 1;
  /** Commits that the disk has for the request of an item. */
  private old: Map<number, readonly number[]> | undefined;
  private readonly index: RequestIndex;

  protected constructor(
    readonly partition: Partition,
    private readonly done: () => void,
    readonly traceparent?: string,
  ) {
    this.index = partition.index;
  }

  // ---- the items ----

  /** Number of the item at a position, 0 to commandCount - 1. */
  abstract itemAt(position: number): number;
  /** Whether the item has no verdict and no refusal yet. */
  protected abstract isOpen(item: number): boolean;
  protected abstract firstHash(item: number): number;
  protected abstract secondHash(item: number): number;
  /** Decides the open items; calls `setAside` for each before anything else. */
  protected abstract decideItems(turn: Turn): void;
  /** Answers the item from the commit, or refuses it as a reuse of its id. False: the commit does not hold it. */
  protected abstract answerFrom(item: number, sequence: number): Promise<boolean>;
  protected abstract refuse(item: number, refusal: RequestRefusal, message?: string): void;
  /** A submission of these items for the state as it is now: that may have been loaded anew since. */
  protected abstract again(items: readonly number[], done: () => void): RequestSubmission;
  protected abstract trouble(what: string, error: unknown): void;
  abstract aggregates(): Iterable<number>;

  // ---- the partition's side ----

  /** Hands it to the partition; refuses the open items if that takes no more. */
  submit(caller?: SubmissionCaller): void {
    this.caller = caller;
    try {
      this.partition.submit(this);
    } catch (error) {
      if (error instanceof SubmissionTooLargeError) this.refuseOpen('BATCH_TOO_LARGE', error.message);
      else if (error instanceof QueueFullError) this.refuseOpen('QUEUE_FULL');
      else throw error;
      this.done();
    }
  }

  decide(turn: Turn): void {
    if (this.unusable) this.refuseOpen('PARTITION_UNAVAILABLE');
    else this.decideItems(turn);
  }

  settle(sequence: number): void {
    this.sequence = sequence;
    if (this.suspects === undefined) this.done();
    else this.answerSuspects(this.suspects).catch((error: unknown) => this.broke(error));
  }

  fail(failure: SubmissionFailure): void {
    this.notOwner = failure === 'NOT_OWNER';
    for (let position = 0; position < this.commandCount; position += 1) this.refuse(this.itemAt(position), failure);
    this.done();
  }

  // ---- repeats ----

  get hasSuspects(): boolean {
    return this.suspects !== undefined;
  }

  /** Whether the request may have been answered before: then it leaves the turn and is answered from the commit that has it. */
  setAside(item: number, first: number, second: number): boolean {
    const old = this.old?.get(item);
    if (old === undefined && this.index.recent(first, second) === 0) return false;
    const ruledOut = this.ruledOut?.get(item);
    const sequences = [...this.index.allRecent(first, second), ...(old ?? [])].filter((sequence) => !ruledOut?.has(sequence));
    if (sequences.length === 0) return false;
    (this.suspects ??= []).push({ item, sequences });
    return true;
  }

  private async answerSuspects(suspects: readonly Suspect[]): Promise<void> {
    const ruledOut: RuledOut = new Map(this.ruledOut);
    // All at once, so that what stands in one commit is looked for together.
    await Promise.all(suspects.map((suspect) => this.answerSuspect(suspect, ruledOut)));
    this.submitAgain(this.openItems(), ruledOut);
  }

  private async answerSuspect({ item, sequences }: Suspect, ruledOut: RuledOut): Promise<void> {
    try {
      if (await this.answerFromOneOf(item, sequences)) return;
      ruledOut.set(item, new Set([...(this.ruledOut?.get(item) ?? []), ...sequences]));
    } catch (error) {
      if (!(error instanceof TurnLostError)) this.trouble('a repeat could not be looked up', error);
      this.refuse(item, 'PARTITION_UNAVAILABLE');
    }
  }

  private async answerFromOneOf(item: number, sequences: readonly number[]): Promise<boolean> {
    for (const sequence of sequences) {
      if (!(await this.answerFrom(item, sequence))) continue;
      this.sequence = Math.max(this.sequence, sequence);
      return true;
    }
    return false;
  }

  /** A fault of the program in an answer must not end the process. */
  private broke(error: unknown): void {
    this.trouble('a repeat could not be answered', error);
    try {
      this.refuseOpen('INTERNAL');
      this.done();
    } catch (again) {
      this.trouble('a repeat could not be refused', again);
    }
  }

  private submitAgain(items: readonly number[], ruledOut: RuledOut): void {
    if (items.length === 0) {
      this.done();
      return;
    }
    if (this.partition.state !== 'serving' || this.pass === MAXIMUM_PASSES) {
      for (const item of items) this.refuse(item, 'PARTITION_UNAVAILABLE');
      this.done();
      return;
    }
    const again = this.again(items, () => {
      this.sequence = Math.max(this.sequence, again.sequence);
      this.done();
    });
    again.ruledOut = ruledOut;
    again.pass = this.pass + 1;
    again.submit(this.caller);
  }

  private openItems(): number[] {
    const open: number[] = [];
    for (let position = 0; position < this.commandCount; position += 1) {
      const item = this.itemAt(position);
      if (this.isOpen(item)) open.push(item);
    }
    return open;
  }

  private refuseOpen(refusal: RequestRefusal, message?: string): void {
    for (const item of this.openItems()) this.refuse(item, refusal, message);
  }

  // ---- before the turn ----

  /**
   * Looks up what the disk may have. Undefined: nothing has to be waited for.
   *
   * @param checks what else the decision needs.
   */
  protected prepare(checks?: Promise<void>): Promise<void> | undefined {
    const { index } = this;
    let lookUps: number[] | undefined;
    for (let position = 0; position < this.commandCount; position += 1) {
      const item = this.itemAt(position);
      if (this.isOpen(item) && index.mayBeOld(this.firstHash(item), this.secondHash(item))) (lookUps ??= []).push(item);
    }
    if (lookUps === undefined && checks === undefined) return undefined;
    return this.awaitPreparation(lookUps ?? [], checks);
  }

  private async awaitPreparation(lookUps: readonly number[], checks: Promise<void> | undefined): Promise<void> {
    try {
      await checks;
      // In the order of the runs' blocks, so that look-ups share them.
      const ordered = [...lookUps].sort((left, right) => (this.firstHash(left) >>> 0) - (this.firstHash(right) >>> 0));
      for (const [position, item] of ordered.entries()) {
        if (position % LOOK_UPS_PER_ROUND === LOOK_UPS_PER_ROUND - 1) await nextRound();
        const sequences = await this.index.old(this.firstHash(item), this.secondHash(item));
        if (sequences.length > 0) (this.old ??= new Map()).set(item, sequences);
      }
    } catch (error) {
      this.trouble('what a decision needs (old request ids, signatures) could not be looked up', error);
      this.unusable = true;
    }
  }
}

/** Resolves in the next round of the event loop. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
