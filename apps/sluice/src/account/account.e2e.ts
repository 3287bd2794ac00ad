/** The command line and the client library against a whole embedded server. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, type Entry, type PostingInput, SluiceClient } from '@sluice/client';
import { EXIT } from '../exit-code';
import { configurationFor } from '../serve/configuration';
import { type EmbeddedServer, startEmbedded } from '../serve/embedded';
import { cli, type CliResult, jsonLines } from '../testing/cli-for-tests';

let folder: string;
let server: EmbeddedServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-account-'));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const sluice = (...argv: string[]): Promise<CliResult> => cli([...argv, '--target', server.address]);
const json = async (...argv: string[]): Promise<unknown[]> => {
  const result = await sluice(...argv, '--json');
  expect(result.err).toBe('');
  return jsonLines(result.out);
};

/** A command line is a caller of its own and knows no position of those before: its reads wait until everything is projected. */
const shown = async (...argv: string[]): Promise<unknown[]> => {
  await untilTrue(async () => {
    const [status] = (await json('status')) as { partitions: { headSequence: string; checkpoint: string }[] }[];
    return status?.partitions.every(({ headSequence, checkpoint }) => BigInt(checkpoint) >= BigInt(headSequence)) ?? false;
  });
  return json(...argv);
};

test('money moves between accounts, and a hold ends by itself', async () => {
  for (const name of ['payer', 'payee-1', 'payee-2', 'payee-3', 'payee-4']) await json('account', 'open', name, 'EUR');
  await json('account', 'post', 'payer', 'credit', '1000', 'EUR');
  // Some of the targets are of other partitions.
  for (const target of ['payee-1', 'payee-2', 'payee-3', 'payee-4']) {
    await expect(json('account', 'transfer', 'payer', target, '100', 'EUR', '--request-id', `to-${target}`)).resolves.toMatchObject([
      { fromAccountId: 'payer', toAccountId: target, repeated: false },
    ]);
  }
  await expect(json('account', 'transfer', 'payer', 'payee-1', '100', 'EUR', '--request-id', 'to-payee-1')).resolves.toMatchObject([{ repeated: true }]);
  expect((await sluice('account', 'transfer', 'payer', 'payer', '1', 'EUR')).err).toContain('to_account_id');
  await untilTrue(async () => ((await json('account', 'transfers', '--from', 'payer')) as { state: string }[]).every(({ state }) => state === 'SETTLED'));
  await expect(shown('account', 'transfers', '--from', 'payer', '--request-id', 'to-payee-2')).resolves.toMatchObject([
    { state: 'SETTLED', amountMinor: '100' },
  ]);
  await untilTrue(async () => ((await json('account', 'get', 'payee-3')) as { balanceMinor: string }[])[0]?.balanceMinor === '100');
  await expect(shown('account', 'entries', 'payee-4')).resolves.toMatchObject([{ origin: 'TRANSFER_CREDIT', fromAccountId: 'payer', toAccountId: 'payee-4' }]);

  await json('account', 'hold', 'payer', '50', 'EUR', '--request-id', 'soon', '--expires-after', '1');
  await untilTrue(async () => ((await json('account', 'entries', 'payer')) as { origin: string }[]).some(({ origin }) => origin === 'HOLD_EXPIRY'));
  await expect(shown('account', 'get', 'payer')).resolves.toMatchObject([{ balanceMinor: '600', heldMinor: '0' }]);
});

