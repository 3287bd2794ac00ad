/** The server as users start it: a process of its own, its data in a folder, ended by signals and by force. */
import { execFile } from 'node:child_process';
import { appendFile, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceClient, type SluiceError } from '@sluice/client';
import { EXIT } from '../exit-code';
import { cli, cliOnceProjected, grpcurlFolder, jsonLines, ServedSluice, withGrpcurl } from '../testing/cli-for-tests';

const run = promisify(execFile);

let folder: string;
let served: ServedSluice | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-serve-'));
});
afterEach(async () => {
  await served?.end('SIGKILL');
  served = undefined;
  await rm(folder, { recursive: true, force: true });
});

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ SLUICE_DATA_DIR: folder, ...more });

async function serve(more: NodeJS.ProcessEnv = {}): Promise<ServedSluice> {
  served = await ServedSluice.start(environment(more));
  return served;
}

/** Flips one byte of the record of a posting, found by the posting's request id. */
async function damage(requestId: string): Promise<void> {
  const file = join(folder, 'log.db');
  const bytes = await readFile(file);
  const at = bytes.indexOf(requestId);
  expect(at).toBeGreaterThan(0);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(file, bytes);
}

test('the start says where it is and what to type, and those commands work', async () => {
  const { output, address } = await serve();
  expect(output).toContain(`data folder  ${folder} (4 partitions)`);
  expect(output.indexOf('npx sluice')).toBeLessThan(output.indexOf('grpcurl -plaintext'));
  const shown = output.split('\n').filter((line) => line.startsWith('  npx sluice'));
  expect(shown.length).toBeGreaterThanOrEqual(3);
  for (const line of shown) expect(await cliOnceProjected(line.trim().split(/\s+/).slice(2))).toMatchObject({ code: EXIT.done, err: '' });
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
});

// Where grpcurl must not be missing the test runs, and fails.
const whereGrpcurlIs = grpcurlFolder() !== undefined || process.env['CI'] === 'true' ? test : test.skip;

whereGrpcurlIs('the grpcurl commands that it shows work', async () => {
  const { output } = await serve();
  const shown = output.split('\n').filter((line) => line.startsWith('  grpcurl'));
  expect(shown.length).toBeGreaterThanOrEqual(4);
  for (const line of shown) await run('sh', ['-c', line], { env: withGrpcurl() });
});

test('SIGTERM ends it cleanly, and the next start finds its data', async () => {
  const first = await serve();
  const client = new SluiceClient({ target: first.address });
  await client.accounts.open({ accountId: 'a', unit: 'EUR' });
  await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 5n, requestId: 'r1' });
  client.close();
  expect(await first.end('SIGTERM')).toBe(EXIT.done);
  expect(first.output).toContain('stopped');

  const second = await serve();
  const again = await cli(['account', 'post', 'a', 'CREDIT', '5', 'EUR', '--request-id', 'r1', '--channel', '', '--target', second.address, '--json']);
  expect(jsonLines(again.out)).toMatchObject([{ balanceAfterMinor: '5', repeated: true }]);
  expect(await cli(['verify', '--target', second.address])).toMatchObject({ code: EXIT.done });
});

test('killed under load, nothing that was acknowledged is lost and nothing is there twice', async () => {
  const acknowledged = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const running = await serve();
    const client = new SluiceClient({ target: running.address, retry: { budget: 0 }, deadlineMs: 20_000 });
    await client.accounts.open({ accountId: 'hot', unit: 'EUR', requestId: 'open' });
    const before = acknowledged.size;
    let enough = (): void => undefined;
    const manyAcknowledged = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const callers = Array.from({ length: 200 }, async (_, caller) => {
      for (let number = 0; ; number += 1) {
        const requestId = `${round}-${caller}-${number}`;
        try {
          await client.accounts.credit({ accountId: 'hot', unit: 'EUR', amountMinor: 1n, requestId });
        } catch {
          return;
        }
        acknowledged.add(requestId);
        if (acknowledged.size > before + 2_000) enough();
      }
    });
    await manyAcknowledged;
    await running.end('SIGKILL');
    await Promise.all(callers);
    client.close();
  }
  const { address } = await serve();
  const client = new SluiceClient({ target: address });
  const repeats = await client.accounts.postBatch(
    [...acknowledged].slice(-5_000).map((requestId) => ({ requestId, accountId: 'hot', type: 'CREDIT' as const, amountMinor: 1n, unit: 'EUR' })),
  );
  expect(repeats.filter(({ result }) => result?.repeated !== true)).toEqual([]);
  const { equal, logEntryCount, readEntryCount, logBalanceMinor } = await client.log.verifyAccount('hot');
  expect(equal).toBe(true);
  expect(readEntryCount).toBe(logEntryCount);
  expect(logBalanceMinor).toBe(logEntryCount);
  expect(Number(logEntryCount)).toBeGreaterThanOrEqual(acknowledged.size);
  client.close();
});

