/** Many accounts read from MongoDB while a projector writes the rows of a commit that changes all of them. */
import { NO_LIMITS } from '@sluice/domain/account';
import type { ProjectedBatch, ReadCopy } from '@sluice/ports';
import { PartitionFold, projectionId, READ_COLLECTIONS, TornReadError } from '@sluice/projections';
import { accountProjection, readAccountsOfOneMoment } from '@sluice/projections/account';
import { readCommit } from '@sluice/protocol';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { MongoReadStore } from './mongo-read-store';
import { describeOnMongo, type FreshDatabase, freshDatabase } from './test/fresh-database';

/** More than the server answers at once. */
const ACCOUNTS = 200;
const IDENTITY = { incarnation: 'ab'.repeat(16), partitions: 1 };

describeOnMongo('accounts of one moment on MongoDB', () => {
  const accountIds = Array.from({ length: ACCOUNTS }, (_, index) => `account-${String(index).padStart(3, '0')}`);
  let database: FreshDatabase;
  let store: MongoReadStore;
  let copy: ReadCopy;
  /** Of the commit that moves 1 from each account of the second half to one of the first. */
  let batch: ProjectedBatch;

  beforeEach(async () => {
    database = await freshDatabase();
    store = new MongoReadStore({ connection: await database.connect(), collections: READ_COLLECTIONS, identity: IDENTITY });
    copy = await store.current();
    const history = new AccountHistory({ incarnation: IDENTITY.incarnation, partition: 0 });
    history.turn(accountIds.map(open), 1);
    history.turn(
      accountIds.map((accountId, index) => move(accountId, index < ACCOUNTS / 2)),
      2,
    );
    const fold = new PartitionFold(0, [accountProjection], new Map(), ACCOUNTS * 2);
    const [opened, moved] = history.commits.map(({ bytes, sequence }) => {
      fold.take(readCommit(bytes));
      // The fold remembers its accounts.
      fold.missing();
      return fold.project(new Map(), `attempt-${sequence}`).batch;
    });
    await copy.apply(opened as ProjectedBatch);
    batch = moved as ProjectedBatch;
  });

  afterEach(async () => {
    await store.close();
    await database.dispose();
  });

  /** The rows of the first half of the accounts, as a projector leaves them that is in the middle of the write. */
  const writeHalf = (): Promise<void> =>
    copy.apply({ ...batch, sequence: batch.previousSequence, writes: batch.writes.slice(0, batch.writes.length - ACCOUNTS / 2 - 1) });

  /** The copy; the projector writes the first half when the reader has the checkpoints. */
  const tornBehindCheckpoints = (): ReadCopy => ({
    name: copy.name,
    get: (...asked) => copy.get(...asked),
    getMany: (...asked) => copy.getMany(...asked),
    find: (...asked) => copy.find(...asked),
    apply: (write) => copy.apply(write),
    checkpoints: async () => {
      const checkpoints = await copy.checkpoints();
      if (checkpoints[0]?.sequence === batch.previousSequence) await writeHalf();
      return checkpoints;
    },
  });

  const scope = () => ({ copy: tornBehindCheckpoints(), projection: projectionId(accountProjection), partitions: 1 });

  test('half of a commit is never answered: the accounts are read again until all of it is there', async () => {
    const finish = jest.fn(() => copy.apply(batch));
    const snapshots = await readAccountsOfOneMoment(scope(), accountIds, finish);
    expect(finish).toHaveBeenCalledTimes(1);
    expect(new Set(snapshots.map((snapshot) => snapshot?.account.sequence))).toEqual(new Set([2]));
    expect(snapshots.reduce((sum, snapshot) => sum + (snapshot?.account.balanceMinor ?? 0n), 0n)).toBe(0n);
  });

  test('what stays half written is refused', async () => {
    await expect(readAccountsOfOneMoment(scope(), accountIds)).rejects.toThrow(TornReadError);
  });
});

function open(accountId: string): HistoryCommand {
  const limits = { ...NO_LIMITS, overdraftMinor: 1_000n };
  const command = { kind: 'open' as const, accountId, unit: 'EUR', branchId: '', product: '', limits, signingKeyId: '' };
  return { kind: 'account', accountId, requestId: `open-${accountId}`, command };
}

function move(accountId: string, credit: boolean): HistoryCommand {
  const type = credit ? 'CREDIT' : 'DEBIT';
  return { kind: 'post', accountId, posting: { requestId: `move-${accountId}`, type, amountMinor: 1n, unit: 'EUR', holdId: '', final: false } };
}