/** Asks again until it is so; the test's own limit ends it. */
async function untilTrue(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

test('the life of an account, command by command', async () => {
  await expect(json('account', 'open', 'life', 'EUR', '--branch', '55', '--overdraft', '100', '--request-id', 'open-life')).resolves.toMatchObject([
    { accountId: 'life', status: 'OPEN', balanceMinor: '0', repeated: false },
  ]);
  await expect(json('account', 'open', 'life', 'EUR', '--branch', '55', '--overdraft', '100', '--request-id', 'open-life')).resolves.toMatchObject([
    { repeated: true },
  ]);
  await expect(json('account', 'post', 'life', 'credit', '2500', 'EUR', '--metadata', 'order=17', '--counterparty', 'shop')).resolves.toMatchObject([
    { balanceAfterMinor: '2500', entryNumber: '1' },
  ]);
  await expect(json('account', 'hold', 'life', '500', 'EUR', '--request-id', 'booking-4')).resolves.toMatchObject([
    { balanceAfterMinor: '2500', heldAfterMinor: '500' },
  ]);
  await expect(json('account', 'capture', 'life', 'booking-4', '300', 'EUR')).resolves.toMatchObject([{ balanceAfterMinor: '2200', heldAfterMinor: '200' }]);
  await expect(json('account', 'release', 'life', 'booking-4', '200', 'EUR')).resolves.toMatchObject([{ balanceAfterMinor: '2200', heldAfterMinor: '0' }]);
  await expect(json('account', 'update', 'life', '--maximum-posting', '1000', '--product', 'gold')).resolves.toMatchObject([{ status: 'OPEN' }]);

  const [account] = (await shown('account', 'get', 'life')) as Account[];
  expect(account).toMatchObject({
    unit: 'EUR',
    branchId: '55',
    product: 'gold',
    balanceMinor: '2200',
    availableMinor: '2300',
    entryCount: '4',
    limits: { overdraftMinor: '100', maximumPostingMinor: '1000' },
  });

  const refused = await sluice('account', 'post', 'life', 'DEBIT', '1001', 'EUR');
  expect(refused).toMatchObject({ code: EXIT.refused, out: '' });
  expect(refused.err).toContain('FAILED_PRECONDITION (POSTING_LIMIT_EXCEEDED)');
  expect(refused.err).toContain('(balance 2200, held 0)');
  const forMachines = await sluice('account', 'post', 'life', 'DEBIT', '1001', 'EUR', '--request-id', 'too-much', '--json');
  expect(jsonLines(forMachines.err)).toMatchObject([
    { error: { code: 'FAILED_PRECONDITION', reason: 'POSTING_LIMIT_EXCEEDED', requestId: 'too-much', verdict: { balanceMinor: '2200', heldMinor: '0' } } },
  ]);
  expect((await sluice('account', 'get', 'nobody')).err).toContain('NOT_FOUND (ACCOUNT_NOT_FOUND)');

  const entries = (await shown('account', 'entries', 'life', '--oldest-first', '--refusals')) as Entry[];
  expect(entries.map(({ type, amountMinor, balanceAfterMinor, rejection }) => [type, amountMinor, balanceAfterMinor, rejection])).toEqual([
    ['CREDIT', '2500', '2500', ''],
    ['HOLD', '500', '2500', ''],
    ['CAPTURE', '300', '2200', ''],
    ['RELEASE', '200', '2200', ''],
    ['DEBIT', '1001', '2200', 'POSTING_LIMIT_EXCEEDED'],
    ['DEBIT', '1001', '2200', 'POSTING_LIMIT_EXCEEDED'],
  ]);
  expect(entries[0]).toMatchObject({ metadata: { order: '17' }, counterparty: 'shop', channel: 'cli' });
  await expect(shown('account', 'entries', 'life', '--limit', '1')).resolves.toMatchObject([{ type: 'RELEASE' }]);
  const atFirst = String(entries[0]?.sequence);
  await expect(shown('account', 'balance-at', 'life', '--sequence', atFirst)).resolves.toMatchObject([{ balanceMinor: '2500', entryNumber: '1' }]);
  const time = new Date(Number(entries[3]?.committedAtUs) / 1_000 + 1).toISOString();
  await expect(shown('account', 'balance-at', 'life', '--time', time)).resolves.toMatchObject([{ balanceMinor: '2200', entryNumber: '4' }]);

  await expect(json('account', 'freeze', 'life', '--note', 'asked')).resolves.toMatchObject([{ status: 'FROZEN' }]);
  expect((await sluice('account', 'post', 'life', 'DEBIT', '1', 'EUR')).err).toContain('ACCOUNT_FROZEN');
  await expect(json('account', 'unfreeze', 'life')).resolves.toMatchObject([{ status: 'OPEN' }]);
  expect((await sluice('account', 'close', 'life')).err).toContain('BALANCE_NOT_ZERO');
  await json('account', 'update', 'life', '--maximum-posting', 'none');
  await json('account', 'post', 'life', 'DEBIT', '2200', 'EUR');
  await expect(json('account', 'close', 'life')).resolves.toMatchObject([{ status: 'CLOSED' }]);
  expect(await sluice('verify', 'life')).toMatchObject({ code: EXIT.done });
});

test('lists are filtered and shown as tables', async () => {
  for (const number of [1, 2, 3]) await json('account', 'open', `list-${number}`, 'USD', '--branch', number < 3 ? 'north' : 'south');
  await json('account', 'post', 'list-2', 'CREDIT', '7', 'USD');
  await expect(shown('account', 'list', '--branch', 'north')).resolves.toMatchObject([{ accountId: 'list-1' }, { accountId: 'list-2', balanceMinor: '7' }]);
  await expect(shown('account', 'list', '--unit', 'USD', '--limit', '1')).resolves.toHaveLength(1);
  const { out } = await sluice('account', 'list', '--branch', 'north');
  const [head, first, second] = out.split('\n');
  expect(head).toMatch(/^account +balance +held +available +unit/);
  expect(first).toMatch(/^list-1 +0 /);
  expect(second).toMatch(/^list-2 +7 /);
});

test('watch and tail show changes as they come', async () => {
  await json('account', 'open', 'watched', 'EUR');
  let watching = (): void => undefined;
  const firstShown = new Promise<void>((resolve) => {
    watching = resolve;
  });
  const watched = cli(['account', 'watch', 'watched', '--count', '2', '--json', '--target', server.address], { seen: watching });
  await firstShown;
  await json('account', 'post', 'watched', 'CREDIT', '9', 'EUR');
  expect(jsonLines((await watched).out)).toMatchObject([{ balanceMinor: '0' }, { balanceMinor: '9' }]);

  const client = new SluiceClient({ target: server.address });
  const { partition, owner, ownerEpoch } = await client.log.getPartition('watched');
  client.close();
  expect(await json('log', 'partition', 'watched')).toMatchObject([{ partition, owner, ownerEpoch: String(ownerEpoch) }]);
  expect([await json('log', 'partition', '{room-12}-0816'), await json('log', 'partition', '{room-12}-0816', '--whole')]).toMatchObject([
    [{ partition: 0, partitions: 4 }],
    [{ partition: 1, partitions: 4 }],
  ]);
  const tailed = (await json('log', 'tail', '--partition', String(partition), '--from', '1', '--count', '1')) as {
    partition: number;
    sequence: string;
    events: { type: string }[];
  }[];
  expect(tailed).toMatchObject([{ partition, sequence: '1', events: [{ type: 'log.OwnershipTaken' }] }]);
});

test('an interrupted watch ends quietly', async () => {
  await json('account', 'open', 'interrupted', 'EUR');
  const interruption = new AbortController();
  const result = await cli(['account', 'watch', 'interrupted', '--target', server.address], {
    interrupted: interruption.signal,
    seen: () => interruption.abort(),
  });
  expect(result).toMatchObject({ code: EXIT.done, err: '' });
  expect(result.out.trimEnd().split('\n')).toHaveLength(1);
});

test('what operators ask for', async () => {
  await json('account', 'open', 'operated', 'EUR');
  await json('account', 'post', 'operated', 'CREDIT', '1', 'EUR');
  await expect(json('verify')).resolves.toMatchObject([{ finished: true, equal: true, differences: [] }]);
  await expect(json('rebuild')).resolves.toMatchObject([{ switched: true }]);
  await expect(json('account', 'get', 'operated')).resolves.toMatchObject([{ balanceMinor: '1' }]);
  expect((await sluice('verify')).out).toContain('log = read store');
  const [status] = (await json('status')) as { partitions: unknown[] }[];
  expect(status?.partitions).toHaveLength(4);
  await expect(json('log', 'verify', '--data', folder)).resolves.toHaveLength(4);
});

test('signed accounts refuse what is not signed with their key', async () => {
  const key = 'ab'.repeat(32);
  await json('account', 'open', 'signed', 'EUR', '--signing-key', key);
  expect(await sluice('account', 'post', 'signed', 'CREDIT', '1', 'EUR')).toMatchObject({
    code: EXIT.refused,
    err: expect.stringContaining('SIGNATURE_INVALID') as string,
  });
  expect(await sluice('account', 'post', 'signed', 'CREDIT', '1', 'EUR', '--signing-key', 'cd'.repeat(32))).toMatchObject({ code: EXIT.refused });
  await expect(json('account', 'post', 'signed', 'CREDIT', '1', 'EUR', '--signing-key', key)).resolves.toMatchObject([{ balanceAfterMinor: '1' }]);
});

describe('the client library', () => {
  let client: SluiceClient;
  beforeAll(() => {
    client = new SluiceClient({ target: server.address });
  });
  afterAll(() => client.close());

  test('many callers at once become few commits, and each reads what it wrote', async () => {
    await client.accounts.open({ accountId: 'hot', unit: 'EUR' });
    const results = await Promise.all(Array.from({ length: 3_000 }, () => client.accounts.credit({ accountId: 'hot', unit: 'EUR', amountMinor: 2n })));
    expect(new Set(results.map(({ balanceAfterMinor }) => balanceAfterMinor)).size).toBe(3_000);
    const account = await client.accounts.get('hot');
    expect(account).toMatchObject({ balanceMinor: 6_000n, entryCount: 3_000n });
    const { partition } = await client.log.getPartition('hot');
    let commits = 0;
    for await (const commit of client.log.readCommits(partition, { headersOnly: true })) commits = Number(commit.sequence);
    expect(commits).toBeLessThan(100);
  });

  test('the example of its README runs as it is', async () => {
    const example = join(__dirname, '..', '..', '..', '..', 'libs', 'client', 'example', 'wallet.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [example], { env: { ...process.env, SLUICE_TARGET: server.address } });
    expect(stdout).toBe('INSUFFICIENT_FUNDS at 25000\n25000 in 100 entries\n');
  });

  test('an atomic batch is all or nothing', async () => {
    await client.accounts.openMany(['{pair}-a', '{pair}-b'].map((accountId) => ({ accountId, unit: 'EUR' })));
    const posting = (accountId: string, type: PostingInput['type']): PostingInput => ({ accountId, type, amountMinor: 10n, unit: 'EUR' });
    const refused = await client.accounts.postBatch([posting('{pair}-a', 'CREDIT'), posting('{pair}-b', 'DEBIT')], { atomic: true });
    expect(refused.map(({ error }) => error?.reason)).toEqual(['BATCH_ABORTED', 'INSUFFICIENT_FUNDS']);
    expect(await client.accounts.get('{pair}-a')).toMatchObject({ balanceMinor: 0n });
    const done = await client.accounts.postBatch([posting('{pair}-b', 'CREDIT'), posting('{pair}-b', 'DEBIT')], { atomic: true });
    expect(done.map(({ result }) => result?.balanceAfterMinor)).toEqual([10n, 0n]);
  });

  test('a stream answers each posting, in order for one account', async () => {
    await client.accounts.open({ accountId: 'streamed', unit: 'EUR' });
    const balances: (bigint | undefined)[] = [];
    const postings = Array.from(
      { length: 500 },
      (_, index): PostingInput => ({ requestId: `s${index}`, accountId: 'streamed', type: 'CREDIT', amountMinor: 1n, unit: 'EUR' }),
    );
    for await (const { result } of client.accounts.postStream(postings, { maximumInFlight: 64 })) balances.push(result?.balanceAfterMinor);
    expect(balances).toEqual(postings.map((_, index) => BigInt(index + 1)));
  });

  test('statements page through everything', async () => {
    const numbers: bigint[] = [];
    for await (const { entryNumber } of client.accounts.entries('streamed', { order: 'OLDEST_FIRST' }, { pageSize: 77 })) numbers.push(entryNumber);
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => BigInt(index + 1)));
    const found = await client.accounts.batchGet(['streamed', 'nobody', 'hot']);
    expect([...found.keys()]).toEqual(['streamed', 'hot']);
  });
});
