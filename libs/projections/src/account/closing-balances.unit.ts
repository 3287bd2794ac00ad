/**
 * Whatever happens on a branch's dates (late and early legs, sweeps, dates set by hand), whatever way it is cut into flushes, and wherever a flush breaks off: each date closes with
 * the sum of what was booked up to it.
 */
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { DATED_BRANCH, DatedHistory } from '@sluice/testing';
import fc from 'fast-check';
import { readBranchClosings } from '../branch-closings';
import { READ_COLLECTIONS } from '../index';
import { PartitionFold } from '../partition-fold';
import { type LoadedRows, projectionId } from '../projection';
import { accountProjection } from './account-projection';
import { readAccount } from './account-reader';
import { closingBalanceAt } from './closing-reader';
import { ACCOUNT_BRANCH_DAYS, CLOSING_BALANCES } from './collections';
import { lastDayOf } from './last-day';
import { readAgainAtOnce } from '../torn-read';
import { segmentLoader } from './segment-loader';
import { accountVerification } from './verification/account-verification';

const INCARNATION = '0123456789abcdef0123456789abcdef';
const PARTITION = 2;
const FIRST_ONLINE = 100;
const IDS = ['alpha', 'beta', 'gamma', 'delta'];

type Step =
  | { readonly kind: 'post' | 'late' | 'early'; readonly account: number; readonly deltaMinor: bigint }
  | { readonly kind: 'open' | 'day' }
  | { readonly kind: 'sweep'; readonly size: number }
  | { readonly kind: 'set'; readonly days: number };

const account = fc.nat(IDS.length - 1);
const deltaMinor = fc.constantFrom(-7n, -5n, 3n, 5n, 7n);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('post' as const), account, deltaMinor }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('late' as const), account, deltaMinor }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('early' as const), account, deltaMinor }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), size: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('day' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('set' as const), days: fc.integer({ min: -3, max: 3 }) }) },
);

/** Commits of what the steps ask for, as far as it may happen. */
function historyOf(turns: readonly (readonly Step[])[]): DatedHistory {
  const history = new DatedHistory({ incarnation: INCARNATION, partition: PARTITION });
  const opened: string[] = [];
  let setByHand = false;
  const open = (): void => {
    const accountId = IDS[opened.length];
    if (accountId === undefined) return;
    opened.push(accountId);
    history.add({ kind: 'open', accountId });
  };
  open();
  open();
  history.end();
  for (const steps of turns) {
    for (const one of steps) takeStep(one);
    history.end();
  }
  return history;

  function takeStep(one: Step): void {
    switch (one.kind) {
      case 'open':
        return open();
      case 'set':
        setByHand ||= history.online !== undefined;
        // What comes before it in its commit, or behind it, is told apart where dates are set for the first time only.
        if (setByHand) history.end();
        history.add({ kind: 'set', online: (history.online ?? FIRST_ONLINE) + one.days });
        return setByHand ? history.end() : undefined;
      case 'sweep':
        return history.online === undefined ? undefined : history.add(one);
      case 'day':
        if (history.online === undefined) return history.add({ kind: 'set', online: FIRST_ONLINE });
        history.end();
        if (history.rolled !== history.online - 1) history.add({ kind: 'sweep', size: 2 });
        return history.add({ kind: 'cut' });
      default: {
        const accountId = opened[one.account % opened.length] as string;
        const closed = (history.online ?? 0) - 1;
        // Where dates are set, legs of a later date and legs of an earlier one behind them are not told apart.
        if (one.kind === 'early' && (setByHand || closed === history.sealed)) return;
        // A leg of the date before comes to accounts that were there then, and while that date is not sealed.
        if (one.kind === 'late' && (closed <= (history.sealed ?? 0) || history.closedWith(accountId, closed) === undefined)) return;
        const initiated = one.kind === 'post' || history.online === undefined ? {} : { initiated: one.kind };
        return history.add({ kind: 'post', accountId, deltaMinor: one.deltaMinor, ...initiated });
      }
    }
  }
}

function openFold(): PartitionFold {
  return new PartitionFold(PARTITION, [accountProjection], new Map(), 3);
}

async function load(copy: ReadCopy, fold: PartitionFold): Promise<LoadedRows> {
  const loaded = new Map<string, Map<string, Awaited<ReturnType<ReadCopy['get']>> & object>>();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, index) => (row === undefined ? [] : [[keys[index] as string, row] as const]))));
  }
  return loaded;
}

