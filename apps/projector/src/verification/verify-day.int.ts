/** The day proof over all partitions of a log as it was written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dateFromText } from '@sluice/domain/day';
import { MemoryEventLog } from '@sluice/memory';
import { readCommit } from '@sluice/protocol';
import { verifyDay } from './verify-day';

const GOLDEN = join(__dirname, '..', '..', '..', '..', 'test', 'e2e', 'golden', '2026-11-business-days-v1.json');
const NEVER = new AbortController().signal;

let log: MemoryEventLog;

beforeAll(async () => {
  const { incarnation, partitions, commits } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { incarnation: string; partitions: number; commits: string[][] };
  log = new MemoryEventLog({ incarnation, partitions });
  for (const text of commits.flat()) {
    const bytes = Buffer.from(text, 'base64');
    const { partition, sequence, committedAtUs, events } = readCommit(bytes);
    await log.append({ partition, sequence, bytes, commandCount: 1, committedAtUs, eventTypes: [...new Set(events.map(({ type }) => type))] });
  }
});

const verified = (branchId: string, date: string) => verifyDay({ log, signal: NEVER }, branchId, dateFromText(date) as number);

test('a date that has ended is proven over all partitions', async () => {
  expect(await verified('55', '1996-02-23')).toEqual({
    kind: 'proof',
    ...{ accounts: 6, postings: 13, failures: [], failureCount: 0 },
    sumsByUnit: new Map([['EUR', { openingMinor: 5_000n, postedMinor: 285_950n, closingMinor: 290_950n }]]),
  });
});

test.each`
  branchId | date            | kind
  ${'55'}  | ${'1996-02-22'} | ${'DATE_NOT_CLOSED'}
  ${'55'}  | ${'1996-03-24'} | ${'DATE_NOT_CLOSED'}
  ${'56'}  | ${'1996-02-23'} | ${'BRANCH_NOT_FOUND'}
`('branch $branchId at $date: $kind', async ({ branchId, date, kind }: Record<'branchId' | 'date' | 'kind', string>) => {
  expect(await verified(branchId, date)).toEqual({ kind });
});

test('a proof that is cancelled reads no further', async () => {
  await expect(verifyDay({ log, signal: AbortSignal.abort() }, '55', 9_549)).rejects.toThrow();
});
