/** What processes do with stores that are not what they were: the table of docs/running-distributed.md, held against the program. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { ServiceChild, type ServiceName } from '@sluice/distributed';
import { haveServer, type RunningServer, startMongo, startNats } from '@sluice/infra';
import { called, PLAIN_ACCESS, QUICK_RECONNECT, until } from '@sluice/judged-load';
import { CHECKSUM_BYTES, CHECKSUM_TAG, logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { Binary, type Db, type Document, MongoClient } from 'mongodb';

const TABLE = readFileSync(join(__dirname, '../../../docs/running-distributed.md'), 'utf8');
const possible = haveServer('nats') && haveServer('mongodb');
const SECRET = 'secret-of-the-keyring-1';
const OTHER_SECRET = 'secret-of-the-keyring-2';
const KEY = Buffer.alloc(32, 7);
const POSTINGS = 5;
/** Of partition 0 and of partition 1 of two. */
const ACCOUNTS = ['account-0', 'account-1', 'account-2', 'account-3'];
const OUTCOME_LIMIT_MS = 60_000;

/** Cells of the table: what the command instance and the projector do, and undefined where the row does not concern one. */
interface Row {
  readonly what: string;
  readonly command: string | undefined;
  readonly projector: string | undefined;
}

function rowsOf(heading: string): Row[] {
  const [table = ''] = TABLE.slice(TABLE.indexOf(heading)).split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((line) => line.split('|').slice(1, -1))
    .map(([what = '', command = '', projector = '']) => ({ what: what.trim(), command: cellOf(command), projector: cellOf(projector) }));
}

/** What stands before the first comma or bracket with words of explanation. */
function cellOf(text: string): string | undefined {
  const [outcome = ''] = text.trim().split(/: /);
  return outcome === '' ? undefined : outcome;
}

interface Stores {
  readonly db: Db;
  readonly other: Db;
  readonly streams: JetStreamManager;
  readonly deployment: string;
}

const newestFirst = { '_id.sequence': -1 } as const;

async function changeByte(db: Db, collection: string, filter: Document, field: string, sort: Document = {}): Promise<void> {
  const documents = db.collection(collection);
  const [found] = await documents.find(filter).sort(sort).limit(1).toArray();
  if (found === undefined) throw new Error(`${collection} has no such document`);
  const bytes = Buffer.from((found[field] as Binary).value());
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
  await documents.updateOne({ _id: found._id }, { $set: { [field]: new Binary(bytes) } });
}

async function takeFromOther({ db, other }: Stores, ...collections: string[]): Promise<void> {
  for (const name of collections) {
    await db.collection(name).deleteMany({});
    const documents = await other.collection(name).find({}).toArray();
    if (documents.length > 0) await db.collection(name).insertMany(documents);
  }
}

async function readStoreCollections(db: Db): Promise<string[]> {
  return (await db.listCollections({}, { nameOnly: true }).toArray())
    .map(({ name }) => name)
    .filter((name) => name === 'read_copies' || name.startsWith('copy_'));
}

