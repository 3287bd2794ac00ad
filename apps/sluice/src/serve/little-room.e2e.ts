/**
 * A server whose files find no room. What makes a disk full needs rights that tests do not have, so the process may not make a file longer than so
 * many bytes (`ulimit -f`): SQLite reports an input/output error then, as it does where a quota is used up.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { cli, ServedSluice } from '../testing/cli-for-tests';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');
/** The unit of `ulimit -f`. */
const BLOCK_BYTES = 512;
const MIB = 1024 * 1024;
const POSTINGS = 200;

let folder: string;
let child: ChildProcess | undefined;
let served: ServedSluice | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-room-'));
});

afterEach(async () => {
  if (child?.exitCode === null) child.kill('SIGKILL');
  await served?.end('SIGKILL');
  served = undefined;
  rmSync(folder, { recursive: true });
});

interface Limited {
  readonly said: () => string;
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
}

function serveWithFilesUpTo(bytes: number): Limited {
  const command = ['-c', 'ulimit -f "$0" && exec "$@"', String(bytes / BLOCK_BYTES), process.execPath, MAIN, 'serve', '--port', '0', '--data', folder];
  const started = spawn('sh', command, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
  child = started;
  let said = '';
  for (const output of [started.stdout, started.stderr]) output.on('data', (text: Buffer) => (said += String(text)));
  return { said: () => said, process: started, ended: once(started, 'close').then(([code]) => code as number | null) };
}

test('a start without room is refused (78) before it makes a file, and says what stands in the way', async () => {
  const { said, ended } = serveWithFilesUpTo(MIB);
  expect(await ended).toBe(78);
  expect(said().trim().split('\n')).toEqual([
    `sluice: there is no room for 4 MiB in ${folder} (the process may not make a file that long, see "ulimit -f"): make room, then start again. Nothing was changed`,
  ]);
  expect(readdirSync(folder).filter((name) => !name.startsWith('lock'))).toEqual([]);
});

test('a start that finds no room for the lock is refused (78), too', async () => {
  const { said, ended } = serveWithFilesUpTo(BLOCK_BYTES);
  expect(await ended).toBe(78);
  expect(said()).toMatch(/no room is left on the disk of .*: make room, then start again/);
});

test('a server that runs out of room refuses postings, stops in order (0), and the next start has everything that was acknowledged', async () => {
  const limited = serveWithFilesUpTo(8 * MIB);
  while (!limited.said().includes('Ctrl-C')) await once(limited.process.stdout as NodeJS.ReadableStream, 'data');
  const target = / address {2,}(\S+)/.exec(limited.said())?.[1] ?? '';
  const client = new SluiceClient({ target, retry: { budget: 0 } });
  await client.accounts.open({ accountId: 'a', unit: 'EUR' });
  let acknowledged = 0;
  for (let isFull = false; !isFull; ) {
    const posting = { accountId: 'a', unit: 'EUR', type: 'CREDIT', amountMinor: 1n, metadata: { text: 'x'.repeat(900) } } as const;
    const postings = Array.from({ length: POSTINGS }, (_, index) => ({ ...posting, requestId: `${acknowledged}-${index}` }));
    // SQLite reports an input/output error, so the outcome is unknown: the partition waits until the log can tell it.
    const results = await client.accounts.postBatch(postings, { deadlineMs: 2_000 }).catch(() => []);
    const accepted = results.filter(({ result }) => result !== undefined).length;
    acknowledged += accepted;
    isFull = accepted < POSTINGS;
  }
  client.close();
  limited.process.kill('SIGINT');
  expect(await limited.ended).toBe(0);
  expect(limited.said().trim().split('\n').at(-1)).toBe('stopped');

  served = await ServedSluice.start({ SLUICE_DATA_DIR: folder });
  const again = new SluiceClient({ target: served.address });
  expect((await again.log.verifyAccount('a')).logEntryCount).toBeGreaterThanOrEqual(BigInt(acknowledged));
  again.close();
  expect(await cli(['verify', '--target', served.address])).toMatchObject({ code: 0 });
});

test('half a secret that a start without room left behind is not taken for the secret', async () => {
  writeFileSync(join(folder, 'keyring.key.new'), 'half');
  served = await ServedSluice.start({ SLUICE_DATA_DIR: folder });
  expect(await served.end('SIGINT')).toBe(0);
  expect(existsSync(join(folder, 'keyring.key.new'))).toBe(false);
  served = await ServedSluice.start({ SLUICE_DATA_DIR: folder });
});
