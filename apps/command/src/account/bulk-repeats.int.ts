/** Repeats in bulk, as after an outage: many requests of the past, spread over many large commits. */
import { CommitSearch } from '@sluice/engine';
import { readCommit, type DecodedCommit } from '@sluice/protocol';
import { CommandUnderTest, posting } from '../test/command-under-test';
import { recordedVerdicts } from './recorded-verdicts';

afterAll(() => CommandUnderTest.stopAll());

const COMMITS = 200;
const POSTINGS = 10_000;
const REPEATS = 1_000;

test(`${REPEATS} repeats over ${COMMITS} commits of ${POSTINGS} read each commit once, and a bystander runs between two of them`, async () => {
  const command = await CommandUnderTest.start();
  await command.open({ accountId: 'hot' });
  await command.batch(
    Array.from({ length: POSTINGS }, (_, at) => posting(at % 100 === 7 ? 'DEBIT' : 'CREDIT', `id-${at}`, at % 100 === 7 ? 1_000_000_000n : 1n)),
  );
  const bytes = [...command.storage.partitions]
    .flat()
    .map((commit) => commit.bytes)
    .reduce((longest, one) => (one.length > longest.length ? one : longest));

  const recalled: number[] = [];
  const decoded = new Map<number, DecodedCommit>();
  const search = new CommitSearch(async (sequence) => {
    recalled.push(sequence);
    decoded.clear();
    decoded.set(sequence, readCommit(bytes));
    return decoded.get(sequence) as DecodedCommit;
  });
  const rounds: number[] = [];
  let watching = true;
  const bystander = (): void => {
    rounds.push(recalled.length);
    if (watching) setImmediate(bystander);
  };
  bystander();
  const asked = Array.from({ length: REPEATS }, (_, at) => ({ sequence: 1 + (at % COMMITS), position: (at * 37) % POSTINGS }));
  const verdicts = await Promise.all(asked.map(({ sequence, position }) => search.find(recordedVerdicts, sequence, 'hot', `id-${position}`)));
  watching = false;

  expect(recalled).toHaveLength(COMMITS);
  // Commits that were searched between two rounds of the event loop.
  expect(Math.max(...rounds.map((count, at) => count - (rounds[at - 1] ?? 0)))).toBe(1);
  const refusedBefore = (position: number): number => Math.floor((position + 92) / 100);
  for (const [at, { position }] of asked.entries()) {
    const refused = position % 100 === 7;
    const balance = BigInt(position - refusedBefore(position) + (refused ? 0 : 1));
    expect(verdicts[at]).toMatchObject({ kind: 'posting', balanceAfterMinor: balance, entryNumber: refused ? 0 : Number(balance) });
  }
});