const cuts = fc.array(fc.record({ commits: fc.integer({ min: 1, max: 6 }), torn: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }) }), {
  maxLength: 30,
});

async function projected(history: DatedHistory, flushes: readonly { readonly commits: number; readonly torn: number | null }[]): Promise<ReadCopy> {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 4 } }).current();
  let fold = openFold();
  let done = 0;
  for (let attempt = 0; done < history.commits.length; attempt += 1) {
    const { commits, torn } = flushes[attempt] ?? { commits: 3, torn: null };
    for (const commit of history.commits.slice(done, done + commits)) fold.take(commit);
    const { batch, setAside } = fold.project(await load(copy, fold), `attempt-${attempt}`);
    expect(setAside).toEqual([]);
    if (torn === null) {
      await copy.apply(batch);
      done = batch.sequence;
      continue;
    }
    await copy.apply({
      ...batch,
      sequence: batch.previousSequence,
      projections: [projectionId(accountProjection)],
      writes: batch.writes.slice(0, Math.round(batch.writes.length * torn)),
    });
    fold = openFold();
  }
  return copy;
}

test('each date closes with the sum of what was booked up to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { maxLength: 25 }), cuts, async (turns, flushes) => {
      const history = historyOf(turns);
      const copy = await projected(history, flushes);
      expect(await verified(copy, history)).toEqual([]);
      for (const accountId of history.accounts.keys()) {
        const snapshot = (await readAccount(copy, accountId, false)) ?? fail(accountId);
        const lastDayDate = history.lastDayDate(accountId);
        const lastDay = lastDayOf(snapshot);
        expect([accountId, lastDay?.date, lastDay?.balanceMinor]).toEqual([
          accountId,
          lastDayDate,
          lastDayDate === undefined ? undefined : history.accounts.get(accountId)?.day.lastDayBalanceMinor,
        ]);
        for (let date = FIRST_ONLINE - 8; date <= (history.online ?? FIRST_ONLINE) + 2; date += 1) {
          const found = await closingBalanceAt(copy, snapshot, date, segmentLoader(copy));
          expect([accountId, date, found]).toEqual([accountId, date, expected(history, accountId, date)]);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('a page of a branch says what its accounts closed a date with', async () => {
  const history = new DatedHistory({ incarnation: INCARNATION, partition: PARTITION });
  history.turn(['alpha', 'beta'].map((accountId) => ({ kind: 'open', accountId })));
  history.turn([{ kind: 'post', accountId: 'alpha', deltaMinor: 100n }]);
  history.turn([{ kind: 'set', online: FIRST_ONLINE }]);
  history.turn([{ kind: 'post', accountId: 'beta', deltaMinor: 7n }, { kind: 'cut' }]);
  history.turn([{ kind: 'open', accountId: 'gamma' }]);
  history.turn([{ kind: 'post', accountId: 'gamma', deltaMinor: 3n }]);
  const before = await projected(history, []);
  history.turn([{ kind: 'sweep', size: 2 }]);
  const copy = await projected(history, []);

  const closing = (accountId: string, balanceMinor: bigint) => ({ accountId, product: 'basic', unit: 'EUR', balanceMinor });
  const query = { branchId: DATED_BRANCH, date: FIRST_ONLINE, limit: 2 };
  const first = await readBranchClosings(copy, query);
  expect(first).toMatchObject({ closings: [closing('alpha', 100n), closing('beta', 7n)], notClosed: [] });
  expect(await readBranchClosings(copy, { ...query, after: first.next ?? [] })).toEqual({ closings: [], notClosed: [], next: undefined });
  expect((await readBranchClosings(copy, { ...query, date: FIRST_ONLINE - 1 })).closings).toEqual([closing('alpha', 100n), closing('beta', 0n)]);
  expect(await readBranchClosings(before, query)).toMatchObject({ closings: [], notClosed: ['alpha', 'beta'] });
  expect(await readBranchClosings(copy, { ...query, branchId: 'south' })).toEqual({ closings: [], notClosed: [], next: undefined });
});

test('a date without postings costs an account no row', async () => {
  const history = new DatedHistory({ incarnation: INCARNATION, partition: PARTITION });
  history.turn([
    { kind: 'open', accountId: 'alpha' },
    { kind: 'set', online: FIRST_ONLINE },
  ]);
  history.turn([{ kind: 'post', accountId: 'alpha', deltaMinor: 5n }]);
  for (let days = 0; days < 5; days += 1) history.turn([{ kind: 'cut' }, { kind: 'sweep', size: 10 }]);
  history.turn([{ kind: 'post', accountId: 'alpha', deltaMinor: 7n }]);
  history.turn([{ kind: 'cut' }]);
  history.turn([{ kind: 'post', accountId: 'alpha', deltaMinor: -1n }]);
  const copy = await projected(history, []);
  const { rows } = await copy.find({ collection: CLOSING_BALANCES.name, limit: 10 });
  expect(rows.map(({ closing_id, balance_minor }) => [closing_id, balance_minor])).toEqual([
    ['12/5:alpha/1970-04-11', 5n],
    ['12/5:alpha/1970-04-16', 12n],
  ]);
});

async function verified(copy: ReadCopy, { commits }: DatedHistory): Promise<unknown[]> {
  const scope = {
    copy,
    projection: projectionId(accountProjection),
    partition: PARTITION,
    head: commits.length,
    pause: () => readAgainAtOnce,
    signal: new AbortController().signal,
  };
  const partition = await accountVerification.partition(scope);
  for (const commit of commits) partition.take(commit);
  const { faults, suspicious } = await partition.compare();
  const found: unknown[] = [...faults];
  for (const name of suspicious) {
    const one = await accountVerification.aggregate(scope, name);
    for (const commit of commits) one.take(commit);
    const comparison = await one.compare();
    // Rows that dates set back have brought again are compared one by one: only digests may differ.
    if (comparison?.differences.length !== 0) found.push([name, comparison?.differences]);
  }
  return found;
}

test.each`
  what                                          | collection                  | change                               | said
  ${'a closing balance of another amount'}      | ${CLOSING_BALANCES.name}    | ${{ balance_minor: 6n }}             | ${['closing balance of 1970-04-11: the log says 5, the read store 6']}
  ${'a date that a branch is not rolled up to'} | ${ACCOUNT_BRANCH_DAYS.name} | ${{ rolled_date: FIRST_ONLINE + 1 }} | ${['rolled_date: the log says 100, the read store 101']}
  ${'another date of dates that were set'}      | ${ACCOUNT_BRANCH_DAYS.name} | ${{ set_dates: '[]' }}               | ${['set_dates: the log says [[1,1000000,99]], the read store []']}
`('the verification finds $what', async ({ collection, change, said }) => {
  const history = new DatedHistory({ incarnation: INCARNATION, partition: PARTITION });
  history.turn([
    { kind: 'open', accountId: 'alpha' },
    { kind: 'set', online: FIRST_ONLINE },
    { kind: 'post', accountId: 'alpha', deltaMinor: 5n },
  ]);
  history.turn([{ kind: 'cut' }]);
  history.turn([{ kind: 'sweep', size: 10 }]);
  const copy = await projected(history, []);
  expect(await verified(copy, history)).toEqual([]);
  const row = (await copy.find({ collection, range: { from: '1' }, direction: 'descending', limit: 1 })).rows[0] as Row;
  const writes = [{ kind: 'put' as const, collection, row: { ...row, ...change } }];
  const key = Object.values(row)[0] as string;
  await copy.apply({
    partition: PARTITION,
    projections: [projectionId(accountProjection)],
    previousSequence: 3,
    sequence: 3,
    committedAtUs: 3,
    writes: [{ kind: 'delete', collection, key }, ...writes],
  });
  expect(await verified(copy, history)).toMatchObject([[{}, said]]);
});

function expected(history: DatedHistory, accountId: string, date: number) {
  const lastDayDate = history.lastDayDate(accountId);
  if (lastDayDate === undefined) return { kind: 'NO_BUSINESS_DATES' };
  if (date > lastDayDate) return { kind: 'DATE_NOT_CLOSED' };
  const balanceMinor = history.closedWith(accountId, date);
  return balanceMinor === undefined ? { kind: 'ACCOUNT_NOT_OPEN_THEN' } : { kind: 'closed', balanceMinor };
}

function fail(accountId: string): never {
  throw new Error(`no row of ${accountId}`);
}
