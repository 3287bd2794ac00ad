/**
 * How long commits took from their commit time to the read store, over the last half minute: a histogram per second, with
 * buckets that grow by about 4.5 % (16 per doubling), so that a percentile costs no samples.
 */
import type { Clock } from '@sluice/ports';

const WINDOW_SECONDS = 30;
const BUCKETS_PER_DOUBLING = 16;
/** Up to 2^40 µs, about 13 days. */
const BUCKETS = 40 * BUCKETS_PER_DOUBLING;

export interface LagPercentiles {
  readonly commits: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export class LagWindow {
  private readonly seconds = Array.from({ length: WINDOW_SECONDS }, () => ({ second: -1, counts: new Uint32Array(BUCKETS) }));

  constructor(private readonly clock: Clock) {}

  add(lagUs: number): void {
    const second = this.currentSecond();
    const slot = this.seconds[second % WINDOW_SECONDS] as { second: number; counts: Uint32Array };
    if (slot.second !== second) {
      slot.second = second;
      slot.counts.fill(0);
    }
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(1, lagUs)) * BUCKETS_PER_DOUBLING));
    slot.counts[bucket] = (slot.counts[bucket] as number) + 1;
  }

  percentiles(): LagPercentiles {
    const oldest = this.currentSecond() - WINDOW_SECONDS;
    const sums = new Array<number>(BUCKETS).fill(0);
    let commits = 0;
    for (const { second, counts } of this.seconds) {
      if (second <= oldest) continue;
      counts.forEach((count, bucket) => {
        sums[bucket] = (sums[bucket] as number) + count;
        commits += count;
      });
    }
    return { commits, p50Us: percentile(sums, commits, 0.5), p99Us: percentile(sums, commits, 0.99) };
  }

  private currentSecond(): number {
    return Math.floor(this.clock.nowUs() / 1_000_000);
  }
}

/** The upper end of the bucket that the share of commits reaches into; 0 without commits. */
function percentile(sums: readonly number[], commits: number, share: number): number {
  if (commits === 0) return 0;
  let seen = 0;
  const wanted = Math.ceil(commits * share);
  for (let bucket = 0; bucket < sums.length; bucket += 1) {
    seen += sums[bucket] as number;
    if (seen >= wanted) return Math.round(2 ** ((bucket + 1) / BUCKETS_PER_DOUBLING));
  }
  return 2 ** (BUCKETS / BUCKETS_PER_DOUBLING);
}
