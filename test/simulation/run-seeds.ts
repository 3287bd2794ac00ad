/** Runs seeds in a process of their own, as `npm run simulate` does: a test runner's sandbox makes every global four times as slow. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface SeedReport {
  readonly seed: number;
  readonly failed: boolean;
  readonly breaches: readonly string[];
  readonly digest: string;
  readonly events: number;
}

const ROOT = join(__dirname, '../..');
const MAXIMUM_OUTPUT_BYTES = 64 << 20;

/** What `npm run simulate -- --json` says of each seed. */
export function runSeeds(options: readonly string[]): Promise<SeedReport[]> {
  const program = ['-C', '@sluice/source', '--import', 'tsx', join(__dirname, 'cli.ts'), '--json', ...options];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, program, { cwd: ROOT, maxBuffer: MAXIMUM_OUTPUT_BYTES }, (error, output, complaints) => {
      const lines = output.split('\n').filter((line) => line !== '');
      // Exit code 1 says that seeds failed, which their lines say, too.
      if (error !== null && (error.code !== 1 || lines.length === 0)) reject(new Error(`${error.message}\n${complaints}`));
      else resolve(lines.map((line) => JSON.parse(line) as SeedReport));
    });
  });
}