/** By the first column of the table. */
const DAMAGES: Readonly<Record<string, (stores: Stores) => Promise<unknown>>> = {
  '`log` is missing': ({ db }) => db.collection('log').drop(),
  '`log` is of another deployment': (stores) => takeFromOther(stores, 'log'),
  '`commits` is missing': ({ db }) => db.collection('commits').drop(),
  'a commit is changed': ({ db }) => changeByte(db, 'commits', { '_id.partition': 0 }, 'bytes', newestFirst),
  'a commit is missing, behind the newest snapshot': async ({ db }) => {
    await db.collection('snapshots').deleteMany({});
    await db.collection('commits').deleteOne({ '_id.partition': 0, '_id.sequence': 2n });
  },
  'a commit is of a newer version': async ({ db }) => {
    const commits = db.collection('commits');
    const [newest] = await commits.find({ '_id.partition': 0 }).sort(newestFirst).limit(1).toArray();
    if (newest === undefined) throw new Error('there is no commit');
    const { checksum, ...before } = logpb.Commit.decode((newest['bytes'] as Binary).value());
    const sequence = before.sequence + 1n;
    const next = { ...before, schemaVersion: before.schemaVersion + 1, sequence, previousChecksum: checksum };
    const body = logpb.Commit.encode(logpb.Commit.fromPartial(next)).finish();
    const bytes = Buffer.concat([body, Buffer.from([CHECKSUM_TAG, CHECKSUM_BYTES]), createHash('sha256').update(body).digest()]);
    await commits.insertOne({ ...newest, _id: { ...newest._id, sequence } as never, bytes: new Binary(bytes) });
  },
  '`snapshots` is missing': ({ db }) => db.collection('snapshots').drop(),
  'a block of `snapshots` is changed, or missing': async ({ db }) => {
    await changeByte(db, 'snapshots', { _id: { $regex: '^partition/0/.*account' } as never }, 'bytes');
    await db.collection('snapshots').deleteOne({ _id: { $regex: '^partition/1/.*account' } as never });
  },
  '`snapshots` is of another deployment': (stores) => takeFromOther(stores, 'snapshots'),
  '`keyring` is missing': ({ db }) => db.collection('keyring').drop(),
  'a signing key is missing': ({ db }) => db.collection('keyring').deleteOne({ accountId: 'signed-account-1' }),
  '`keyring` lacks the document `sealing`': ({ db }) => db.collection('keyring').deleteOne({ _id: 'sealing' as never }),
  '`keyring` is of another deployment': (stores) => takeFromOther(stores, 'keyring'),
  'the read store is missing': async ({ db }) => {
    for (const name of await readStoreCollections(db)) await db.collection(name).drop();
  },
  'the read store is of another deployment': async (stores) => {
    for (const name of await readStoreCollections(stores.db)) await stores.db.collection(name).drop();
    await takeFromOther(stores, ...(await readStoreCollections(stores.other)));
  },
  'the checkpoints of the read store are missing': async ({ db }) => {
    for (const name of await readStoreCollections(db)) if (name.endsWith('_checkpoints')) await db.collection(name).drop();
  },
  'the stream of commits is missing, or the bucket of leases': async () => undefined,
  'the stream of commits is configured otherwise': ({ streams, deployment }) =>
    streams.streams.add({ name: `SLUICE_${deployment}_COMMITS`, subjects: [`sluice.${deployment}.commits.*`], max_age: 1_000_000_000 }),
  'the bucket of leases is configured otherwise': ({ streams, deployment }) =>
    streams.streams.add({ name: `KV_sluice_${deployment}_leases`, subjects: [`$KV.sluice_${deployment}_leases.>`], max_msgs_per_subject: 5 }),
};

const rows = rowsOf('| what is there | command instance');

test('the table has every damage', () => {
  expect(rows.map(({ what }) => what)).toEqual(Object.keys(DAMAGES));
});

