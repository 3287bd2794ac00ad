/**
 * Whatever way a history is cut into flushes, and wherever a flush breaks off on a store without transactions: the rows in
 * the end are those of one pass, and they say what the domain says.
 */
import type { ReadCopy, RowWrite } from '@sluice/ports';
import { CommitWriter, NO_CHECKSUM, readCommit, UnknownEventError, type DecodedCommit } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { MemoryReadStore } from '@sluice/memory';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { NO_LIMITS, POSTING_TYPES } from '@sluice/domain/account';
import fc from 'fast-check';
import { READ_COLLECTIONS } from '../index';
import { PartitionFold } from '../partition-fold';
import { type LoadedRows, projectionId } from '../projection';
import { SET_ASIDE, setAsideOf } from '../set-aside';
import { accountProjection } from './account-projection';
import { accountStateOf, holdsStateOf, profileStateOf } from './account-state';
import { ACCOUNT_HOLDS, ACCOUNT_PROFILES, ACCOUNTS, ENTRY_SEGMENTS } from './collections';
import { EntryChain, type StoredRecord } from './entry-chain';

const INCARNATION = '0123456789abcdef0123456789abcdef';
const PARTITION = 3;
const ACCOUNT_IDS = ['alpha', 'beta', 'gamma'];

function openFold(cachedAccounts: number, setAside = [] as Parameters<typeof accountProjection.open>[1]): PartitionFold {
  return new PartitionFold(PARTITION, [accountProjection], new Map([[projectionId(accountProjection), setAside]]), cachedAccounts);
}

function newCopy(): Promise<ReadCopy> {
  return new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 4 } }).current();
}

async function load(copy: ReadCopy, fold: PartitionFold): Promise<LoadedRows> {
  const loaded = new Map<string, Map<string, Awaited<ReturnType<ReadCopy['get']>> & object>>();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, index) => (row === undefined ? [] : [[keys[index] as string, row] as const]))));
  }
  return loaded;
}

async function flush(copy: ReadCopy, fold: PartitionFold, commits: readonly DecodedCommit[], attempt: string) {
  for (const commit of commits) fold.take(commit);
  return fold.project(await load(copy, fold), attempt);
}

/** Applies so many of the writes and leaves the checkpoint where it is: the process died in the middle. */
async function applyTorn(copy: ReadCopy, previousSequence: number, writes: readonly RowWrite[]): Promise<void> {
  await copy.apply({
    partition: PARTITION,
    projections: [projectionId(accountProjection)],
    previousSequence,
    sequence: previousSequence,
    committedAtUs: 0,
    writes,
  });
}

async function chainOf(copy: ReadCopy, accountId: string): Promise<EntryChain> {
  const row = await copy.get(ACCOUNTS.name, accountId);
  const state = accountStateOf(row ?? fail(`no row of ${accountId}`));
  return new EntryChain(accountId, state.spine, async (segmentId) => (await copy.get(ENTRY_SEGMENTS.name, segmentId))?.blocks as Uint8Array);
}

function fail(message: string): never {
  throw new Error(message);
}

const accountIds = fc.constantFrom(...ACCOUNT_IDS);
const command: fc.Arbitrary<HistoryCommand> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('post' as const),
      accountId: accountIds,
      posting: fc.record({
        requestId: fc.uuid(),
        type: fc.constantFrom(...POSTING_TYPES),
        amountMinor: fc.bigInt(1n, 60n),
        unit: fc.constantFrom('EUR', 'EUR', 'EUR', 'USD'),
        holdId: fc.constant(''),
        final: fc.boolean(),
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('account' as const),
      accountId: accountIds,
      requestId: fc.uuid(),
      command: fc.oneof(
        fc.constant({ kind: 'freeze' as const, note: '' }),
        fc.constant({ kind: 'unfreeze' as const, note: '' }),
        fc.record({ kind: fc.constant('update' as const), product: fc.constantFrom('gold', 'silver') }),
        fc.record({
          kind: fc.constant('update' as const),
          limits: fc.record({ overdraftMinor: fc.bigInt(0n, 500n), allowedTypes: fc.constant(['CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'] as const) }),
        }),
        fc.constant({ kind: 'close' as const, note: '' }),
      ),
    }),
  },
);
const turns = fc.array(fc.array(command, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 14 });

