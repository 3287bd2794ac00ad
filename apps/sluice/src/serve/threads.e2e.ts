/** The server's threads end, and are started again: nothing that was acknowledged is lost, and reads catch up. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { EXIT } from '../exit-code';
import { cli, ServedSluice } from '../testing/cli-for-tests';

/** Loaded into the server before everything else: SIGUSR2 ends all threads of the name that stands in the file. */
const END_THREADS = `
const { isMainThread } = require('node:worker_threads');
if (isMainThread) {
  const workers = new Set();
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
  process.on('SIGUSR2', () => {
    const name = require('node:fs').readFileSync(process.env.THREAD_TO_END_FILE, 'utf8');
    for (const worker of workers) if (worker.givenName === name) worker.terminate();
  });
  const threads = require('node:worker_threads');
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file, options) {
      super(file, options);
      this.givenName = options?.name;
    }
  };
}
`;

let folder: string;
let served: ServedSluice;
let client: SluiceClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-threads-'));
  await writeFile(join(folder, 'end-threads.cjs'), END_THREADS);
  served = await ServedSluice.start({
    SLUICE_DATA_DIR: join(folder, 'data'),
    THREAD_TO_END_FILE: join(folder, 'thread'),
    NODE_OPTIONS: `--require ${join(folder, 'end-threads.cjs')}`,
  });
  client = new SluiceClient({ target: served.address, deadlineMs: 30_000 });
  await client.accounts.open({ accountId: 'hot', unit: 'EUR' });
});
afterAll(async () => {
  client.close();
  expect(await served.end('SIGTERM')).toBe(EXIT.done);
  await rm(folder, { recursive: true, force: true });
});

test.each`
  thread            | said
  ${'projector'}    | ${'the projector ended and is started again'}
  ${'log-writer'}   | ${'a thread that writes files ended and is started again'}
  ${'block-writer'} | ${'a thread that writes files ended and is started again'}
`('the thread $thread', async ({ thread, said }: { thread: string; said: string }) => {
  const before = (await client.accounts.get('hot')).entryCount;
  const saidBefore = served.output.split(said).length;
  let acknowledged = 0n;
  let ended = false;
  const callers = Array.from({ length: 20 }, async () => {
    for (let afterwards = 0; afterwards < 20; afterwards += ended ? 1 : 0) {
      await client.accounts.credit({ accountId: 'hot', unit: 'EUR', amountMinor: 1n });
      acknowledged += 1n;
    }
  });
  await writeFile(join(folder, 'thread'), thread);
  served.signal('SIGUSR2');
  while (served.output.split(said).length === saidBefore) await new Promise((resolve) => setTimeout(resolve, 10));
  ended = true;
  await Promise.all(callers);
  const { entryCount, balanceMinor } = await client.accounts.get('hot');
  expect(entryCount).toBe(before + acknowledged);
  expect(balanceMinor).toBe(entryCount);
  expect(await cli(['verify', '--target', served.address])).toMatchObject({ code: EXIT.done });
});