test('callers of the client library do not notice that the server is killed and started again', async () => {
  const first = await serve();
  const port = Number(first.address.split(':')[1]);
  const client = new SluiceClient({ target: first.address, deadlineMs: 30_000 });
  await client.accounts.open({ accountId: 'hot', unit: 'EUR' });
  let acknowledged = 0;
  let startedAgain = false;
  let manyAcknowledged = (): void => undefined;
  const underLoad = new Promise<void>((resolve) => {
    manyAcknowledged = resolve;
  });
  const callers = Array.from({ length: 100 }, async () => {
    for (let afterwards = 0; afterwards < 5; afterwards += startedAgain ? 1 : 0) {
      await client.accounts.credit({ accountId: 'hot', unit: 'EUR', amountMinor: 1n });
      acknowledged += 1;
      if (acknowledged > 1_000) manyAcknowledged();
    }
  });
  await underLoad;
  await first.end('SIGKILL');
  served = await ServedSluice.start(environment(), port);
  startedAgain = true;
  await Promise.all(callers);
  // Each was done exactly once, whatever became of its first attempt.
  expect(await client.accounts.get('hot')).toMatchObject({ balanceMinor: BigInt(acknowledged), entryCount: BigInt(acknowledged) });
  client.close();
});

describe('what keeps it from starting is one plain line', () => {
  const oneLine = (output: string): string => {
    expect(output.trimEnd().split('\n')).toHaveLength(1);
    return output;
  };

  test('a folder in use', async () => {
    await serve();
    const { code, output } = await ServedSluice.fail(environment());
    expect(code).toBe(EXIT.refused);
    expect(oneLine(output)).toMatch(new RegExp(`^sluice: the data folder ${folder} is in use by another process \\(\\d+\\)`));
  });

  test('data of another number of partitions', async () => {
    await (await serve()).end('SIGTERM');
    const { code, output } = await ServedSluice.fail(environment({ SLUICE_SERVERS: '2', SLUICE_CONTAINERS: '3' }));
    expect(code).toBe(EXIT.configuration);
    expect(oneLine(output)).toMatch(/made with 4 partitions, the configuration makes 6/);
  });

  test('the same product of servers and containers opens', async () => {
    await (await serve({ SLUICE_SERVERS: '2', SLUICE_CONTAINERS: '3' })).end('SIGTERM');
    await serve({ SLUICE_SERVERS: '3', SLUICE_CONTAINERS: '2' });
  });

  test('an unknown setting', async () => {
    const { code, output } = await ServedSluice.fail(environment({ SLUICE_PROT: '1' }));
    expect(code).toBe(EXIT.configuration);
    expect(oneLine(output)).toContain('SLUICE_PROT is not a setting; did you mean SLUICE_PORT?');
  });

  test('a port in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    try {
      const { code, err } = await cli(['serve', '--port', String(port), '--data', folder]);
      expect(code).toBe(EXIT.refused);
      expect(oneLine(err)).toContain(`cannot listen on 127.0.0.1:${port}`);
    } finally {
      other.close();
    }
  });

  test('plain text beyond this machine', async () => {
    const { code, output } = await ServedSluice.fail(environment({ SLUICE_HOST: '0.0.0.0' }));
    expect(code).toBe(EXIT.configuration);
    expect(oneLine(output)).toMatch(/insecure/i);
  });

  test('a damaged commit: named, and repaired only when asked for', async () => {
    const running = await serve();
    const client = new SluiceClient({ target: running.address });
    await client.accounts.open({ accountId: 'a', unit: 'EUR' });
    await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n, requestId: 'stays' });
    const { positionToken } = await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 2n, requestId: 'will-be-damaged' });
    await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 4n, requestId: 'after-it' });
    const { partition } = await client.log.getPartition('a');
    client.close();
    await running.end('SIGTERM');
    await damage('will-be-damaged');

    const verified = await cli(['log', 'verify', '--data', folder]);
    expect(verified.code).toBe(EXIT.refused);
    const [, sequence] = new RegExp(`--drop-from ${partition}:(\\d+)`).exec(verified.out) ?? [];
    expect(verified.out).toContain(`partition ${partition}, sequence ${sequence}: the checksum does not match`);

    const { code, output } = await ServedSluice.fail(environment());
    expect(code).toBe(EXIT.fault);
    expect(oneLine(output)).toContain(`partition ${partition}, sequence ${sequence}: the checksum does not match`);
    expect(output).toContain(`sluice log repair --drop-from ${partition}:${sequence}`);

    await copyFile(join(folder, 'read.db'), join(folder, 'kept.db'));
    const repair = ['log', 'repair', '--drop-from', `${partition}:${sequence}`, '--data', folder];
    expect(await cli(repair)).toMatchObject({ code: EXIT.usage, err: expect.stringContaining('say --yes') as string });
    expect(await cli(repair, { ask: async () => 'no' })).toMatchObject({ code: EXIT.refused, err: expect.stringContaining('nothing was dropped') as string });
    expect(await cli(repair, { ask: async () => 'yes' })).toMatchObject({ code: EXIT.done });

    // A read store that somebody kept is of the log's former incarnation: it is made anew, and so are tokens refused.
    await copyFile(join(folder, 'kept.db'), join(folder, 'read.db'));
    for (const round of ['first', 'second']) {
      const repaired = await serve();
      const { address } = repaired;
      const repeated = await cli(['account', 'post', 'a', 'CREDIT', '1', 'EUR', '--request-id', 'stays', '--channel', '', '--target', address, '--json']);
      expect(jsonLines(repeated.out)).toMatchObject([{ balanceAfterMinor: '1', repeated: true }]);
      const again = new SluiceClient({ target: address });
      await again.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 8n, requestId: round });
      const balance = round === 'first' ? 9n : 17n;
      expect(await again.accounts.get('a')).toMatchObject({ balanceMinor: balance });
      const refused = await again.accounts.get('a', { positionToken }).catch((error: unknown) => error as SluiceError);
      expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'TOKEN_OF_OTHER_LOG' });
      again.close();
      expect(await cli(['verify', '--target', address])).toMatchObject({ code: EXIT.done });
      await repaired.end('SIGTERM');
    }
    expect(await cli(['log', 'verify', '--data', folder])).toMatchObject({ code: EXIT.done });
  });
});