function opening(accountId: string): HistoryCommand {
  const command = {
    kind: 'open' as const,
    accountId,
    unit: 'EUR',
    branchId: 'north',
    product: 'basic',
    limits: { ...NO_LIMITS, overdraftMinor: 100n },
    signingKeyId: '',
  };
  return { kind: 'account', accountId, requestId: `open-${accountId}`, command };
}

/** CAPTURE and RELEASE are about some open hold, so that they are not all refused. */
function aboutOpenHold(history: AccountHistory, command: HistoryCommand): HistoryCommand {
  if (command.kind !== 'post' || (command.posting.type !== 'CAPTURE' && command.posting.type !== 'RELEASE')) return command;
  const holds = [...(history.accounts.get(command.accountId)?.holds.keys() ?? [])];
  const holdId = holds[Number(command.posting.amountMinor) % Math.max(1, holds.length)] ?? 'none';
  return { ...command, posting: { ...command.posting, holdId } };
}

function makeHistory(commandsByTurn: readonly (readonly HistoryCommand[])[]): AccountHistory {
  const history = new AccountHistory({ incarnation: INCARNATION, partition: PARTITION });
  let atUs = 1_000_000;
  ACCOUNT_IDS.forEach((accountId, index) => {
    history.turn([opening(accountId), ...(commandsByTurn[index] ?? [])], (atUs += 1_000));
  });
  for (const commands of commandsByTurn.slice(ACCOUNT_IDS.length)) {
    // Some commits share their time.
    if (commands.length % 3 !== 0) atUs += 1_000;
    history.turn(
      commands.map((one) => aboutOpenHold(history, one)),
      atUs,
    );
  }
  return history;
}

async function assertShows(copy: ReadCopy, history: AccountHistory): Promise<void> {
  for (const account of history.accounts.values()) {
    const { accountId } = account;
    const state = accountStateOf((await copy.get(ACCOUNTS.name, accountId)) ?? fail(`no row of ${accountId}`));
    const records = history.records.get(accountId) ?? [];
    expect(state).toMatchObject({
      balanceMinor: account.balanceMinor,
      heldMinor: account.heldMinor,
      version: account.version,
      entryCount: account.entryCount,
      rejectionCount: account.rejectionCount,
      recordCount: records.length,
      balanceUpdatedAtUs: account.balanceUpdatedAtUs,
    });
    const profile = profileStateOf((await copy.get(ACCOUNT_PROFILES.name, accountId)) ?? fail(`no profile of ${accountId}`));
    const { unit, branchId, product, status, signingKeyId, openedAtUs } = account;
    expect(profile).toMatchObject({ unit, branchId, product, status, signingKeyId, openedAtUs, limits: { ...account.limits } });
    expect(profile.sequence).toBe(state.profileSequence);
    const holds = await copy.get(ACCOUNT_HOLDS.name, accountId);
    expect([...(holds === undefined ? [] : holdsStateOf(holds).holds)]).toEqual([...account.holds]);
    expect((holds?.sequence ?? 0) as number).toBe(state.holdsSequence);
    const chain = await chainOf(copy, accountId);
    expect((await chain.records('record', 1, records.length)).reverse().map(comparable)).toEqual(
      records.map((record) => ({ ...record, rejection: record.rejection ?? '' })),
    );
  }
}

function comparable(record: StoredRecord) {
  return {
    requestId: record.posting.requestId,
    type: accountpb.PostingType[record.posting.type]?.slice('POSTING_TYPE_'.length),
    amountMinor: record.posting.amountMinor,
    balanceAfterMinor: record.balanceAfterMinor,
    heldAfterMinor: record.heldAfterMinor,
    entryNumber: record.entryNumber,
    sequence: record.sequence,
    committedAtUs: record.committedAtUs,
    rejection: record.rejection === 0 ? '' : accountpb.Rejection[record.rejection]?.slice('REJECTION_'.length),
  };
}

