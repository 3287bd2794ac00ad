/**
 * A PostgreSQL to compare with: the server that SLUICE_BENCH_POSTGRES_URL names, else a temporary cluster made by the
 * `initdb` found on this machine. Its defaults are durable (fsync, full page writes, synchronous commit) and stay as they are.
 */
import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../machine/free-port';
import type { Scratch } from '../machine/scratch';

const START_TIMEOUT_MS = 30_000;
const START_POLL_MS = 100;

const execute = promisify(execFile);

export type PostgresFound = { readonly url: string; readonly version: string } | { readonly missing: string };

export async function findPostgres(scratch: Scratch): Promise<PostgresFound> {
  const given = process.env['SLUICE_BENCH_POSTGRES_URL'];
  if (given !== undefined && given !== '') return connectTo(given);
  const binaries = await binaryFolder();
  if (binaries === undefined)
    return { missing: 'no PostgreSQL: SLUICE_BENCH_POSTGRES_URL is not set, and initdb is neither on the PATH nor in `pg_config --bindir`' };
  try {
    return await connectTo(await startCluster(binaries, scratch));
  } catch (error) {
    return { missing: `PostgreSQL in ${binaries} did not start: ${messageOf(error)}` };
  }
}

async function connectTo(url: string): Promise<PostgresFound> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return { url, version: rows[0]?.server_version ?? 'unknown' };
  } catch (error) {
    return { missing: `PostgreSQL cannot be reached: ${messageOf(error)}` };
  } finally {
    await client.end().catch(() => {});
  }
}

async function binaryFolder(): Promise<string | undefined> {
  const hasServer = (folder: string): boolean => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres'));
  const onPath = (process.env['PATH'] ?? '').split(delimiter).find((folder) => folder !== '' && hasServer(folder));
  if (onPath !== undefined) return onPath;
  try {
    const { stdout } = await execute('pg_config', ['--bindir']);
    const folder = stdout.trim();
    return hasServer(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

async function startCluster(binaries: string, scratch: Scratch): Promise<string> {
  const folder = scratch.folder('postgres');
  const owner = clusterOwner();
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, 'data');
  await execute(join(binaries, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-locale'], { ...owner, cwd: folder });
  const port = await freePort();
  const server = spawn(join(binaries, 'postgres'), ['-D', data, '-k', folder, '-h', '127.0.0.1', '-p', String(port)], {
    ...owner,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  scratch.adopt(server);
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  scratch.defer(async () => {
    // SIGINT is PostgreSQL's fast shutdown.
    if (server.exitCode === null) server.kill('SIGINT');
    await exited;
  });
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  for (const started = Date.now(); ; ) {
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}: ${said}`);
    if ('url' in (await connectTo(url))) return url;
    if (Date.now() - started > START_TIMEOUT_MS) throw new Error(`it did not answer within ${START_TIMEOUT_MS / 1000} s: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, START_POLL_MS));
  }
}

/** PostgreSQL refuses to run as root; then it runs as the system's postgres, or as nobody. */
function clusterOwner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('it refuses to run as root, and there is no user postgres or nobody');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
