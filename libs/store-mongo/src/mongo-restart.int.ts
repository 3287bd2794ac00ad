import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { haveServer, type RunningServer, startMongo } from '@sluice/infra';
import { AppendFailedError, type CollectionDefinition, StoreUnavailableError } from '@sluice/ports';
import { contractCommit } from '@sluice/testing';
import { MongoConnection } from './mongo-connection';
import { MongoEventLog } from './mongo-event-log';
import { MongoReadStore } from './mongo-read-store';

const NOTES: CollectionDefinition = { name: 'notes', key: 'note_id', fields: { note_id: 'text' }, indexes: {} };

/** The server is stopped gracefully: of the stand-in nothing else may be expected. */
(haveServer('mongodb', { external: false }) ? describe : describe.skip)('MongoDB goes away and comes back', () => {
  let folder: string;
  let server: RunningServer;
  let connection: MongoConnection;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-mongo-'));
    server = await startMongo({ dataDir: folder, external: false });
    const url = new URL(server.url);
    url.searchParams.set('serverSelectionTimeoutMS', '1000');
    connection = await MongoConnection.open({ url: url.href, wait: { onWaiting: () => undefined } });
  });
  afterEach(async () => {
    await connection.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('appends fail in time meanwhile, and go on afterwards without anything lost', async () => {
    const log = await MongoEventLog.open({ connection, partitions: 2 });
    await log.append(contractCommit(0, 1));
    await server.stop();
    await expect(log.append(contractCommit(0, 2))).rejects.toBeInstanceOf(AppendFailedError);
    await expect(log.headSequences()).rejects.toThrow();
    await server.restart();
    await log.append(contractCommit(0, (await log.head(0))!.sequence + 1));
    expect((await log.read(0, 1, { maxCommits: 10, maxBytes: 1000 })).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(await log.headSequences()).toEqual([2, 0]);
  });

  test('who listens to the read store hears of changes again', async () => {
    const store = new MongoReadStore({ connection, collections: [NOTES], pollMs: 20 });
    const writer = new MongoReadStore({ connection, collections: [NOTES] });
    const copy = await writer.current();
    let changes = 0;
    store.onChange(() => {
      changes += 1;
    });
    let sequence = 0;
    const applyUntilHeard = async (): Promise<void> => {
      for (const before = changes; changes === before; sequence += 1) {
        await copy.apply({ partition: 0, projections: ['account@1'], previousSequence: sequence, sequence: sequence + 1, committedAtUs: sequence, writes: [] });
      }
    };
    await applyUntilHeard();
    await server.stop();
    await expect(copy.checkpoints()).rejects.toBeInstanceOf(StoreUnavailableError);
    await server.restart();
    await applyUntilHeard();
    await Promise.all([store.close(), writer.close()]);
  });
});
