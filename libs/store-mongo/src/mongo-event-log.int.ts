import { AppendFailedError, MissingCommitError, SequenceTakenError } from '@sluice/ports';
import { contractCommit, eventLogContract, hex } from '@sluice/testing';

import { type Binary, Collection } from 'mongodb';
import {
  beginNewLog,
  EventLogPresentError,
  NoEventLogError,
  PartitionCountMismatchError,
  type ReadStoreSource,
  renewIncarnation,
} from './log-identity-document';
import { logExtent, repairLog } from './log-repair';
import { type MongoConnection } from './mongo-connection';
import { MongoEventLog } from './mongo-event-log';
import { describeOnMongo, freshDatabase, type FreshDatabase } from './test/fresh-database';

describeOnMongo('event log on MongoDB', () => {
  eventLogContract('MongoDB', async (partitions) => {
    const database = await freshDatabase();
    return {
      open: async () => MongoEventLog.open({ connection: await database.connect(), partitions }),
      dispose: () => database.dispose(),
    };
  });

  let database: FreshDatabase;
  let connection: MongoConnection;
  let log: MongoEventLog;

  beforeEach(async () => {
    database = await freshDatabase();
    connection = await database.connect();
    log = await MongoEventLog.open({ connection, partitions: 2 });
  });
  afterEach(() => database.dispose());

  test('a commit is one document that people can read with a shell', async () => {
    await log.append(contractCommit(1, 1, 10));
    const document = await connection.db.collection('commits').findOne({});
    expect(document).toMatchObject({
      _id: { partition: 1, sequence: 1n },
      commandCount: 2,
      committedAt: new Date(1_767_225_600_000),
      eventTypes: ['account.AccountOpened', 'account.PostingsRecorded'],
    });
  });

  test('no append leaves a gap, neither after opening nor later', async () => {
    await expect(log.append(contractCommit(0, 2))).rejects.toThrow('would leave a gap');
    await log.append(contractCommit(0, 1));
    await expect(log.append(contractCommit(0, 3))).rejects.toBeInstanceOf(AppendFailedError);
    await log.append(contractCommit(0, 2));
    const rival = await MongoEventLog.open({ connection: await database.connect(), partitions: 2 });
    await expect(rival.append(contractCommit(0, 2))).rejects.toBeInstanceOf(SequenceTakenError);
    await rival.append(contractCommit(0, 3));
    await expect(log.append(contractCommit(0, 3))).rejects.toBeInstanceOf(SequenceTakenError);
    await log.append(contractCommit(0, 4));
  });

  test('after a failure the newest commit is looked for by exact ids, from where the partition stood', async () => {
    await log.append(contractCommit(0, 1));
    const rival = await MongoEventLog.open({ connection: await database.connect(), partitions: 2 });
    for (let sequence = 2; sequence <= 9; sequence += 1) await rival.append(contractCommit(0, sequence));
    await expect(log.append(contractCommit(0, 2))).rejects.toBeInstanceOf(SequenceTakenError);
    const asked = jest.spyOn(Collection.prototype, 'find');
    await log.append(contractCommit(0, 10));
    const filters = asked.mock.calls.map(([filter]) => filter);
    asked.mockRestore();
    expect(filters).toEqual(filters.map(() => ({ _id: { $in: expect.any(Array) } })));
    expect(filters.length).toBeGreaterThan(0);
    expect(await log.headSequences()).toEqual([10, 0]);
  });

  test('a commit that no document can hold is refused, and nothing is stored', async () => {
    await expect(log.append({ ...contractCommit(0, 1), bytes: new Uint8Array(15 * 1024 * 1024 + 1) })).rejects.toThrow('is the most');
    expect(await log.headSequences()).toEqual([0, 0]);
  });

  test.each`
    linearizableReads | level
    ${true}           | ${'linearizable'}
    ${false}          | ${undefined}
  `('a look at one sequence asks for read concern $level', async ({ linearizableReads, level }: { linearizableReads: boolean; level: string | undefined }) => {
    Object.assign(connection, { linearizableReads });
    const asking = await MongoEventLog.open({ connection, partitions: 2 });
    await asking.append(contractCommit(0, 1));
    const asked = jest.spyOn(Collection.prototype, 'findOne');
    expect([await asking.isTaken(0, 1), await asking.isTaken(0, 2)]).toEqual([true, false]);
    const levels = asked.mock.calls.map(([, options]) => options?.readConcern);
    asked.mockRestore();
    expect(levels).toEqual([level && { level }, level && { level }]);
  });

  test('a missing commit is found by who reads', async () => {
    for (let sequence = 1; sequence <= 4; sequence += 1) await log.append(contractCommit(0, sequence));
    await connection.db.collection<{ _id: unknown }>('commits').deleteOne({ '_id.sequence': 2n });
    expect((await log.read(0, 1, { maxCommits: 10, maxBytes: 1000 })).map(({ sequence }) => sequence)).toEqual([1]);
    await expect(log.read(0, 2, { maxCommits: 10, maxBytes: 1000 })).rejects.toThrow(new MissingCommitError(0, 2));
  });

  test('a long run of commits comes in order, however the pages are cut', async () => {
    for (let sequence = 1; sequence <= 60; sequence += 1) await log.append(contractCommit(0, sequence, 50 + sequence));
    const read: string[] = [];
    for (let from = 1; from <= 60; ) {
      const page = await log.read(0, from, { maxCommits: 25, maxBytes: 900 });
      read.push(...page.map((record) => hex(record.bytes)));
      from += page.length;
    }
    expect(read).toEqual(Array.from({ length: 60 }, (_, at) => hex(contractCommit(0, at + 1, 51 + at).bytes)));
  });

  test('heads are followed by a log that only reads, and it appends nothing', async () => {
    const reader = await MongoEventLog.open({ connection: await database.connect(), partitions: 2, readOnly: true });
    expect(await reader.headSequences()).toEqual([0, 0]);
    for (let sequence = 1; sequence <= 13; sequence += 1) await log.append(contractCommit(1, sequence));
    expect(await reader.headSequences()).toEqual([0, 13]);
    await log.dropFrom(1, 5);
    expect(await reader.headSequences()).toEqual([0, 4]);
    await expect(reader.append(contractCommit(0, 1))).rejects.toThrow('reading only');
  });

  test('another number of partitions is refused, naming both', async () => {
    await expect(MongoEventLog.open({ connection, partitions: 3 })).rejects.toThrow(PartitionCountMismatchError);
    await expect(MongoEventLog.open({ connection, partitions: 3 })).rejects.toThrow(/made with 2 partitions, the configuration makes 3/);
  });

  test('a log that is not there yet is not made by who only reads', async () => {
    const empty = await freshDatabase();
    await expect(MongoEventLog.open({ connection: await empty.connect(), partitions: 2, readOnly: true })).rejects.toThrow('no event log');
    await empty.dispose();
  });

  test('a restored log gets a new incarnation', async () => {
    const before = log.identity.incarnation;
    const renewed = await renewIncarnation(connection.db);
    expect(renewed).not.toBe(before);
    expect((await MongoEventLog.open({ connection, partitions: 2 })).identity.incarnation).toBe(renewed);
  });

  describe('a repair', () => {
    const commits = () => connection.db.collection<{ _id: { sequence: bigint }; bytes: Binary }>('commits').find({}).sort({ _id: 1 }).toArray();
    const dropped = () => connection.db.collection('droppedCommits').find({}).sort({ _id: 1 }).toArray();

    test('drops the newest commits of a partition, keeps them beside the log, and gives the log a new incarnation', async () => {
      for (const sequence of [1, 2, 3, 4]) await log.append(contractCommit(0, sequence));
      await log.append(contractCommit(1, 1));
      const before = await commits();
      const { incarnation } = log.identity;
      expect(await logExtent(connection)).toEqual([4, 1]);
      const repaired = await repairLog(connection, { partition: 0, sequence: 3 });
      expect(repaired).toMatchObject({ dropped: 2, keptIn: 'droppedCommits' });
      const identity = (await MongoEventLog.open({ connection, partitions: 2 })).identity;
      expect(identity).toMatchObject({ incarnation: repaired.incarnation, formerIncarnations: [incarnation] });
      expect(await logExtent(connection)).toEqual([2, 1]);
      const kept = await dropped();
      expect(kept).toEqual(before.slice(2, 4).map((commit) => ({ ...commit, _id: { incarnation, partition: 0, sequence: commit._id.sequence } })));
    });

    test('that is done again keeps what it drops then, too', async () => {
      for (const sequence of [1, 2]) await log.append(contractCommit(0, sequence));
      await repairLog(connection, { partition: 0, sequence: 2 });
      const again = await MongoEventLog.open({ connection, partitions: 2 });
      await again.append(contractCommit(0, 2));
      await repairLog(connection, { partition: 0, sequence: 2 });
      expect((await dropped()).map(({ _id }) => (_id as unknown as { sequence: bigint }).sequence)).toEqual([2n, 2n]);
    });

    test('works where a commit is missing', async () => {
      for (const sequence of [1, 2, 3]) await log.append(contractCommit(0, sequence));
      const [, second] = await commits();
      await connection.db.collection<{ _id: unknown }>('commits').deleteOne({ _id: second?._id });
      await repairLog(connection, { partition: 0, sequence: 2 });
      expect([await logExtent(connection), (await dropped()).length]).toEqual([[1, 0], 1]);
    });

    test('of a log that is not there is refused', async () => {
      await connection.db.collection('log').deleteMany({});
      await expect(repairLog(connection, { partition: 0, sequence: 1 })).rejects.toThrow(NoEventLogError);
    });
  });

  test('an append to a server that is gone fails with an unknown outcome', async () => {
    await connection.close();
    await expect(log.append(contractCommit(0, 1))).rejects.toBeInstanceOf(AppendFailedError);
  });

  describe('a log that is missing is not taken for a new one', () => {
    const reopened = (readStoreOf?: () => Promise<ReadStoreSource | undefined>) => MongoEventLog.open({ connection, partitions: 2, readStoreOf });
    const lose = (...collections: string[]) => Promise.all(collections.map((name) => connection.db.collection(name).deleteMany({})));

    test.each`
      left           | document
      ${'commits'}   | ${undefined}
      ${'snapshots'} | ${{ _id: 'partition/0/manifest-1', bytes: Buffer.from('x') }}
      ${'keyring'}   | ${{ _id: 'k1', accountId: 'a', sealed: Buffer.from('x') }}
    `('beside $left', async ({ left, document }: { left: string; document: { _id: never } | undefined }) => {
      if (document === undefined) await log.append(contractCommit(0, 1));
      else await connection.db.collection(left).insertOne(document);
      await lose('log');
      await expect(reopened()).rejects.toThrow(/^the event log at \S+ is missing: .*Nothing was changed\. .*"sluice log new"/);
      expect(await connection.db.collection(left).countDocuments()).toBe(1);
      expect(await connection.db.collection('log').countDocuments()).toBe(0);
    });

    test('beside a read store that was made from one', async () => {
      const lost = log.identity.incarnation;
      await lose('log');
      const ofLost = async () => ({ incarnation: lost, hasCommits: true });
      await expect(reopened(ofLost)).rejects.toThrow(`a read store made from the log ${lost}`);
      const incarnation = await beginNewLog(connection.db, { partitions: 2, succeeds: lost });
      // The projectors replace what is of a former incarnation, and nothing else.
      expect((await reopened(ofLost)).identity).toMatchObject({ incarnation, formerIncarnations: [lost] });
    });

    test('a keyring without a key, as a first start leaves it, is nothing', async () => {
      await lose('log');
      await connection.db.collection<{ _id: string }>('keyring').insertOne({ _id: 'sealing' });
      await expect(reopened(async () => undefined)).resolves.toBeDefined();
    });

    test.each`
      left            | document                             | readStore
      ${'snapshots'}  | ${{ _id: 'partition/0/manifest-1' }} | ${undefined}
      ${'keyring'}    | ${{ _id: 'k1', accountId: 'a' }}     | ${undefined}
      ${'read store'} | ${undefined}                         | ${true}
    `(
      'nor is one that has lost all its commits, beside $left',
      async ({ left, document, readStore }: { left: string; document?: { _id: never }; readStore?: true }) => {
        const { incarnation } = log.identity;
        const source = async () => (readStore ? { incarnation, hasCommits: true } : undefined);
        if (document !== undefined) await connection.db.collection(left).insertOne(document);
        for (const readOnly of [false, true]) {
          const opened = MongoEventLog.open({ connection, partitions: 2, readOnly, readStoreOf: source });
          await expect(opened).rejects.toThrow(/is missing: its collection "commits" is empty, but there are .*"sluice log new"/);
        }
        const begun = await beginNewLog(connection.db, { partitions: 2, succeeds: incarnation });
        const { identity } = await reopened(source);
        expect(identity).toMatchObject({ incarnation: begun, formerIncarnations: [incarnation] });
        await expect(reopened(async () => ({ incarnation: begun, hasCommits: true }))).rejects.toThrow('its collection "commits" is empty');
      },
    );

    test('a log that was begun a moment ago has no commits, and its read store has none', async () => {
      const { incarnation } = log.identity;
      expect((await reopened(async () => ({ incarnation, hasCommits: false }))).identity.incarnation).toBe(incarnation);
    });

    test('a new log is not begun where there are commits', async () => {
      const begin = () => beginNewLog(connection.db, { partitions: 2, succeeds: undefined });
      await log.append(contractCommit(0, 1));
      await expect(begin()).rejects.toBeInstanceOf(EventLogPresentError);
      await lose('log');
      await expect(begin()).rejects.toBeInstanceOf(EventLogPresentError);
    });
  });
});
