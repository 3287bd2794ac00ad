/**
 * What a source owes to one target:
 *
 *   settled < … ≤ owed    outstanding: no verdict is recorded
 *   ≤ settled             settled, but for dead letters, which wait for an operator
 *
 * The room that holds it changes it with the turn, ahead of the log.
 */
import { CommitRuns } from './commit-runs';
import { lastNumber, OwedWindow, type OwedPart, type WindowBudget } from './owed-window';

/** A delivery that its target could not decide within the budget. */
export interface DeadLetter {
  readonly number: number;
  readonly reason: string;
  readonly attempts: number;
  /** The commit that owes it stands there in the log, or behind it. */
  readonly sequence: number;
  /** An operator has asked to send it again. */
  redriven: boolean;
}

export class OutgoingChannel {
  /** Highest number that is owed. */
  owed = 0;
  /** Through this number the target has taken the deliveries, and the verdicts are recorded. */
  settled = 0;
  readonly commits = new CommitRuns();
  readonly window: OwedWindow;
  /** By number. */
  readonly dead = new Map<number, DeadLetter>();

  constructor(
    readonly target: number,
    budget: WindowBudget,
  ) {
    this.window = new OwedWindow(budget);
  }

  /** Deliveries without a verdict. */
  get unfinished(): number {
    let passedOver = 0;
    for (const number of this.dead.keys()) if (number <= this.settled) passedOver += 1;
    return this.owed - this.settled + passedOver;
  }

  /** The lowest dead letter; 0: none. */
  get lowestDead(): number {
    let lowest = 0;
    for (const number of this.dead.keys()) if (lowest === 0 || number < lowest) lowest = number;
    return lowest;
  }

  append(part: OwedPart): void {
    this.owed = lastNumber(part);
    this.commits.add(part.firstNumber, part.sequence);
    this.window.offer(part);
  }

  settleThrough(number: number): void {
    if (number < this.settled || number > this.owed) throw new Error(`${number} was settled, ${this.settled} to ${this.owed} are outstanding`);
    this.settled = number;
    this.window.dropThrough(number);
    if (number === this.owed) this.commits.clear();
    else this.commits.dropBelow(number + 1);
  }

  /** Where the commit of an outstanding delivery, or one before it, stands in the log. */
  sequenceOf(number: number): number {
    return this.dead.get(number)?.sequence ?? this.commits.sequenceOf(number) ?? 1;
  }

  giveUp(number: number, reason: string, attempts: number): void {
    this.dead.set(number, { number, reason, attempts, sequence: this.sequenceOf(number), redriven: false });
  }

  redrive(number: number): void {
    const letter = this.dead.get(number);
    if (letter !== undefined) letter.redriven = true;
  }
}
