/**
 * Attempts that ended lately, the newest so many of a queue, in a ring of columns. A map that loses its oldest entry for every new one leaves holes, and looks
 * through them for the next oldest; and its entries are objects that live as long as the garbage collector's young ones do not.
 */
import { NumberIndex } from './number-index';
import type { AttemptOutcome } from './queue';
import type { LeaseName } from './task-id';

const INITIAL = 64;

export interface EndedAttempt extends LeaseName {
  readonly outcome: AttemptOutcome;
}

export class RecentEnds {
  private numbers = new Float64Array(INITIAL);
  private attempts = new Int32Array(INITIAL);
  private sequences = new Float64Array(INITIAL);
  private readonly outcomes: AttemptOutcome[] = [];
  /** Place of the newest end of a task. */
  private readonly places = new NumberIndex();
  private added = 0;

  /** @param maximum a power of two, from INITIAL on. */
  constructor(private readonly maximum: number) {}

  /** How many ends were added. An end is named by its position among them. */
  get total(): number {
    return this.added;
  }

  /** Position of the oldest end that is kept. */
  get oldest(): number {
    return Math.max(0, this.added - this.maximum);
  }

  /** The end at the position, which must be kept. */
  at(position: number): EndedAttempt {
    const place = position % this.maximum;
    return {
      number: this.numbers[place] as number,
      attempt: this.attempts[place] as number,
      sequence: this.sequences[place] as number,
      outcome: this.outcomes[place] as AttemptOutcome,
    };
  }

  add({ number, attempt, sequence }: LeaseName, outcome: AttemptOutcome): void {
    const place = this.added % this.maximum;
    if (place === this.numbers.length) this.grow();
    this.added += 1;
    const oldest = this.numbers[place] as number;
    if (oldest !== 0 && this.places.get(oldest) === place) this.places.delete(oldest);
    // Of its attempt before.
    this.places.delete(number);
    this.places.add(number, place);
    this.numbers[place] = number;
    this.attempts[place] = attempt;
    this.sequences[place] = sequence;
    this.outcomes[place] = outcome;
  }

  /** How the attempt ended; undefined: it did not, or that is too long ago. */
  outcomeOf({ number, attempt, sequence }: LeaseName): AttemptOutcome | undefined {
    const place = this.places.get(number);
    if (place === -1 || this.attempts[place] !== attempt || this.sequences[place] !== sequence) return undefined;
    return this.outcomes[place];
  }

  private grow(): void {
    const size = this.numbers.length * 2;
    const numbers = new Float64Array(size);
    numbers.set(this.numbers);
    this.numbers = numbers;
    const attempts = new Int32Array(size);
    attempts.set(this.attempts);
    this.attempts = attempts;
    const sequences = new Float64Array(size);
    sequences.set(this.sequences);
    this.sequences = sequences;
  }
}
