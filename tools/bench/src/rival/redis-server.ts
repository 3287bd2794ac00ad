/**
 * A Redis to compare with: the server that SLUICE_BENCH_REDIS_URL names, else a temporary one, by the `redis-server` found on the PATH, with its append-only
 * file. The file is synced once a second, as it is by default: what Redis acknowledged in the last second is lost with the power.
 */
import { execFile, spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import { freePort } from '../machine/free-port';
import type { Scratch } from '../machine/scratch';

const START_TIMEOUT_MS = 10_000;
const START_POLL_MS = 50;
const VERSION = /v=(\S+)/;

const execute = promisify(execFile);

export type RedisFound = { readonly url: string; readonly version: string } | { readonly missing: string };

export async function findRedis(scratch: Scratch): Promise<RedisFound> {
  const given = process.env['SLUICE_BENCH_REDIS_URL'];
  if (given !== undefined && given !== '') return { url: given, version: 'of SLUICE_BENCH_REDIS_URL' };
  let version: string;
  try {
    const { stdout } = await execute('redis-server', ['--version']);
    version = VERSION.exec(stdout)?.[1] ?? 'unknown';
  } catch {
    return { missing: 'no Redis: SLUICE_BENCH_REDIS_URL is not set, and redis-server is not on the PATH' };
  }
  const port = await freePort();
  const folder = scratch.folder('redis');
  const server = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--appendonly', 'yes', '--save', ''], {
    stdio: 'ignore',
  });
  scratch.adopt(server);
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  scratch.defer(async () => {
    if (server.exitCode === null) server.kill('SIGTERM');
    await exited;
  });
  for (const started = Date.now(); !(await answers(port)); ) {
    if (server.exitCode !== null || Date.now() - started > START_TIMEOUT_MS) return { missing: 'redis-server did not start' };
    await new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
  }
  return { url: `redis://127.0.0.1:${port}`, version };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const end = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
