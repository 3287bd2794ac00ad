/** Batches that would be more than the log takes in one commit. */
import { CommandUnderTest, posting, verdictOf } from '../test/command-under-test';

const ACCOUNTS = Array.from({ length: 40 }, (_, at) => `{0} account ${at}`);
/** Room for some tens of postings. */
const MAXIMUM_COMMIT_BYTES = 24 << 10;

let command: CommandUnderTest;

beforeEach(async () => {
  command = await CommandUnderTest.start({ maximumCommitBytes: MAXIMUM_COMMIT_BYTES });
  for (let from = 0; from < ACCOUNTS.length; from += 10) await open(ACCOUNTS.slice(from, from + 10));
});

async function open(accounts: readonly string[]): Promise<void> {
  await command.openMany(accounts.map((accountId) => ({ requestId: 'open', accountId, unit: 'EUR' })));
}

afterAll(() => CommandUnderTest.stopAll());

const items = ACCOUNTS.flatMap((accountId, at) => [
  posting('HOLD', `hold ${at} `.padEnd(120, 'x'), 1n, { accountId }),
  posting('CREDIT', `credit ${at} `.padEnd(120, 'x'), 5n, { accountId, metadata: { note: 'y'.repeat(300) } }),
]);

test('an atomic batch that does not fit a commit is refused before it is decided, and nothing of it is recorded', async () => {
  const before = command.commits().length;
  const { results } = await command.batch(items, { atomic: true });
  expect(new Set(results.map(verdictOf))).toEqual(new Set(['BATCH_TOO_LARGE']));
  expect(command.commits()).toHaveLength(before);
  expect(command.troubles).toEqual([]);
});

test('an atomic batch that fits although each posting might have been larger is done', async () => {
  const small = Array.from({ length: 40 }, (_, at) => posting('CREDIT', `c${at}`, 1n, { accountId: ACCOUNTS[0] as string }));
  expect((await command.batch(small, { atomic: true })).results.map(verdictOf)).toEqual(small.map(() => 'accepted'));
});

test('any other batch is spread over commits, each as large as the log takes at most', async () => {
  const before = command.commits().length;
  const { results } = await command.batch(items);
  expect(results.map(verdictOf)).toEqual(ACCOUNTS.flatMap(() => ['INSUFFICIENT_FUNDS', 'accepted']));
  const sizes = command
    .commits()
    .slice(before)
    .map(({ bytes }) => bytes.length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MAXIMUM_COMMIT_BYTES);
  expect((await command.batch(items)).results.map(verdictOf)).toEqual(ACCOUNTS.flatMap(() => ['INSUFFICIENT_FUNDS again', 'accepted again']));
  expect(command.troubles).toEqual([]);
});

test('what an atomic batch of expiring holds records has their timers in it', async () => {
  const [accountId = ''] = ACCOUNTS;
  await command.batch([posting('CREDIT', 'funds', 1_000n, { accountId })]);
  const holds = (expiresAfterMs: bigint) =>
    Array.from({ length: 55 }, (_, at) => posting('HOLD', `${expiresAfterMs} ${at} `.padEnd(120, 'x'), 1n, { accountId, expiresAfterMs }));
  // They fit without timers.
  expect(new Set((await command.batch(holds(0n), { atomic: true })).results.map(verdictOf))).toEqual(new Set(['accepted']));
  expect(new Set((await command.batch(holds(60_000n), { atomic: true })).results.map(verdictOf))).toEqual(new Set(['BATCH_TOO_LARGE']));
  expect(command.troubles).toEqual([]);
});
