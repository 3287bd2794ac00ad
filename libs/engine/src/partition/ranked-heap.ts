/**
 * A binary heap whose entries may change their rank, and may leave it from the middle. The lowest rank is first; of equal ranks the lowest
 * number. An entry is in one heap at a time; an owner that stands in two heaps has two entries.
 */
export class Rank<Owner> {
  value = 0;
  /** Where it stands in its heap; -1: it is in none. */
  at = -1;

  constructor(
    readonly owner: Owner,
    readonly number: number,
  ) {}
}

export class RankedHeap<Owner> {
  private readonly ranks: Rank<Owner>[] = [];

  get size(): number {
    return this.ranks.length;
  }

  get first(): Owner | undefined {
    return this.ranks[0]?.owner;
  }

  /** Takes the entry in, or moves it if it is in. */
  put(rank: Rank<Owner>, value: number): void {
    rank.value = value;
    if (rank.at === -1) {
      rank.at = this.ranks.length;
      this.ranks.push(rank);
    }
    this.rise(rank);
    this.sink(rank);
  }

  /** Does nothing if the entry is not in. */
  remove(rank: Rank<Owner>): void {
    const { at } = rank;
    if (at === -1) return;
    const last = this.ranks.pop() as Rank<Owner>;
    rank.at = -1;
    if (last === rank) return;
    this.set(at, last);
    this.rise(last);
    this.sink(last);
  }

  private rise(rank: Rank<Owner>): void {
    for (let { at } = rank; at > 0; ) {
      const above = (at - 1) >> 1;
      const parent = this.ranks[above] as Rank<Owner>;
      if (!isBefore(rank, parent)) return;
      this.set(at, parent);
      this.set(above, rank);
      at = above;
    }
  }

  private sink(rank: Rank<Owner>): void {
    const { ranks } = this;
    for (let { at } = rank; ; ) {
      let below = at * 2 + 1;
      if (below >= ranks.length) return;
      if (below + 1 < ranks.length && isBefore(ranks[below + 1] as Rank<Owner>, ranks[below] as Rank<Owner>)) below += 1;
      const child = ranks[below] as Rank<Owner>;
      if (!isBefore(child, rank)) return;
      this.set(at, child);
      this.set(below, rank);
      at = below;
    }
  }

  private set(at: number, rank: Rank<Owner>): void {
    this.ranks[at] = rank;
    rank.at = at;
  }
}

function isBefore(left: Rank<unknown>, right: Rank<unknown>): boolean {
  return left.value < right.value || (left.value === right.value && left.number < right.number);
}
