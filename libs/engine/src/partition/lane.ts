/**
 * What waits for turns of one partition, of one kind: bounded in commands and bytes.
 *
 *   in order of arrival ──more waits than one turn takes, or than the lane may hold──▶ contended: in order of fair shares
 *            ▲                                                                        │
 *            └───────────────────half a turn or less waits────────────────────────────┘
 *
 * While all that waits fits one turn, the order among aggregates decides nothing: so it costs nothing.
 */
import type { Submission } from '../capability';
import { ArrivalOrder } from './arrival-order';
import { FairOrder } from './fair-order';
import type { PartitionLimits } from './limits';
import type { CommitRoom, Room, Waiting, WaitingOrder } from './waiting';

const NONE: readonly Submission[] = [];

export class Lane {
  commands = 0;
  bytes = 0;
  private order: WaitingOrder = new ArrivalOrder();
  /** The order, while the lane is contended. */
  private fair: FairOrder | undefined;

  /** @param isShared its submissions come from callers, who get fair shares. */
  constructor(
    private readonly limits: PartitionLimits,
    private readonly isShared: boolean,
  ) {}

  get empty(): boolean {
    return this.order.empty;
  }

  get hasReady(): boolean {
    return this.order.hasReady;
  }

  get oldest(): number {
    return this.order.oldest;
  }

  get contended(): boolean {
    return this.fair !== undefined;
  }

  /** Takes what has to be refused so that a submission fits out of the lane, and returns it. Undefined: the submission itself is to be refused, and nothing changes. */
  makeRoom(submission: Submission): readonly Submission[] | undefined {
    const { limits } = this;
    const missing = {
      commands: this.commands + submission.commandCount - limits.queueCommands,
      bytes: this.bytes + submission.sizeBytes - limits.queueBytes,
    };
    if (missing.commands <= 0 && missing.bytes <= 0) return NONE;
    if (!this.isShared) return undefined;
    const crowdedOut = this.contend().makeRoom(submission, missing);
    for (const refused of crowdedOut ?? NONE) this.left(refused);
    return crowdedOut;
  }

  push(waiting: Waiting): void {
    const { limits } = this;
    this.commands += waiting.submission.commandCount;
    this.bytes += waiting.submission.sizeBytes;
    if (this.isShared && (this.commands > limits.turnCommands || this.bytes > limits.turnBytes)) this.contend();
    this.order.push(waiting);
  }

  preparationDone(waiting: Waiting): void {
    this.order.preparationDone(waiting);
  }

  /** Takes ready submissions while there is room for them; the very first of a turn whatever its size. */
  take(taken: Submission[], room: Room, commit: CommitRoom): void {
    const before = taken.length;
    this.order.take(taken, room, commit);
    this.tookFrom(taken, before);
  }

  /** Takes the next one whatever its size, if the commit has room for it. */
  takeOne(taken: Submission[], commit: CommitRoom): void {
    const before = taken.length;
    this.order.takeOne(taken, commit);
    this.tookFrom(taken, before);
  }

  clear(): Waiting[] {
    const waiting = this.order.clear();
    this.commands = 0;
    this.bytes = 0;
    this.fair = undefined;
    this.order = new ArrivalOrder();
    return waiting;
  }

  private tookFrom(taken: readonly Submission[], first: number): void {
    for (let at = first; at < taken.length; at += 1) this.left(taken[at] as Submission);
    const { limits } = this;
    if (this.fair === undefined || this.commands * 2 > limits.turnCommands || this.bytes * 2 > limits.turnBytes) return;
    this.fair = undefined;
    this.reorder(new ArrivalOrder());
  }

  private left({ commandCount, sizeBytes }: Submission): void {
    this.commands -= commandCount;
    this.bytes -= sizeBytes;
  }

  private contend(): FairOrder {
    if (this.fair !== undefined) return this.fair;
    const { turnBytes, turnCommands } = this.limits;
    this.fair = new FairOrder(turnBytes / turnCommands);
    this.reorder(this.fair);
    return this.fair;
  }

  private reorder(next: WaitingOrder): void {
    const waiting = this.order.clear().sort((left, right) => left.number - right.number);
    this.order = next;
    for (const one of waiting) next.push(one);
  }
}
