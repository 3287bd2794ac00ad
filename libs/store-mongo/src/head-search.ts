/**
 * Finds the newest sequence of a partition by asking which ids exist, starting from where it stood last time. Sequences
 * have no gaps, so a sequence exists exactly if it is not above the head.
 *
 * The probes stand 1, 2, 4, 8 … above the last known head; when the head lies between two of them, the next round narrows
 * it down. A partition that stands still, or moved by one, costs one round. Asking for exact ids costs index lookups only,
 * and all partitions are asked in one request: cheap enough for every projector to poll.
 */
const PROBES = 20;
const NARROWING = 15;

export class HeadSearch {
  #low: number;
  #high: number | undefined;
  /** The distance of the first probe of this round, as a power of two. */
  #power = 0;

  /** `lastKnown`: a sequence that existed; 0: none did. */
  constructor(private readonly lastKnown: number) {
    this.#low = lastKnown;
  }

  /** The newest sequence, once it is known. */
  get head(): number | undefined {
    return this.#high !== undefined && this.#high === this.#low + 1 ? this.#low : undefined;
  }

  /** The sequences to ask for in this round, ascending. */
  candidates(): number[] {
    if (this.#high === undefined) {
      const above = Array.from({ length: PROBES }, (_, at) => this.lastKnown + 2 ** (this.#power + at));
      return this.lastKnown === 0 ? above : [this.lastKnown, ...above];
    }
    const width = this.#high - this.#low;
    const step = Math.max(1, Math.ceil(width / (NARROWING + 1)));
    const between: number[] = [];
    for (let sequence = this.#low + step; sequence < this.#high; sequence += step) between.push(sequence);
    return between;
  }

  /** Takes which of the candidates exist. False: the last known head is gone, the search must start over from 0. */
  narrow(candidates: readonly number[], exists: (sequence: number) => boolean): boolean {
    if (this.#high === undefined && this.lastKnown > 0 && !exists(this.lastKnown)) return false;
    for (const candidate of candidates) {
      if (exists(candidate)) {
        this.#low = candidate;
      } else {
        this.#high = candidate;
        break;
      }
    }
    this.#power += PROBES;
    return true;
  }
}
