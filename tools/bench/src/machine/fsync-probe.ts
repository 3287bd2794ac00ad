/**
 * What one durable write costs on this disk: the floor under every acknowledgement, and the first thing to know about a
 * machine before its figures are compared with another's.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../measure/median';

const PROBES = 51;
const PROBE_BYTES = 4096;

/** Median of appending 4 KiB and waiting for the disk, in milliseconds. */
export function fsyncMs(folder: string): number {
  return median(fsyncTimesMs(folder, PROBES));
}

/** What so many durable writes took, one after the other. */
export function fsyncTimesMs(folder: string, probes: number): readonly number[] {
  const file = openSync(join(folder, 'fsync-probe'), 'w');
  const bytes = Buffer.alloc(PROBE_BYTES, 1);
  const tookMs: number[] = [];
  try {
    for (let probe = 0; probe < probes; probe += 1) {
      const started = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      tookMs.push(performance.now() - started);
    }
  } finally {
    closeSync(file);
  }
  return tookMs;
}
