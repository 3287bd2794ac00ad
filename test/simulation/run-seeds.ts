/** Runs seeds as `npm run simulate` does, in processes of their own: a test runner's sandbox makes every global four times as slow. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface SeedReport {
  readonly seed: number;
  readonly defect?: string;
  readonly failed: boolean;
  readonly breaches: readonly string[];
  readonly digest: string;
  readonly events: number;
}

const ROOT = join(__dirname, '../..');
const MAXIMUM_OUTPUT_BYTES = 64 << 20;
/** Tests share the work between so many processes. */
export const PROCESSES = 2;

let bundled: Promise<string> | undefined;

/** What `npm run simulate -- --json` says of each seed, with these options. */
export async function runSeeds(options: readonly string[]): Promise<SeedReport[]> {
  bundled ??= output([join(ROOT, 'tools/simulate/bundle.mjs')]);
  const lines = (await output([(await bundled).trim(), '--json', ...options])).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as SeedReport);
}

/** Runs so many seeds from the first one on; in the order of the seeds. */
export async function runRange(firstSeed: number, seeds: number): Promise<SeedReport[]> {
  const shares = Array.from({ length: PROCESSES }, (_, at) => {
    const count = Math.ceil((seeds - at) / PROCESSES);
    return runSeeds(['--seed', String(firstSeed + at), '--step', String(PROCESSES), '--seeds', String(count)]);
  });
  return (await Promise.all(shares)).flat().sort((left, right) => left.seed - right.seed);
}

/** What the program prints. Exit code 1 says that seeds failed, which what it prints says, too. */
function output(program: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...program], { cwd: ROOT, maxBuffer: MAXIMUM_OUTPUT_BYTES }, (error, printed, complaints) => {
      if (error !== null && (error.code !== 1 || printed === '')) reject(new Error(`${error.message}\n${complaints}`));
      else resolve(printed);
    });
  });
}
