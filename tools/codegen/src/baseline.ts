/**
 * The baseline: an image of the protos as they were last promised to callers. A change that breaks it is refused until
 * somebody updates the baseline on purpose, in a commit that says so.
 */
import { join } from 'node:path';
import { buf } from './buf';

export const BASELINE_FILE = join('protos', 'baseline.binpb');

/** Throws BufError with every change that breaks callers. */
export function checkBreaking(): void {
  buf('breaking', '--against', BASELINE_FILE);
}

export function updateBaseline(): void {
  buf('build', '--exclude-source-info', '--output', BASELINE_FILE);
}