test('any cut into flushes, with crashes in the middle of writes, ends with the rows that the domain says', async () => {
  const cuts = fc.array(fc.record({ commits: fc.integer({ min: 1, max: 6 }), torn: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }) }), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(turns, cuts, fc.constantFrom(2, 4, 100), async (commandsByTurn, flushes, cachedAccounts) => {
      const history = makeHistory(commandsByTurn);
      const commits = history.commits.map((commit) => readCommit(commit.bytes));
      const copy = await newCopy();
      let fold = openFold(cachedAccounts);
      let done = 0;
      for (let attempt = 0; done < commits.length; attempt += 1) {
        // Once the cuts are used up nothing breaks any more.
        const { commits: count, torn } = flushes[attempt] ?? { commits: 3, torn: null };
        const taken = commits.slice(done, done + count);
        const { batch, setAside } = await flush(copy, fold, taken, `attempt-${attempt}`);
        expect(setAside).toEqual([]);
        if (torn === null) {
          await copy.apply(batch);
          done = batch.sequence;
        } else {
          await applyTorn(copy, done, batch.writes.slice(0, Math.round(batch.writes.length * torn)));
          fold = openFold(cachedAccounts);
        }
      }
      await assertShows(copy, history);
    }),
    { numRuns: 120 },
  );
});

test('searching by number, time and sequence finds what a scan finds', async () => {
  await fc.assert(
    fc.asyncProperty(turns, fc.integer({ min: 1, max: 4 }), fc.infiniteStream(fc.nat(10_000)), async (commandsByTurn, perFlush, choices) => {
      const history = makeHistory([...commandsByTurn, ...commandsByTurn]);
      const commits = history.commits.map((commit) => readCommit(commit.bytes));
      const copy = await newCopy();
      const fold = openFold(100);
      for (let at = 0; at < commits.length; at += perFlush)
        await copy.apply((await flush(copy, fold, commits.slice(at, at + perFlush), `attempt-${at}`)).batch);
      const pick = (bound: number): number => (choices.next().value as number) % bound;
      for (const [accountId, records] of history.records) {
        const chain = await chainOf(copy, accountId);
        const entries = records.filter((record) => record.rejection === undefined);
        const first = 1 + pick(records.length);
        const last = first + pick(8);
        expect((await chain.records('record', first, last)).map((record) => record.posting.requestId)).toEqual(
          records
            .slice(first - 1, last)
            .map((record) => record.requestId)
            .reverse(),
        );
        expect((await chain.records('entry', first, last)).map((record) => record.entryNumber)).toEqual(
          entries
            .slice(first - 1, last)
            .map((entry) => entry.entryNumber)
            .reverse(),
        );
        const sequence = pick(commits.length + 3);
        const bySequence = records.filter((record) => record.sequence < sequence);
        expect((await chain.momentBeforeSequence(sequence))?.recordCount ?? 0).toBe(bySequence.length);
        const timeUs = 1_000_000 + pick(commits.length * 1_000 + 2_000);
        const byTime = records.filter((record) => record.committedAtUs < timeUs);
        const moment = await chain.momentBeforeTime(timeUs);
        expect(moment?.recordCount ?? 0).toBe(byTime.length);
        expect(moment?.balanceMinor).toBe(byTime.at(-1)?.balanceAfterMinor);
        expect(moment?.entryCount ?? 0).toBe(byTime.filter((record) => record.rejection === undefined).length);
      }
    }),
    { numRuns: 60 },
  );
});