describe('the end of the write-ahead log after kill -9', () => {
  const PAGE_BYTES = 8_192;
  const FRAME_HEADER_BYTES = 24;
  const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;

  /** Three postings, all acknowledged and projected; then the process is gone. Resolves with the write-ahead log's file. */
  async function killedAfterThree(): Promise<string> {
    const running = await serve();
    const client = new SluiceClient({ target: running.address });
    await client.accounts.open({ accountId: 'a', unit: 'EUR' });
    for (const amountMinor of [1n, 2n, 4n]) await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor, requestId: `credit-${amountMinor}` });
    expect(await client.accounts.get('a')).toMatchObject({ balanceMinor: 7n });
    client.close();
    await running.end('SIGKILL');
    return join(folder, 'log.db-wal');
  }

  const postAgain = async (target: string, amount: string): Promise<unknown> => {
    const posted = await cli([
      'account',
      'post',
      'a',
      'CREDIT',
      amount,
      'EUR',
      '--request-id',
      `credit-${amount}`,
      '--channel',
      '',
      '--target',
      target,
      '--json',
    ]);
    return jsonLines(posted.out)[0];
  };

  test.each`
    tail                           | made
    ${'half a frame'}              | ${(last: Buffer) => last.subarray(0, FRAME_BYTES / 2)}
    ${'a frame of garbage'}        | ${() => Buffer.alloc(FRAME_BYTES, 0xa5)}
    ${'a frame with flipped bits'} | ${(last: Buffer) => Buffer.from(last.map((byte, at) => (at === 2_000 ? byte ^ 1 : byte)))}
  `('$tail was never acknowledged, and just disappears', async ({ made }: { made: (lastFrame: Buffer) => Buffer }) => {
    const file = await killedAfterThree();
    await appendFile(file, made((await readFile(file)).subarray(-FRAME_BYTES)));
    const { address, output } = await serve();
    expect(output).not.toMatch(/error|damaged/);
    expect(await postAgain(address, '4')).toMatchObject({ balanceAfterMinor: '7', repeated: true });
    expect(await cli(['verify', '--target', address])).toMatchObject({ code: EXIT.done });
  });

  test('where acknowledged commits were cut off, the read store is ahead of the log: the projector sees it and makes it anew', async () => {
    const file = await killedAfterThree();
    const bytes = await readFile(file);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
    await writeFile(file, bytes);
    const running = await serve();
    const client = new SluiceClient({ target: running.address });
    while ((await client.accounts.get('a')).balanceMinor !== 3n) await new Promise((resolve) => setTimeout(resolve, 20));
    client.close();
    expect(running.output).toContain('rebuilding the read store');
    expect(await postAgain(running.address, '4')).toMatchObject({ balanceAfterMinor: '7', repeated: false });
    expect(await postAgain(running.address, '2')).toMatchObject({ balanceAfterMinor: '3', repeated: true });
    expect(await cli(['verify', '--target', running.address])).toMatchObject({ code: EXIT.done });
  });
});

test('repair is refused while a server is at work, and where there is nothing to drop', async () => {
  await serve();
  expect(await cli(['log', 'repair', '--drop-from', '0:1', '--data', folder, '--yes'])).toMatchObject({
    code: EXIT.refused,
    err: expect.stringContaining('in use by another process') as string,
  });
  expect(await cli(['log', 'repair', '--drop-from', '0:99', '--data', folder, '--yes'])).toMatchObject({
    code: EXIT.usage,
    err: expect.stringContaining('nothing to drop') as string,
  });
  expect(await cli(['log', 'repair', '--drop-from', '9:1', '--data', folder, '--yes'])).toMatchObject({
    code: EXIT.usage,
    err: expect.stringContaining('partitions 0 to 3') as string,
  });
});
