/** The day proof over logs that a test writes: what it proves, what it finds, and when it says that a date has not ended. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dateFromText } from '@sluice/domain/day';
import { type DecodedCommit, type EventRecord, readCommit } from '@sluice/protocol';
import { accountpb, decodedAccountEvents } from '@sluice/protocol/account';
import { addProofs, DayProofFold, LISTED_FAILURES, NOTHING_PROVEN } from './day-proof';

const T = 20_784;
const record = decodedAccountEvents.record.bind(decodedAccountEvents);

const opened = (accountId: string, businessDate?: number, branchId = 'b', unit = 'EUR'): EventRecord =>
  record('AccountOpened', accountpb.AccountOpened.fromPartial({ accountId, unit, branchId, businessDate }));
const daySet = (onlineDate: number, rest: Partial<accountpb.BranchDaySet> = {}): EventRecord =>
  record('BranchDaySet', accountpb.BranchDaySet.fromPartial({ branchId: 'b', onlineDate, closedDate: onlineDate - 1, ...rest }));
const cut = (date: number): EventRecord => daySet(date + 1, { runId: `b/${date}` });
const rolled = (date: number, balances: Record<string, bigint>, complete = true): EventRecord => {
  const accounts = Object.entries(balances).map(([accountId, balanceMinor]) => ({ accountId, balanceMinor }));
  return record('AccountsRolled', accountpb.AccountsRolled.fromPartial({ branchId: 'b', date, accounts, complete }));
};

interface Posted {
  readonly accountId?: string;
  readonly before: bigint;
  /** After each request. */
  readonly after: readonly bigint[];
  readonly rejected?: readonly number[];
  /** Undefined: not dated. */
  readonly date?: number;
  readonly lastDay?: readonly [date: number, balanceMinor: bigint];
}

function posted({ accountId = 'a', before, after, rejected = [], date, lastDay = [0, 0n] }: Posted): EventRecord {
  const dated = date === undefined ? {} : { businessDate: date, lastDayDate: lastDay[0], lastDayBalanceMinor: lastDay[1] };
  const balances = { balanceBeforeMinor: before, balanceAfterMinor: after.at(-1) ?? before, balancesAfterMinor: [...after] };
  const account = accountpb.AccountPostings.fromPartial({ accountId, ...balances, rejectedPositions: [...rejected], ...dated });
  return record('PostingsRecorded', { accounts: [account] });
}

function foldOf(...events: EventRecord[]): DayProofFold {
  const fold = new DayProofFold('b', T);
  for (const [at, event] of events.entries()) fold.take({ partition: 0, sequence: at + 1, committedAtUs: 1, events: [event] } as unknown as DecodedCommit);
  return fold;
}

const sums = (openingMinor: bigint, postedMinor: bigint, closingMinor: bigint) => new Map([['EUR', { openingMinor, postedMinor, closingMinor }]]);

/** Account "a" with 5 when its branch gets its dates. */
const BEGINNING = [opened('a'), posted({ before: 0n, after: [5n] }), daySet(T)];
const OF_T = posted({ before: 5n, after: [8n, 8n, 6n], rejected: [1], date: T, lastDay: [T - 1, 5n] });

test.each<[string, EventRecord[], ReturnType<typeof sums>, number]>([
  ['nothing was posted', [cut(T), rolled(T, {})], sums(5n, 0n, 5n), 0],
  ['rolled by the sweep', [OF_T, cut(T), rolled(T, { a: 6n })], sums(5n, 1n, 6n), 2],
  ['rolled by a posting', [OF_T, cut(T), posted({ before: 6n, after: [9n], date: T + 1, lastDay: [T, 6n] }), rolled(T, {})], sums(5n, 1n, 6n), 2],
  [
    'a late leg',
    [
      OF_T,
      cut(T),
      posted({ before: 6n, after: [7n], date: T + 1, lastDay: [T, 6n] }),
      posted({ before: 7n, after: [11n], date: T, lastDay: [T, 10n] }),
      rolled(T, {}),
    ],
    sums(5n, 5n, 10n),
    3,
  ],
  ['counted to the date that it closes', [cut(T), posted({ before: 5n, after: [7n], date: T, lastDay: [T, 7n] }), rolled(T, {})], sums(5n, 2n, 7n), 1],
  ['interest of the batch', [OF_T, cut(T), rolled(T, { a: 6n }), posted({ before: 6n, after: [8n], date: T, lastDay: [T, 8n] })], sums(5n, 3n, 8n), 3],
  [
    'a date behind',
    [OF_T, cut(T), rolled(T, { a: 6n }), cut(T + 1), posted({ before: 6n, after: [9n], date: T + 2, lastDay: [T + 1, 6n] }), rolled(T + 1, {})],
    sums(5n, 1n, 6n),
    2,
  ],
  [
    'a posting of the date behind a later one',
    [cut(T), rolled(T, {}), posted({ before: 5n, after: [6n], date: T, lastDay: [T + 1, 6n] })],
    sums(5n, 1n, 6n),
    1,
  ],
  ['an account that was opened at the date', [opened('x', T), cut(T), rolled(T, {})], sums(5n, 0n, 5n), 0],
  [
    'one of another branch',
    [opened('x', T, 'c'), posted({ accountId: 'x', before: 0n, after: [3n], date: T, lastDay: [T - 1, 9n] }), cut(T), rolled(T, {})],
    sums(5n, 0n, 5n),
    0,
  ],
])('proven: %s', (_what, events, expected, postings) => {
  const fold = foldOf(...BEGINNING, ...events);
  expect([fold.isDated, fold.isClosed]).toEqual([true, true]);
  expect(fold.proof()).toMatchObject({ postings, failures: [], failureCount: 0, sumsByUnit: expected });
});

