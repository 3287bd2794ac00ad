/** Transfers as rows: whatever way the events are cut into flushes, and when a flush is repeated. */
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row, RowWrite } from '@sluice/ports';
import { CommitWriter, NO_CHECKSUM, readCommit, type DecodedCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
import { projectionId, READ_COLLECTIONS } from '../index';
import { PartitionFold } from '../partition-fold';
import { SET_ASIDE, setAsideOf } from '../set-aside';
import { accountProjection } from './account-projection';
import { TRANSFER_KEYS, TRANSFERS } from './collections';
import { GROUP_TRANSFERS, groupOf, groupRow, transferId } from './transfer-group';
import { readTransfer, transferRowsOf } from './transfer-reader';

const INCARNATION = '0123456789abcdef0123456789abcdef';
const { REJECTION_UNSPECIFIED: CREDITED, REJECTION_TARGET_CLOSED: CLOSED, REJECTION_TARGET_REFUSED: REFUSED } = accountpb.Rejection;

const recorded = (requestId: string, pending: boolean) => recordedTogether([[requestId, pending]]);
const recordedTogether = (given: readonly (readonly [requestId: string, pending: boolean])[]) =>
  accountEvents.record(
    'TransfersRecorded',
    accountpb.TransfersRecorded.encode({
      accounts: [
        {
          accountId: 'a',
          unit: 'EUR',
          pendingDates: [],
          pendingMinor: 5n * BigInt(given.filter(([, pending]) => pending).length),
          transfers: given.map(([requestId, pending]) => ({ requestId, toAccountId: 'b', amountMinor: 5n, pending })),
        },
      ],
    }).finish(),
  );
const settled = (requestId: string, rejection: accountpb.Rejection, targetReason = '') =>
  accountEvents.record(
    'TransfersSettled',
    accountpb.TransfersSettled.encode({
      accounts: [{ settledDates: [], accountId: 'a', amountMinor: 5n, transfers: [{ requestId, rejection, targetReason }] }],
    }).finish(),
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
  const loaded = new Map<string, Map<string, Row>>();
  for (const wanted of [() => fold.missing(), () => fold.linked(loaded)]) {
    for (const [collection, keys] of wanted()) {
      const rows = await copy.getMany(collection, keys);
      const found = rows.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]));
      loaded.set(collection, new Map([...(loaded.get(collection) ?? []), ...found]));
    }
  }
  const { batch } = fold.project(loaded, `attempt-${commits[0]?.sequence}`);
  await copy.apply(batch);
}

const HISTORY = [
  commit(
    1,
    recordedTogether([
      ['here', false],
      ['gone', true],
      ['back', true],
      ['late', true],
    ]),
  ),
  commit(2, settled('gone', CREDITED)),
  commit(3, settled('back', REFUSED, 'ROUND_CLOSED')),
];

async function rowsAfter(cuts: readonly (readonly DecodedCommit[])[], newFoldEach: boolean) {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  let fold = new PartitionFold(0, [accountProjection], new Map(), 100);
  for (const commits of cuts) {
    if (newFoldEach) fold = new PartitionFold(0, [accountProjection], new Map(), 100);
    await flush(copy, fold, commits);
  }
  return transfersOf(copy);
}

function transfersOf(copy: ReadCopy) {
  return Promise.all(['here', 'gone', 'back', 'late'].map((requestId) => readTransfer(copy, 'a', requestId)));
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
    expect.objectContaining({
      requestId: 'back',
      state: 'REFUNDED',
      rejection: REFUSED,
      targetReason: 'ROUND_CLOSED',
      createdAtUs: 1_000,
      settledAtUs: 3_000,
      sequence: 3,
      amountMinor: 5n,
    }),
    expect.objectContaining({ requestId: 'late', state: 'PENDING', rejection: 0, createdAtUs: 1_000, settledAtUs: 0, sequence: 1 }),
  ]);
  const [first, second, third] = HISTORY as [DecodedCommit, DecodedCommit, DecodedCommit];
  expect(await rowsAfter([[first], [second], [third]], newFoldEach)).toEqual(whole);
  expect(await rowsAfter([[first, second], [third]], newFoldEach)).toEqual(whole);
});

test('a row of version 1, which has no reasons of targets, is read', () => {
  const transfer = { requestId: 'back', amountMinor: 5n, state: 'REFUNDED', rejection: CLOSED, targetReason: '', settledAtUs: 3_000, sequence: 3 } as const;
  const group = { fromAccountId: 'a', toAccountId: 'b', unit: 'EUR', createdAtUs: 1_000, partition: 0, sequence: 3, transfers: [transfer] };
  const row = groupRow(group);
  // The reason is the last field of the last transfer: the length of an empty text.
  const bytes = (row.transfers as Uint8Array).slice(0, -1);
  bytes[0] = 1;
  expect(groupOf({ ...row, transfers: bytes })).toEqual(group);
});

