/**
 * How far the read store is behind the log while the load runs: the projector's own measure (commit to read store), sampled.
 */
import type { Control } from '../server/control';
import { median } from './median';

const SAMPLE_EVERY_MS = 50;
const US_PER_MS = 1_000;

/** The largest lag of any partition at so many milliseconds after the start. */
export type LagSamples = readonly { readonly atMs: number; readonly lagMs: number }[];

/** Samples while `work` runs, from `skipMs` on. */
export async function sampleLag<Result>(control: Control, skipMs: number, work: () => Promise<Result>): Promise<{ result: Result; lag: LagSamples }> {
  const samples: { atMs: number; lagMs: number }[] = [];
  const started = performance.now();
  const stop = new AbortController();
  const sampling = (async () => {
    while (!stop.signal.aborted) {
      await pause(SAMPLE_EVERY_MS);
      const atMs = performance.now() - started;
      if (atMs < skipMs || stop.signal.aborted) continue;
      const { partitions } = await control.status();
      samples.push({ atMs, lagMs: Math.max(0, ...partitions.map(({ lagUs }) => Number(lagUs) / US_PER_MS)) });
    }
  })();
  try {
    const result = await work();
    return { result, lag: samples };
  } finally {
    stop.abort();
    await sampling;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Undefined without samples. */
export function lagPercentileMs(rounds: readonly LagSamples[], percentile: number): number | undefined {
  const sorted = rounds.flatMap((samples) => samples.map(({ lagMs }) => lagMs)).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil((percentile / 100) * sorted.length) - 1)];
}

/** How fast the lag grows, in milliseconds per second: the median of the rounds' slopes. Undefined where a line needs more points. */
export function lagSlopeMsPerS(rounds: readonly LagSamples[]): number | undefined {
  const slopes = rounds.filter((samples) => samples.length > 2).map(slope);
  return slopes.length === 0 ? undefined : median(slopes);
}

/** Least squares. */
function slope(samples: LagSamples): number {
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / samples.length;
  const meanLag = samples.reduce((sum, { lagMs }) => sum + lagMs, 0) / samples.length;
  let above = 0;
  let below = 0;
  for (const { atMs, lagMs } of samples) {
    above += (atMs - meanAt) * (lagMs - meanLag);
    below += (atMs - meanAt) ** 2;
  }
  return below === 0 ? 0 : (above / below) * 1_000;
}
