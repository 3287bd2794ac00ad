/**
 * Where in the partition's log the outstanding deliveries to one target stand: first number → sequence of the commit that owes it. It is
 * bounded: when it is full every second entry goes, and what lies between two entries is found by reading the commits between them.
 */
const MAXIMUM_RUNS = 1 << 16;
/** First number and sequence. */
const FIELDS = 2;

export class CommitRuns {
  private entries: Float64Array = new Float64Array(16 * FIELDS);
  /** Index of the oldest entry, and of the one behind the newest. */
  private from = 0;
  private to = 0;

  constructor(private readonly limit = MAXIMUM_RUNS) {}

  get count(): number {
    return this.to - this.from;
  }

  /** Numbers and sequences rise from call to call. A commit that is there already is not entered again. */
  add(firstNumber: number, sequence: number): void {
    if (this.count > 0 && this.sequenceAt(this.to - 1) === sequence) return;
    if (this.count === this.limit) this.thinOut();
    if (this.to * FIELDS === this.entries.length) this.makeRoom();
    this.entries[this.to * FIELDS] = firstNumber;
    this.entries[this.to * FIELDS + 1] = sequence;
    this.to += 1;
  }

  /** Sequence from which on the commit that owes the number is found; undefined: before everything that is known. */
  sequenceOf(number: number): number | undefined {
    let low = this.from;
    let high = this.to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.firstNumberAt(middle) <= number) low = middle + 1;
      else high = middle;
    }
    return low === this.from ? undefined : this.sequenceAt(low - 1);
  }

  /** Forgets what is needed for numbers below this one only. */
  dropBelow(number: number): void {
    while (this.count > 1 && this.firstNumberAt(this.from + 1) <= number) this.from += 1;
  }

  clear(): void {
    this.from = 0;
    this.to = 0;
  }

  /** First number and sequence of every entry, one after the other. */
  copy(): Float64Array {
    return this.entries.slice(this.from * FIELDS, this.to * FIELDS);
  }

  private firstNumberAt(at: number): number {
    return this.entries[at * FIELDS] as number;
  }

  private sequenceAt(at: number): number {
    return this.entries[at * FIELDS + 1] as number;
  }

  private thinOut(): void {
    let kept = 0;
    for (let at = this.from; at < this.to; at += 2) {
      this.entries[kept * FIELDS] = this.firstNumberAt(at);
      this.entries[kept * FIELDS + 1] = this.sequenceAt(at);
      kept += 1;
    }
    this.from = 0;
    this.to = kept;
  }

  private makeRoom(): void {
    const { count } = this;
    // What was dropped at the front makes room, unless it is little.
    const grown = count * FIELDS * 2 > this.entries.length ? new Float64Array(this.entries.length * 2) : this.entries;
    grown.set(this.entries.subarray(this.from * FIELDS, this.to * FIELDS));
    this.entries = grown;
    this.from = 0;
    this.to = count;
  }
}
