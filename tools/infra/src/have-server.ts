/**
 * Whether a server can be had here, asked while a test file is loaded: what runs and what is skipped must be known before
 * the first test, and a download must not count against a test's time.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const SEARCH_LIMIT_MS = 900_000;

const URL_OF = { nats: 'SLUICE_NATS_URL', mongodb: 'SLUICE_MONGODB_URL' } as const;

/**
 * Gets the server if need be. False: it cannot be had; why is on standard error. `external: false`: one of our own, for tests
 * that kill it or configure it.
 */
export function haveServer(kind: 'nats' | 'mongodb', options: { readonly external?: boolean } = {}): boolean {
  const built = join(__dirname, '..', 'dist', 'cli.js');
  const program = existsSync(built) ? [built] : ['-C', '@sluice/source', '--import', 'tsx', join(__dirname, '..', 'src', 'cli.ts')];
  const { status, stdout } = spawnSync(process.execPath, [...program, '--get', kind], {
    encoding: 'utf8',
    timeout: SEARCH_LIMIT_MS,
    env: options.external === false ? { ...process.env, [URL_OF[kind]]: '' } : process.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) process.stderr.write(`SKIPPED: tests that need ${kind} do not run here. ${stdout}\n`);
  return status === 0;
}
