/** Latencies in an HDR histogram of microseconds: exact to three digits, the same size whatever it counts. */
import * as hdr from 'hdr-histogram-js';

export type Histogram = hdr.Histogram;

const SHAPE: hdr.BuildRequest = { lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: 3, useWebAssembly: false };

export function newHistogram(): Histogram {
  return hdr.build(SHAPE);
}

export function recordMs(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(0, Math.round(ms * 1000)));
}

/** Undefined if nothing was recorded. */
export function percentileMs(histogram: Histogram, percentile: number): number | undefined {
  return histogram.totalCount === 0 ? undefined : histogram.getValueAtPercentile(percentile) / 1000;
}

/** As text, to travel between processes. */
export function packHistogram(histogram: Histogram): string {
  return hdr.encodeIntoCompressedBase64(histogram);
}

export function unpackHistogram(text: string): Histogram {
  return hdr.decodeFromCompressedBase64(text);
}

export function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = newHistogram();
  for (const histogram of histograms) merged.add(histogram);
  return merged;
}