test.each<[string, EventRecord[], [bigint, bigint, bigint]]>([
  ['the sweep left it out', [OF_T, cut(T), rolled(T, {})], [5n, 1n, 5n]],
  ['the sweep has another balance', [OF_T, cut(T), rolled(T, { a: 7n })], [5n, 1n, 7n]],
  ['a posting has another last-day balance', [OF_T, cut(T), posted({ before: 6n, after: [9n], date: T + 1, lastDay: [T, 9n] }), rolled(T, {})], [5n, 1n, 9n]],
  ['a posting of the date is missing', [cut(T), rolled(T, { a: 6n })], [5n, 0n, 6n]],
])('found: %s', (_what, events, [openingMinor, postedMinor, closingMinor]) => {
  const { failures, failureCount } = foldOf(...BEGINNING, ...events).proof();
  expect([failures, failureCount]).toEqual([[{ accountId: 'a', openingMinor, postedMinor, closingMinor }], 1]);
});

test.each<[string, EventRecord[], boolean, boolean]>([
  ['a branch without dates', [opened('a')], false, false],
  ['a date that is online', BEGINNING, true, false],
  ['a date that is cut, but not rolled', [...BEGINNING, cut(T)], true, false],
  ['a sweep in its middle', [...BEGINNING, cut(T), rolled(T, {}, false)], true, false],
  ['a date before the branch had any', [daySet(T + 1), cut(T + 1), rolled(T + 1, {})], true, false],
  ['a date that comes again', [...BEGINNING, cut(T), rolled(T, {}), daySet(T, { byHand: true })], true, false],
  ['a date that was ended by hand', [...BEGINNING, daySet(T + 1, { byHand: true })], true, true],
])('%s', (_what, events, isDated, isClosed) => {
  const fold = foldOf(...events);
  expect([fold.isDated, fold.isClosed]).toEqual([isDated, isClosed]);
});

test('where a date comes again, what was posted at it before belongs to the opening', () => {
  const again = [cut(T), rolled(T, { a: 6n }), daySet(T, { byHand: true }), posted({ before: 6n, after: [16n], date: T, lastDay: [T - 1, 6n] })];
  expect(foldOf(...BEGINNING, OF_T, ...again, cut(T), rolled(T, { a: 16n })).proof()).toMatchObject({
    postings: 1,
    failures: [],
    sumsByUnit: sums(6n, 10n, 16n),
  });
});

test('an account that was opened at a later date counts if something of the date reached it', () => {
  const events = [...BEGINNING, cut(T), opened('late', T + 1), opened('later', T + 1)];
  const leg = posted({ accountId: 'late', before: 0n, after: [4n], date: T, lastDay: [T, 4n] });
  expect(foldOf(...events, leg, rolled(T, {})).proof()).toMatchObject({ accounts: 2, postings: 1, failures: [], sumsByUnit: sums(5n, 4n, 9n) });
});

test('proofs of partitions are added up; the first hundred failures are listed', () => {
  const many = Array.from({ length: 80 }, (_, at) => [
    opened(`a${at}`),
    posted({ accountId: `a${at}`, before: 0n, after: [1n], date: T, lastDay: [T - 1, 0n] }),
  ]).flat();
  const one = foldOf(daySet(T), ...many, cut(T), rolled(T, {})).proof();
  const both = addProofs(addProofs(NOTHING_PROVEN, one), one);
  expect(both).toMatchObject({ accounts: 160, postings: 160, failureCount: 160, sumsByUnit: sums(0n, 160n, 0n) });
  expect(both.failures).toHaveLength(LISTED_FAILURES);
});

const GOLDEN = join(__dirname, '..', '..', '..', '..', '..', 'test', 'e2e', 'golden', '2026-11-business-days-v1.json');

test.each`
  date            | closed   | postings | posted      | closing
  ${'1996-02-22'} | ${false} | ${0}     | ${0n}       | ${5_000n}
  ${'1996-02-23'} | ${true}  | ${13}    | ${285_950n} | ${290_950n}
  ${'1996-02-26'} | ${true}  | ${5}     | ${10n}      | ${290_960n}
  ${'1996-03-23'} | ${true}  | ${4}     | ${86n}      | ${291_046n}
  ${'1996-03-24'} | ${false} | ${1}     | ${5n}       | ${291_046n}
`('a log as it was written, with late legs, interest and dates that were set ahead: $date', ({ date, closed, postings, posted: postedMinor, closing }) => {
  const { commits } = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { commits: string[][] };
  let proof = NOTHING_PROVEN;
  let isClosed = true;
  for (const log of commits) {
    const fold = new DayProofFold('55', dateFromText(date as string) as number);
    for (const text of log) fold.take(readCommit(Buffer.from(text, 'base64')));
    isClosed &&= fold.isClosed;
    proof = addProofs(proof, fold.proof());
  }
  expect([isClosed, proof.postings, proof.sumsByUnit.get('EUR')]).toMatchObject([closed, postings, { postedMinor, closingMinor: closing }]);
  if (isClosed) expect(proof.failures).toEqual([]);
});