test('a commit larger than a segment is cut between records and read as one', async () => {
  const history = new AccountHistory({ incarnation: INCARNATION, partition: PARTITION });
  history.turn([opening('alpha')], 1_000_000);
  const postings = Array.from({ length: 4_000 }, (_, index): HistoryCommand => {
    const type = index % 7 === 3 ? 'DEBIT' : index % 5 === 0 ? 'HOLD' : 'CREDIT';
    return {
      kind: 'post',
      accountId: 'alpha',
      posting: {
        requestId: `request-${index}-${'x'.repeat(index % 60)}`,
        type,
        amountMinor: BigInt((1 + (index % 400)) * (type === 'DEBIT' ? 9 : 1)),
        unit: 'EUR',
        holdId: '',
        final: false,
      },
    };
  });
  history.turn(postings, 1_001_000);
  history.turn(
    postings
      .slice(0, 5)
      .map((one, index) => ({ ...one, posting: { ...(one as HistoryCommand & { kind: 'post' }).posting, requestId: `later-${index}` } }) as HistoryCommand),
    1_002_000,
  );
  const copy = await newCopy();
  const fold = openFold(100);
  await copy.apply(
    (
      await flush(
        copy,
        fold,
        history.commits.map((commit) => readCommit(commit.bytes)),
        'attempt',
      )
    ).batch,
  );
  const { rows: segments } = await copy.find({ collection: ENTRY_SEGMENTS.name, limit: 100 });
  expect(segments.length).toBeGreaterThan(4);
  for (const segment of segments) expect((segment.blocks as Uint8Array).length).toBeLessThan(70_000);
  expect(history.records.get('alpha')?.some((record) => record.rejection !== undefined)).toBe(true);
  await assertShows(copy, history);
  const chain = await chainOf(copy, 'alpha');
  expect((await chain.momentBeforeSequence(3))?.recordCount).toBe(4_000);
});

test('an account whose row does not continue is set aside, the others go on', async () => {
  const history = new AccountHistory({ incarnation: INCARNATION, partition: PARTITION });
  history.turn([opening('alpha'), opening('beta')], 1_000_000);
  const credit = (accountId: string, requestId: string): HistoryCommand => ({
    kind: 'post',
    accountId,
    posting: { requestId, type: 'CREDIT', amountMinor: 10n, unit: 'EUR', holdId: '', final: false },
  });
  history.turn([credit('alpha', '1'), credit('beta', '2')], 1_001_000);
  history.turn([credit('alpha', '3'), credit('beta', '4')], 1_002_000);
  const [first, second, third] = history.commits.map((commit) => readCommit(commit.bytes)) as [DecodedCommit, DecodedCommit, DecodedCommit];
  const copy = await newCopy();
  await copy.apply((await flush(copy, openFold(100), [first], 'a')).batch);
  const row = (await copy.get(ACCOUNTS.name, 'alpha')) ?? fail('no row');
  await applyTorn(copy, 1, [
    { kind: 'delete', collection: ACCOUNTS.name, key: 'alpha' },
    { kind: 'put', collection: ACCOUNTS.name, row: { ...row, balance_minor: 7n } },
  ]);
  const { batch, setAside } = await flush(copy, openFold(100), [second], 'b');
  await copy.apply(batch);
  expect(setAside).toEqual([{ aggregate: 'account', key: 'alpha', partition: PARTITION, sequence: 2, error: expect.stringContaining('the row stands at 7') }]);
  const equals = { projection: projectionId(accountProjection), partition: PARTITION };
  const { rows: asideRows } = await copy.find({ collection: SET_ASIDE.name, index: 'by_partition', equals, limit: 10 });
  const listed = asideRows.map(setAsideOf);
  expect(listed).toEqual(setAside);
  const later = await flush(copy, openFold(100, listed), [third], 'c');
  await copy.apply(later.batch);
  expect(later.setAside).toEqual([]);
  expect((await copy.get(ACCOUNTS.name, 'beta'))?.balance_minor).toBe(20n);
  expect((await copy.get(ACCOUNTS.name, 'alpha'))?.balance_minor).toBe(7n);
});

test.each`
  type                          | version
  ${'account.PostingsRecorded'} | ${2}
  ${'account.Teleported'}       | ${1}
  ${'contest.Started'}          | ${1}
  ${'log.OwnershipTaken'}       | ${2}
`('an unknown event ($type, version $version) stops loudly', ({ type, version }) => {
  const writer = new CommitWriter();
  writer.begin(
    { incarnation: Buffer.from(INCARNATION, 'hex'), partition: PARTITION, sequence: 1, epoch: 1, committedAtUs: 1, previousChecksum: NO_CHECKSUM },
    [],
  );
  writer.event(type, version, new Uint8Array(0));
  expect(() => openFold(1).take(readCommit(writer.finish()))).toThrow(UnknownEventError);
});
