/** Which commit submitted a task, for the newest submissions of a queue: by it an ended task is found in the log, to be done again. */

/** Commits with submissions that are known: the newest ones. */
const MAXIMUM_COMMITS = 65_536;
const PAIR_BYTES = 16;

export class CreationIndex {
  /** First number and sequence of each commit, one pair after the other. */
  private pairs = new Float64Array(8);
  private count = 0;

  created(number: number, sequence: number): void {
    if (this.count > 0 && this.pairs[2 * this.count - 1] === sequence) return;
    if (this.count === 2 * MAXIMUM_COMMITS) {
      this.pairs.copyWithin(0, 2 * MAXIMUM_COMMITS);
      this.count = MAXIMUM_COMMITS;
    }
    if (2 * this.count === this.pairs.length) {
      const pairs = new Float64Array(this.pairs.length * 2);
      pairs.set(this.pairs);
      this.pairs = pairs;
    }
    this.pairs[2 * this.count] = number;
    this.pairs[2 * this.count + 1] = sequence;
    this.count += 1;
  }

  /** Sequence of the commit that submitted the task; 0: it is not known any more. */
  sequenceOf(number: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.pairs[2 * middle] as number) <= number) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.pairs[2 * low - 1] as number);
  }

  toBytes(): Uint8Array {
    const from = Math.max(0, this.count - MAXIMUM_COMMITS);
    return new Uint8Array(this.pairs.slice(2 * from, 2 * this.count).buffer);
  }

  restore(bytes: Uint8Array): void {
    const pairs = new Float64Array(Uint8Array.prototype.slice.call(bytes).buffer, 0, 2 * (bytes.length / PAIR_BYTES));
    for (let at = 0; at < pairs.length; at += 2) this.created(pairs[at] as number, pairs[at + 1] as number);
  }
}
