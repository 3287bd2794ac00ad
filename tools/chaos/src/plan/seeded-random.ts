/** Numbers that look like chance and are the same for the same seed: the n-th is read from the SHA-256 of seed and n. */
import { createHash } from 'node:crypto';

const RANGE = 2 ** 32;

export class SeededRandom {
  private drawn = 0;

  constructor(private readonly seed: string) {}

  /** From 0, below 1. */
  next(): number {
    this.drawn += 1;
    return createHash('sha256').update(`${this.seed}/${this.drawn}`).digest().readUInt32BE(0) / RANGE;
  }

  /** A whole number from the first to the last, both included. */
  whole(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1));
  }

  /** One of the items. Throws RangeError if there is none. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.whole(0, items.length - 1)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }
}
