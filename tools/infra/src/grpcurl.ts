/**
 * grpcurl for tests that do what an operator does first: found on the PATH or where Go puts it, else fetched once with Go.
 * Asked while a test file is loaded, like `haveServer`. Undefined: it cannot be had here.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder';
import { isExecutable, onPath } from './program-search';

const PACKAGE = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@latest';
const INSTALL_LIMIT_MS = 240_000;

export function findGrpcurl(): string | undefined {
  const found = onPath('grpcurl');
  if (found !== undefined) return found;
  const go = onPath('go');
  const goPath = go === undefined ? '' : spawnSync(go, ['env', 'GOPATH'], { encoding: 'utf8' }).stdout.trim();
  const cached = join(cacheFolder(), 'grpcurl');
  const places = [join(goPath, 'bin', 'grpcurl'), join(cached, 'grpcurl')];
  const place = places.find(isExecutable);
  if (place !== undefined || go === undefined) return place ?? missing();
  mkdirSync(cached, { recursive: true });
  spawnSync(go, ['install', PACKAGE], { env: { ...process.env, GOBIN: cached }, stdio: 'ignore', timeout: INSTALL_LIMIT_MS });
  return places.find(isExecutable) ?? missing();
}

function missing(): undefined {
  process.stderr.write('SKIPPED: grpcurl is not installed and could not be fetched with Go; tests that need it do not run here\n');
  return undefined;
}