test('a flush that broke off after any of its rows is repeated, cut otherwise, without a trace', async () => {
  const identity = { incarnation: INCARNATION, partitions: 2 };
  const whole = await rowsAfter([HISTORY], false);
  const [first, second, third] = HISTORY as [DecodedCommit, DecodedCommit, DecodedCommit];
  for (let written = 0; ; written += 1) {
    const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity }).current();
    const broken = new PartitionFold(0, [accountProjection], new Map(), 100);
    for (const each of HISTORY) broken.take(each);
    const { batch } = broken.project(new Map(), 'attempt-0');
    await copy.apply({ ...batch, sequence: 0, writes: batch.writes.slice(0, written) });
    const fold = new PartitionFold(0, [accountProjection], new Map(), 100);
    for (const commits of [[first], [second, third]]) await flush(copy, fold, commits);
    expect(await transfersOf(copy)).toEqual(whole);
    const rows = (await copy.find({ collection: TRANSFERS.name, limit: 10 })).rows;
    expect(rows.flatMap((row) => groupOf(row).transfers)).toHaveLength(4);
    if (written === batch.writes.length) return;
  }
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
  expect(await readTransfer(copy, 'a', 'fine')).toBeDefined();
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

  const key = transferId('a', 'here');
  const row = (await copy.get(TRANSFERS.name, key)) ?? {};
  const write = (...writes: readonly RowWrite[]) =>
    copy.apply({ partition: 0, projections: [projection], previousSequence: HISTORY.length, sequence: HISTORY.length, committedAtUs: 3_000, writes });
  const differences = async () => {
    const closer = await accountProjection.verification.aggregate(scope, { aggregate: 'transfer', key });
    for (const each of HISTORY) closer.take(each);
    return (await closer.compare())?.differences;
  };
  const group = groupOf(row);
  const forged = {
    ...group,
    transfers: group.transfers.map((transfer) => (transfer.requestId === 'back' ? { ...transfer, state: 'SETTLED' as const } : transfer)),
  };
  await write({ kind: 'delete', collection: TRANSFERS.name, key }, { kind: 'put', collection: TRANSFERS.name, row: groupRow(forged) });
  expect((await compare()).suspicious).toEqual([{ aggregate: 'transfer', key }]);
  expect(await differences()).toEqual([
    `transfer back: the log says REFUNDED, 5, rejection ${REFUSED} ROUND_CLOSED, settled at 3000, the read store SETTLED, 5, rejection ${REFUSED} ROUND_CLOSED, settled at 3000`,
  ]);

  await write({ kind: 'delete', collection: TRANSFERS.name, key }, { kind: 'put', collection: TRANSFERS.name, row });
  await write({ kind: 'delete', collection: TRANSFER_KEYS.name, key: transferId('a', 'gone') });
  expect((await compare()).suspicious).toEqual([{ aggregate: 'transfer', key }]);
  expect(await differences()).toEqual(['a key in transfer_keys is missing, or leads to another row']);
});

const many = (count: number, toAccountId: (at: number) => string) =>
  accountEvents.record(
    'TransfersRecorded',
    accountpb.TransfersRecorded.encode({
      accounts: [
        {
          accountId: 'a',
          unit: 'EUR',
          pendingDates: [],
          pendingMinor: BigInt(count),
          transfers: Array.from({ length: count }, (_, at) => ({ requestId: `r${at}`, toAccountId: toAccountId(at), amountMinor: 1n, pending: true })),
        },
      ],
    }).finish(),
  );

async function rowsOf(copy: ReadCopy): Promise<{ to: string; size: number }[]> {
  const found: { to: string; size: number }[] = [];
  for await (const row of transferRowsOf(copy, { fromAccountId: 'a' })) found.push({ to: row.to_account_id as string, size: groupOf(row).transfers.length });
  return found.sort((left, right) => left.size - right.size);
}

test('transfers of one account of a commit share a row by their target, up to a bound', async () => {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  const fold = new PartitionFold(0, [accountProjection], new Map(), 100);
  await flush(copy, fold, [
    commit(
      1,
      many(2 * GROUP_TRANSFERS + 10, (at) => (at % 2 === 0 ? 'b' : 'c')),
    ),
  ]);
  const [small, large] = [5, GROUP_TRANSFERS];
  expect(await rowsOf(copy)).toEqual([
    { to: expect.any(String), size: small },
    { to: expect.any(String), size: small },
    { to: expect.any(String), size: large },
    { to: expect.any(String), size: large },
  ]);
});

test('a projector that keeps few transfers in memory reads the rows of the others, and writes each verdict', async () => {
  const copy = await new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } }).current();
  const fold = new PartitionFold(0, [accountProjection], new Map(), 4);
  await flush(copy, fold, [
    commit(
      1,
      many(12, (at) => `b${at % 3}`),
    ),
  ]);
  for (let at = 0; at < 12; at += 1) await flush(copy, fold, [commit(at + 2, settled(`r${(at * 5) % 12}`, at % 4 === 0 ? CLOSED : CREDITED))]);
  const states = await Promise.all(Array.from({ length: 12 }, async (_, at) => (await readTransfer(copy, 'a', `r${at}`))?.state));
  expect(states.filter((state) => state === 'REFUNDED')).toHaveLength(3);
  expect(states.filter((state) => state === 'SETTLED')).toHaveLength(9);
});
