/** Starts within a sliding window: never more than the maximum in any window of its length. */

export interface RateLimit {
  readonly maximumStarts: number;
  readonly windowMs: number;
}

export function isSameRate(one: RateLimit | undefined, other: RateLimit | undefined): boolean {
  return one?.maximumStarts === other?.maximumStarts && one?.windowMs === other?.windowMs;
}

export class RateWindow {
  /** Times of the newest starts, as a ring; the oldest one is at `at` once the ring is full. */
  private readonly starts: number[] = [];
  private at = 0;

  constructor(readonly limit: RateLimit) {}

  /** When the next start is allowed, microseconds; 0: at once. */
  openAtUs(nowUs: number): number {
    if (this.starts.length < this.limit.maximumStarts) return 0;
    const openAtUs = (this.starts[this.at] as number) + this.limit.windowMs * 1_000;
    return openAtUs <= nowUs ? 0 : openAtUs;
  }

  started(atUs: number): void {
    if (this.starts.length < this.limit.maximumStarts) this.starts.push(atUs);
    else {
      this.starts[this.at] = atUs;
      this.at = (this.at + 1) % this.limit.maximumStarts;
    }
  }

  /** Whether a fresh window would allow the same. */
  isIdle(nowUs: number): boolean {
    const newest = this.starts[(this.at + this.starts.length - 1) % Math.max(1, this.starts.length)];
    return newest === undefined || newest + this.limit.windowMs * 1_000 <= nowUs;
  }

  /** Times of the starts that may still count, the oldest first: what a snapshot keeps. */
  recorded(): readonly number[] {
    return [...this.starts.slice(this.at), ...this.starts.slice(0, this.at)];
  }
}
