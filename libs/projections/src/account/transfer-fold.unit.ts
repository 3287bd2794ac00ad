/** Transfers as rows: whatever way the events are cut into flushes, and when a flush is repeated. */
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy } from '@sluice/ports';
import { CommitWriter, NO_CHECKSUM, readCommit, type DecodedCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
import { projectionId, READ_COLLECTIONS } from '../index';
import { PartitionFold } from '../partition-fold';
import { SET_ASIDE, setAsideOf } from '../set-aside';
import { accountProjection } from './account-projection';
import { TRANSFERS } from './collections';
import { transferId, transferRowOf } from './transfer-row';

const INCARNATION = '0123456789abcdef0123456789abcdef';
const { REJECTION_UNSPECIFIED: CREDITED, REJECTION_TARGET_CLOSED: CLOSED } = accountpb.Rejection;

const recorded = (requestId: string, pending: boolean) =>
  accountEvents.record(
    'TransfersRecorded',
    accountpb.TransfersRecorded.encode({
      accounts: [{ accountId: 'a', unit: 'EUR', pendingMinor: pending ? 5n : 0n, transfers: [{ requestId, toAccountId: 'b', amountMinor: 5n, pending }] }],
    }).finish(),
  );
const settled = (requestId: string, rejection: accountpb.Rejection) =>
  accountEvents.record(
    'TransfersSettled',
    accountpb.TransfersSettled.encode({ accounts: [{ accountId: 'a', amountMinor: 5n, transfers: [{ requestId, rejection }] }] }).finish(),
  );

function commit(sequence: number, ...events: ReturnType<typeof recorded>[]): DecodedCommit {
  const writer = new CommitWriter();
  writer.begin(
    { incarnation: Buffer.from(INCARNATION, 'hex'), partition: 0, sequence, epoch: 1, committedAtUs: sequence * 1_000, previousChecksum: NO_CHECKSUM },
    [],
  );
  for (const { type, version, payload } of events) writer.event(type, version, payload);
  return readCommit(writer.finish());
}

async function flush(copy: ReadCopy, fold: PartitionFold, commits: readonly DecodedCommit[]) {
  for (const each of commits) fold.take(each);
  const loaded = new Map();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[keys[at], row] as const]))));
  }
  const { batch } = fold.project(loaded, `attempt-${commits[0]?.sequence}`);
  await copy.apply(batch);
}

const HISTORY = [
  commit(1, recorded('here', false), recorded('gone', true), recorded('back', true), recorded('late', true)),
  commit(2, settled('gone', CREDITED)),
  commit(3, settled('back', CLOSED)),
];

async function rowsAfter(cuts: readonly (readonly DecodedCommit[])[], newFoldEach: boolean) {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  let fold = new PartitionFold(0, [accountProjection], new Map(), 100);
  for (const commits of cuts) {
    if (newFoldEach) fold = new PartitionFold(0, [accountProjection], new Map(), 100);
    await flush(copy, fold, commits);
  }
  const rows = await copy.getMany(
    TRANSFERS.name,
    ['here', 'gone', 'back', 'late'].map((requestId) => transferId('a', requestId)),
  );
  return rows.map((row) => row && transferRowOf(row));
}

test.each([true, false])('the rows are the same however the history is cut (a new projector for every flush: %s)', async (newFoldEach) => {
  const whole = await rowsAfter([HISTORY], newFoldEach);
  expect(whole).toEqual([
    expect.objectContaining({
      requestId: 'here',
      state: 'SETTLED',
      rejection: 0,
      createdAtUs: 1_000,
      settledAtUs: 1_000,
      sequence: 1,
      fromAccountId: 'a',
      toAccountId: 'b',
    }),
    expect.objectContaining({ requestId: 'gone', state: 'SETTLED', rejection: 0, createdAtUs: 1_000, settledAtUs: 2_000, sequence: 2, unit: 'EUR' }),
    expect.objectContaining({ requestId: 'back', state: 'REFUNDED', rejection: CLOSED, createdAtUs: 1_000, settledAtUs: 3_000, sequence: 3, amountMinor: 5n }),
    expect.objectContaining({ requestId: 'late', state: 'PENDING', rejection: 0, createdAtUs: 1_000, settledAtUs: 0, sequence: 1 }),
  ]);
  const [first, second, third] = HISTORY as [DecodedCommit, DecodedCommit, DecodedCommit];
  expect(await rowsAfter([[first], [second], [third]], newFoldEach)).toEqual(whole);
  expect(await rowsAfter([[first, second], [third]], newFoldEach)).toEqual(whole);
});

test.each([
  ['of a transfer that is not there', [settled('x', CREDITED)]],
  ['of a transfer that ended', [recorded('x', true), settled('x', CREDITED), settled('x', CLOSED)]],
  ['that comes as a second record', [recorded('x', true), recorded('x', true)]],
])('a verdict %s sets the transfer aside, and the others go on', async (_what, events) => {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  const fold = new PartitionFold(0, [accountProjection], new Map(), 100);
  // One event per commit, as the log has them.
  for (const [at, event] of events.entries()) await flush(copy, fold, [commit(at + 1, event)]);
  await flush(copy, fold, [commit(events.length + 1, recorded('fine', false))]);
  const aside = await copy.find({
    collection: SET_ASIDE.name,
    index: 'by_partition',
    equals: { projection: projectionId(accountProjection), partition: 0 },
    limit: 10,
  });
  expect(aside.rows.map(setAsideOf)).toEqual([expect.objectContaining({ aggregate: 'transfer', key: transferId('a', 'x') })]);
  expect(await copy.get(TRANSFERS.name, transferId('a', 'fine'))).toBeDefined();
});

test('the verification finds a row that is not what the log says, and nothing else', async () => {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  await flush(copy, new PartitionFold(0, [accountProjection], new Map(), 100), HISTORY);
  const projection = projectionId(accountProjection);
  const pause = () => () => Promise.reject(new Error('no row is torn'));
  const scope = { copy, projection, partition: 0, head: HISTORY.length, pause, signal: new AbortController().signal };
  const compare = async () => {
    const run = await accountProjection.verification.partition(scope);
    for (const each of HISTORY) run.take(each);
    return run.compare();
  };
  expect(await compare()).toMatchObject({ compared: { transfers: 4 }, suspicious: [] });

  const key = transferId('a', 'back');
  const row = (await copy.get(TRANSFERS.name, key)) ?? {};
  const writes = [
    { kind: 'delete', collection: TRANSFERS.name, key },
    { kind: 'put', collection: TRANSFERS.name, row: { ...row, state: 'SETTLED' } },
  ] as const;
  await copy.apply({ partition: 0, projections: [projection], previousSequence: HISTORY.length, sequence: HISTORY.length, committedAtUs: 3_000, writes });
  const found = await compare();
  expect(found.suspicious).toEqual([{ aggregate: 'transfer', key }]);
  const closer = await accountProjection.verification.aggregate(scope, { aggregate: 'transfer', key });
  for (const each of HISTORY) closer.take(each);
  expect((await closer.compare())?.differences).toEqual(['state: the log says REFUNDED, the read store SETTLED']);
});
