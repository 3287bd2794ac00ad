/**
 * What a target knows of the deliveries of one source:
 *
 *   number               is
 *   above `taken`        new if it is the next one, else behind a hole
 *   taken                a repeat: the first verdict is the answer; a dead letter was passed over and has none yet
 *   `recordedThrough`    recorded by the source: its verdict is kept no longer
 *
 * Deliveries are taken in order, so a number tells a repeat from a new one. Verdicts are kept for what the source has on its way, which it bounds.
 */
import type { logpb } from '@sluice/protocol';
import { ACCEPTED, isPlain, type Verdict } from './verdict';

export class IncomingChannel {
  /** Highest number that was taken. */
  taken = 0;
  /** The source has the verdicts through this number. */
  recordedThrough = 0;
  /** The lowest dead letter whose verdict the source lacks, as of `recordedThrough`; 0: none. */
  lowestDead = 0;
  /** The source's commit that owes `taken`. */
  anchor: logpb.CommitAnchor | undefined;
  /** Rejections and answers, by number in ascending order. */
  readonly verdicts = new Map<number, Verdict>();
  /** Passed over, without a verdict. */
  readonly dead = new Set<number>();
  /** Verdicts on dead letters that were sent again. */
  readonly redriven = new Map<number, Verdict>();

  constructor(readonly source: number) {}

  take(number: number, verdict: Verdict): void {
    if (number !== this.taken + 1) throw new Error(`delivery ${number} of partition ${this.source} was taken behind ${this.taken}`);
    this.taken = number;
    if (!isPlain(verdict)) this.verdicts.set(number, verdict);
  }

  passOver(number: number): void {
    this.take(number, ACCEPTED);
    this.dead.add(number);
  }

  resolve(number: number, verdict: Verdict): void {
    if (!this.dead.delete(number)) throw new Error(`delivery ${number} of partition ${this.source} is no dead letter`);
    this.redriven.set(number, verdict);
  }

  /** The verdict on a number that was taken; undefined: it has none, or it is kept no longer. */
  verdictOn(number: number): Verdict | undefined {
    if (number > this.taken || this.dead.has(number)) return undefined;
    const redriven = this.redriven.get(number);
    if (redriven !== undefined || number <= this.recordedThrough) return redriven;
    return this.verdicts.get(number) ?? ACCEPTED;
  }

  /**
   * The source has recorded the verdicts through `recordedThrough`, dead letters left out.
   * @param lowestDead the lowest dead letter whose verdict it lacks; 0: none.
   */
  forget(recordedThrough: number, lowestDead: number): void {
    // A source of a later history than this one's may claim more.
    const through = Math.min(recordedThrough, this.taken);
    // Of two messages with the same number the older one says less.
    if (through >= this.recordedThrough) this.lowestDead = lowestDead;
    if (through > this.recordedThrough) this.recordedThrough = through;
    for (const number of this.verdicts.keys()) {
      if (number > this.recordedThrough) break;
      this.verdicts.delete(number);
    }
    if (this.redriven.size === 0) return;
    // By what this message says: an older one knows nothing of later dead letters.
    const before = lowestDead === 0 ? through : Math.min(through, lowestDead - 1);
    for (const number of this.redriven.keys()) if (number <= before) this.redriven.delete(number);
  }
}
