import { CheckpointMovedError, type CollectionDefinition, type ReadCopy, type RowWrite } from '@sluice/ports';
import { readStoreContract } from '@sluice/testing';

import type { MongoConnection } from './mongo-connection';
import { MongoReadStore } from './mongo-read-store';
import { describeOnMongo, freshDatabase, type FreshDatabase, serverKind } from './test/fresh-database';
import { planProblems } from './test/plan-problems';

const ACCOUNTS: CollectionDefinition = {
  name: 'accounts',
  key: 'account_id',
  fields: { account_id: 'text', branch: 'text', balance: 'int64', count: 'number', frozen: 'boolean', head: 'bytes', sequence: 'number' },
  indexes: { by_branch: ['branch'] },
  guard: 'sequence',
};
const BLOCKS: CollectionDefinition = { name: 'blocks', key: 'block_id', fields: { block_id: 'text', bytes: 'bytes' }, indexes: {} };
const LOG = { incarnation: 'a'.repeat(32), partitions: 2 };

function account(id: string, sequence: number, balance = 0n): RowWrite {
  const row = { account_id: id, branch: 'north', balance, count: 2 ** 40, frozen: false, head: new Uint8Array([1, 2]), sequence };
  return { kind: 'put', collection: 'accounts', row };
}

describeOnMongo('read store on MongoDB', () => {
  readStoreContract('MongoDB', async (collections) => {
    const storage = await freshDatabase();
    const inspection = await storage.connect();
    const stores: MongoReadStore[] = [];
    return {
      // The stand-in sorts by the units of Java's strings, MongoDB by code points.
      textOrder: serverKind() === 'mongo-java-server' ? 'UTF-16 units' : 'code points',
      open: async (identity, others = collections) => {
        const opened = new MongoReadStore({ connection: await storage.connect(), collections: others, ...(identity !== undefined && { identity }) });
        stores.push(opened);
        return opened;
      },
      planProblems: async (copy, query) => {
        const definition = collections.find(({ name }) => name === query.collection);
        return definition === undefined ? ['there is no such collection'] : planProblems(inspection, definition, copy, query);
      },
      dispose: async () => {
        await Promise.all(stores.map((opened) => opened.close()));
        await storage.dispose();
      },
    };
  });

  let database: FreshDatabase;
  let connection: MongoConnection;
  let store: MongoReadStore;
  let copy: ReadCopy;

  const open = (): MongoReadStore => new MongoReadStore({ connection, collections: [ACCOUNTS, BLOCKS], identity: LOG, pollMs: 20 });
  const apply = (sequence: number, writes: readonly RowWrite[], onto: ReadCopy = copy): Promise<void> =>
    onto.apply({ partition: 1, projections: ['account@1'], previousSequence: sequence - 1, sequence, committedAtUs: sequence, writes });

  beforeEach(async () => {
    database = await freshDatabase();
    connection = await database.connect();
    store = open();
    copy = await store.current();
  });
  afterEach(async () => {
    await store.close();
    await database.dispose();
  });

  test('every type comes back as it went in, int64 to the last unit', async () => {
    await apply(1, [
      account('a', 1, 2n ** 63n - 1n),
      account('b', 1, -(2n ** 63n)),
      { kind: 'put', collection: 'accounts', row: { account_id: 'c', branch: '', sequence: 1 } },
    ]);
    expect(await copy.get('accounts', 'a')).toEqual({
      account_id: 'a',
      branch: 'north',
      balance: 2n ** 63n - 1n,
      count: 2 ** 40,
      frozen: false,
      head: expect.objectContaining({ 0: 1, 1: 2, length: 2 }),
      sequence: 1,
    });
    expect((await copy.get('accounts', 'b'))?.['balance']).toBe(-(2n ** 63n));
    expect(await copy.get('accounts', 'c')).toEqual({ account_id: 'c', branch: '', balance: null, count: null, frozen: null, head: null, sequence: 1 });
  });

  test('a write that is late changes nothing, beside others that do', async () => {
    await apply(1, [account('a', 5, 50n), account('b', 1, 10n)]);
    await apply(2, [account('a', 5, 1n), account('b', 2, 20n), account('c', 2, 30n)]);
    const rows = await copy.getMany('accounts', ['a', 'b', 'c', 'nobody', 'a']);
    expect(rows.map((row) => row?.['balance'])).toEqual([50n, 20n, 30n, undefined, 50n]);
  });

  test('a batch above the bounds of one bulk is applied whole', async () => {
    const many = Array.from({ length: 1_200 }, (_, at): RowWrite => ({ kind: 'put', collection: 'blocks', row: { block_id: `n${at}`, bytes: null } }));
    const large = Array.from(
      { length: 5 },
      (_, at): RowWrite => ({ kind: 'put', collection: 'blocks', row: { block_id: `l${at}`, bytes: new Uint8Array(3 * 1024 * 1024) } }),
    );
    await apply(1, [...many, ...large]);
    expect((await copy.find({ collection: 'blocks', limit: 10_000 })).rows).toHaveLength(1_205);
  });

  test('the last write to a key is the one that counts', async () => {
    await apply(1, [
      account('a', 1, 1n),
      { kind: 'delete', collection: 'accounts', key: 'a' },
      account('a', 2, 7n),
      account('b', 1),
      { kind: 'delete', collection: 'accounts', key: 'b' },
    ]);
    expect((await copy.getMany('accounts', ['a', 'b'])).map((row) => row?.['balance'])).toEqual([7n, undefined]);
  });

  test('of two projectors one moves the checkpoint, the other learns where it stands', async () => {
    const rival = await open().current();
    await apply(1, []);
    await apply(2, [account('a', 2, 2n)]);
    await expect(apply(2, [account('a', 2, 3n)], rival)).rejects.toThrow(new CheckpointMovedError(1, 1, 2));
    expect((await copy.get('accounts', 'a'))?.['balance']).toBe(2n);
    expect(await rival.checkpoints()).toEqual([{ partition: 1, projection: 'account@1', sequence: 2, committedAtUs: 2 }]);
  });

  test('an interrupted batch is applied again without harm', async () => {
    await apply(1, [account('a', 1, 1n)]);
    // The rows were written, the checkpoint was not: as if the process had ended in between.
    await connection.db.collection<{ _id: string }>(`${copy.name}_accounts`).updateOne({ _id: 'a' }, { $set: { balance: 9n, sequence: 2 } });
    await apply(2, [account('a', 2, 9n)]);
    expect((await copy.get('accounts', 'a'))?.['balance']).toBe(9n);
  });

  test('a copy made by who does not know the log is named after it by who does', async () => {
    const empty = await freshDatabase();
    const reader = new MongoReadStore({ connection: await empty.connect(), collections: [ACCOUNTS] });
    const first = await reader.current();
    expect(await reader.incarnation()).toBeUndefined();
    const writer = new MongoReadStore({ connection: await empty.connect(), collections: [ACCOUNTS], identity: LOG });
    expect((await writer.current()).name).toBe(first.name);
    expect([await reader.incarnation(), await reader.partitions()]).toEqual([LOG.incarnation, 2]);
    await empty.dispose();
  });

  test('a rebuilt copy comes in force for others too, who are told; what it replaced goes away', async () => {
    const other = open();
    const changed = new Promise<void>((resolve) => {
      other.onChange(resolve);
    });
    await other.current();
    await apply(1, [account('a', 1, 1n)]);
    await changed;

    const rebuilding = new MongoReadStore({ connection, collections: [ACCOUNTS, BLOCKS], identity: LOG, graceMs: 0 });
    const abandoned = await rebuilding.beginCopy(LOG);
    const fresh = await rebuilding.beginCopy({ incarnation: 'b'.repeat(32), partitions: 2 });
    await apply(1, [account('a', 1, 5n)], fresh);
    expect((await (await other.current()).get('accounts', 'a'))?.['balance']).toBe(1n);
    const switched = new Promise<void>((resolve) => {
      other.onChange(() => void other.current().then(({ name }) => name === fresh.name && resolve()));
    });
    await rebuilding.activate(await rebuilding.beginSwitch(fresh));
    await switched;
    expect(await other.incarnation()).toBe('b'.repeat(32));

    await rebuilding.beginCopy(LOG);
    const names = (await connection.db.listCollections().toArray()).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith(abandoned.name) || name.startsWith(copy.name))).toEqual([]);
    await other.close();
    await rebuilding.close();
  });

  test('an index that was declared since is made by the projector, over the rows that are there', async () => {
    await apply(1, [account('a', 1, 5n)]);
    const indexed: CollectionDefinition = { ...ACCOUNTS, indexes: { ...ACCOUNTS.indexes, by_count: ['count', 'branch'] } };
    const projector = new MongoReadStore({ connection, collections: [indexed, BLOCKS], identity: LOG });
    const opened = await projector.current();
    expect(opened.name).toBe(copy.name);
    const indexes = await connection.db.collection(`${copy.name}_accounts`).listIndexes().toArray();
    expect(indexes.map(({ key }) => Object.keys(key as object).join())).toEqual(expect.arrayContaining(['_id', 'branch,_id', 'count,branch,_id']));
    const { rows } = await opened.find({ collection: 'accounts', index: 'by_count', equals: { count: 2 ** 40 }, limit: 1 });
    expect(rows.map((row) => row['account_id'])).toEqual(['a']);
    await projector.close();
  });

  test.each`
    row                                   | message
    ${{ account_id: 'a', colour: 'red' }} | ${'accounts has no field colour'}
    ${{ branch: 'north', sequence: 1 }}   | ${'a row of accounts has no key'}
  `('nothing of a batch is written when a row is wrong: $message', async ({ row, message }) => {
    await expect(apply(1, [account('good', 1), { kind: 'put', collection: 'accounts', row }])).rejects.toThrow(message);
    expect((await copy.find({ collection: 'accounts', limit: 10 })).rows).toEqual([]);
    expect(await copy.checkpoints()).toEqual([]);
  });
});
