import { accountKey } from '@sluice/ports';
import { keyringContract, patternBytes, snapshotStoreContract } from '@sluice/testing';
import { type Binary, MongoClient } from 'mongodb';
import type { MongoConnection } from './mongo-connection';
import { MongoKeyring } from './mongo-keyring';
import { MongoSnapshotStore } from './mongo-snapshot-store';
import { describeOnMongo, freshDatabase, type FreshDatabase, serverUrl } from './test/fresh-database';

const SECRET = 'a secret of the keyring';
const KEY = new Uint8Array([1, 2, 3, 4, 5]);
const KEY_OF_ACCOUNT = accountKey('account-1', KEY);

describeOnMongo('snapshots and keys on MongoDB', () => {
  snapshotStoreContract('MongoDB', async () => {
    const storage = await freshDatabase();
    return { open: async () => new MongoSnapshotStore(await storage.connect()), dispose: () => storage.dispose() };
  });

  keyringContract('MongoDB', async () => {
    const storage = await freshDatabase();
    return { open: async () => MongoKeyring.open({ connection: await storage.connect(), secret: SECRET }), dispose: () => storage.dispose() };
  });

  let database: FreshDatabase;
  let connection: MongoConnection;

  beforeEach(async () => {
    database = await freshDatabase();
    connection = await database.connect();
  });
  afterEach(() => database.dispose());

  test('blocks stand under their names, are replaced whole, and go by prefix', async () => {
    const store = new MongoSnapshotStore(connection);
    const block = (name: string, byte: number) => ({ name, bytes: new Uint8Array([byte]) });
    await store.put([block('partition/1/b', 1), block('partition/1/a', 2), block('partition/10/a', 3), block('partition/1/a', 4)]);
    expect(await store.list('partition/1/')).toEqual(['partition/1/a', 'partition/1/b']);
    expect(Array.from((await store.get('partition/1/a')) ?? [])).toEqual([4]);
    await store.remove('partition/1/');
    expect(await store.list('')).toEqual(['partition/10/a']);
    expect(await store.get('partition/1/a')).toBeUndefined();
  });

  test('blocks above the bound of one bulk are stored, one above the bound of a document is refused', async () => {
    const store = new MongoSnapshotStore(connection);
    await store.put([1, 2, 3].map((at) => ({ name: `large/${at}`, bytes: new Uint8Array(7 * 1024 * 1024) })));
    expect(await store.list('large/')).toHaveLength(3);
    await expect(store.put([{ name: 'huge', bytes: new Uint8Array(15 * 1024 * 1024 + 1) }])).rejects.toThrow('block huge');
  });

  test('a key comes back, also to another process; what the database has of it is sealed', async () => {
    const [keyring, other] = await Promise.all([MongoKeyring.open({ connection, secret: SECRET }), MongoKeyring.open({ connection, secret: SECRET })]);
    const { keyId } = KEY_OF_ACCOUNT;
    await keyring.store([KEY_OF_ACCOUNT]);
    expect(keyring.cached(keyId)).toEqual(KEY);
    expect(other.cached(keyId)).toBeUndefined();
    expect(await other.load(keyId)).toEqual(KEY);
    expect(other.cached(keyId)).toEqual(KEY);
    expect(await other.load('0'.repeat(32))).toBeUndefined();
    const document = await connection.db.collection<{ _id: string; sealed: Binary }>('keyring').findOne({ _id: keyId });
    expect(Buffer.from(document?.sealed.value() ?? []).includes(Buffer.from(KEY))).toBe(false);
  });

  test('a batch of keys is one round trip', async () => {
    const commands: string[] = [];
    const client = new MongoClient(serverUrl(), { monitorCommands: true });
    client.on('commandStarted', ({ commandName }) => commands.push(commandName));
    try {
      const monitored = { db: client.db(connection.db.databaseName) } as MongoConnection;
      const keyring = await MongoKeyring.open({ connection: monitored, secret: SECRET });
      commands.length = 0;
      await keyring.store(Array.from({ length: 500 }, (_, at) => accountKey(`account-${at}`, patternBytes(at, 32))));
      expect(commands).toEqual(['update']);
    } finally {
      await client.close();
    }
  });

  test('another secret is refused, and a key does not open when it was moved to another id', async () => {
    const keyring = await MongoKeyring.open({ connection, secret: SECRET });
    const { keyId } = KEY_OF_ACCOUNT;
    await keyring.store([KEY_OF_ACCOUNT]);
    await expect(MongoKeyring.open({ connection, secret: 'another secret than that' })).rejects.toThrow('another secret');
    await expect(MongoKeyring.open({ connection, secret: 'short' })).rejects.toThrow('16 characters');
    const keys = connection.db.collection<{ _id: string; sealed: unknown }>('keyring');
    const document = await keys.findOne({ _id: keyId });
    await keys.insertOne({ ...document, _id: 'moved', sealed: document?.sealed });
    await expect(keyring.load('moved')).rejects.toThrow('does not open');
  });
});
