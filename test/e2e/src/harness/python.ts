/** Python with the packages of the examples, where there is any. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const run = promisify(execFile);

const ROOT = join(__dirname, '../../../..');
const ENVIRONMENT = join(ROOT, 'node_modules/.cache/sluice/python');
export const PYTHON = join(ENVIRONMENT, 'bin', 'python');
const PACKAGES = ['grpcio==1.85.3', 'grpcio-reflection==1.85.1'];

const isThere = spawnSync('python3', ['-m', 'venv', '--help'], { stdio: 'ignore' }).status === 0;
if (!isThere) process.stderr.write('SKIPPED: there is no python3 with venv; the example in Python is not run\n');
export const wherePythonIs = isThere ? test : test.skip;

export function pythonExample(file: string): string {
  return join(ROOT, 'examples/python', file);
}

/** Time for fetching the packages, which happens once. */
export const PREPARING_LIMIT_MS = 300_000;

export async function preparePython(): Promise<void> {
  if (!isThere) return;
  const has = existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import grpc, grpc_reflection'], { stdio: 'ignore' }).status === 0;
  if (has) return;
  await run('python3', ['-m', 'venv', ENVIRONMENT]);
  await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
}