(possible ? describe : describe.skip)('a deployment whose stores are not what they were', () => {
  let folder: string;
  let nats: RunningServer;
  let mongodb: RunningServer;
  let connection: NatsConnection;
  let streams: JetStreamManager;
  let mongo: MongoClient;
  let running: ServiceChild[] = [];
  let lines: string[] = [];
  let deaths: Map<string, string>;
  let tried = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-stores-'));
    nats = await startNats({ dataDir: join(folder, 'nats'), external: false });
    mongodb = await startMongo({ dataDir: join(folder, 'mongodb'), external: false });
    connection = await connect({ servers: nats.url });
    streams = await jetstreamManager(connection);
    mongo = new MongoClient(mongodb.url, { useBigInt64: true });
    await make('other', OTHER_SECRET);
    await make('whole', SECRET);
  });

  afterEach(stop);

  afterAll(async () => {
    await mongo.close();
    await connection.close();
    await Promise.all([nats.stop(), mongodb.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  function child(service: ServiceName, deployment: string, secret = SECRET): ServiceChild {
    const url = new URL(mongodb.url);
    url.pathname = `/${deployment}`;
    const made = new ServiceChild({
      service,
      name: `${service}-1`,
      port: 0,
      environment: {
        PATH: process.env['PATH'] ?? '',
        SLUICE_METRICS_PORT: 'off',
        SLUICE_MONGODB_URL: url.href,
        SLUICE_NATS_URL: nats.url,
        SLUICE_KEYRING_SECRET: secret,
        SLUICE_DEPLOYMENT: deployment,
        SLUICE_CONTAINERS: '2',
      },
      onLine: (name, line) => lines.push(`${name} ${line}`),
      onDeath: ({ name }, how) => deaths.set(name, how),
    });
    running.push(made);
    return made;
  }

  async function stop(): Promise<void> {
    await Promise.all(running.map((process) => process.stop()));
    running = [];
  }

  /** A deployment that was at work and was stopped in order. */
  async function make(deployment: string, secret: string): Promise<void> {
    [lines, deaths] = [[], new Map()];
    const [command, projector] = [child('command', deployment, secret), child('projector', deployment, secret)];
    await Promise.all([command.start(), projector.start()]);
    await Promise.all([command.untilServing(), projector.untilServing()]);
    await withCommands(command, async (client) => {
      for (const accountId of ACCOUNTS) {
        await open(client, accountId);
        await open(client, `signed-${accountId}`, KEY);
        for (let number = 0; number < POSTINGS; number += 1) await credit(client, accountId, `credit-${number}`);
      }
    });
    const db = mongo.db(deployment);
    await until(
      'everything is projected',
      async () => (await projectedBalances(db)).filter((balance) => balance === BigInt(POSTINGS)).length === ACCOUNTS.length,
    );
    await stop();
  }

  async function copyOfWhole(deployment: string): Promise<Db> {
    const [from, to] = [mongo.db('whole'), mongo.db(deployment)];
    for (const { name } of await from.listCollections({}, { nameOnly: true }).toArray()) {
      const documents = await from.collection(name).find({}).toArray();
      if (documents.length > 0) await to.collection(name).insertMany(documents);
    }
    return to;
  }

  /** What becomes of the process, in the words of the table, once it is what is expected; after the limit what it is then. */
  async function outcomeOf(process: ServiceChild, expected: string): Promise<string> {
    const said = (...texts: string[]): boolean => lines.some((line) => line.startsWith(process.name) && texts.every((text) => line.includes(text)));
    const outcome = (): string => {
      const died = deaths.get(process.name);
      if (died !== undefined) return died.replace(/^exit code (\d+)$/, 'refused ($1)');
      // Before that the start may still be refused.
      if (!said('"message":"serving"')) return 'starting';
      if (said('"level":"error"', 'the partition is not served')) return 'partition not served';
      return said('"level":"error"', 'the partition is not projected') ? 'partition not projected' : 'serves';
    };
    await process.start().catch(() => undefined);
    await until(`${process.name}: ${expected}`, () => outcome() === expected, OUTCOME_LIMIT_MS).catch(() => undefined);
    return outcome();
  }

  test.each(rows.map((row) => [row.what, row] as const))('%s', async (what, { command: commandDoes, projector: projectorDoes }) => {
    [lines, deaths] = [[], new Map()];
    tried += 1;
    const deployment = `tried-${tried}`;
    const db = await copyOfWhole(deployment);
    await DAMAGES[what]?.({ db, other: mongo.db('other'), streams, deployment });
    const [command, projector] = [child('command', deployment), child('projector', deployment)];
    const outcomes = await Promise.all([outcomeOf(command, commandDoes ?? ''), projectorDoes === undefined ? undefined : outcomeOf(projector, projectorDoes)]);
    expect({ outcomes, lines }).toEqual({ outcomes: [commandDoes, projectorDoes], lines });
    if (commandDoes !== 'serves') return;
    await command.untilServing();
    await withCommands(command, async (client) => {
      for (const accountId of ACCOUNTS) expect(await credit(client, accountId, 'afterwards')).toBe(BigInt(POSTINGS + 1));
    });
    if (projectorDoes !== 'serves') return;
    await until(
      'everything is projected',
      async () => (await projectedBalances(db)).filter((balance) => balance === BigInt(POSTINGS + 1)).length === ACCOUNTS.length,
    );
  });

  async function withCommands(command: ServiceChild, work: (client: accountpb.AccountCommandServiceClient) => Promise<void>): Promise<void> {
    const client = new accountpb.AccountCommandServiceClient(command.address, PLAIN_ACCESS.credentials, QUICK_RECONNECT);
    try {
      await work(client);
    } finally {
      client.close();
    }
  }
});

async function open(client: accountpb.AccountCommandServiceClient, accountId: string, signingKey?: Buffer): Promise<void> {
  const account = accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit: 'EUR', ...(signingKey && { signingKey }) });
  await called(client.openAccount.bind(client), { account });
}

/** Resolves with the balance afterwards. */
async function credit(client: accountpb.AccountCommandServiceClient, accountId: string, requestId: string): Promise<bigint | undefined> {
  const type = accountpb.PostingType.POSTING_TYPE_CREDIT;
  const posting = accountpb.Posting.fromPartial({ requestId, accountId, type, amountMinor: 1n, unit: 'EUR' });
  return (await called(client.post.bind(client), accountpb.PostRequest.fromPartial({ posting }))).result?.balanceAfterMinor;
}

/** Of the accounts in the copy of the read store that is in force. */
async function projectedBalances(db: Db): Promise<unknown[]> {
  const inForce = await db.collection('read_copies').findOne({ _id: 'in-force' as never });
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const accounts = names.find((name) => name.startsWith(`${String(inForce?.['copy'])}_accounts_`));
  return accounts === undefined ? [] : (await db.collection(accounts).find({}).toArray()).map((row) => row['balance_minor'] as unknown);
}
