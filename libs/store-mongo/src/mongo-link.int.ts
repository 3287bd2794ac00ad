/** MongoDB behind a link that fails as networks and servers do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { haveServer, type RunningServer, startMongo } from '@sluice/infra';
import { contractCommit, TcpLink } from '@sluice/testing';
import { MongoConnection } from './mongo-connection';
import { MongoEventLog } from './mongo-event-log';

const isAppend = (request: Buffer): boolean => request.includes('insert') && request.includes('commits');

(haveServer('mongodb', { external: false }) ? describe : describe.skip)('MongoDB behind a link', () => {
  let folder: string;
  let server: RunningServer;
  let link: TcpLink;
  let connection: MongoConnection;
  let log: MongoEventLog;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-mongo-'));
    server = await startMongo({ dataDir: folder, external: false });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    link = await TcpLink.open(() => Number(new URL(server.url).port));
    connection = await MongoConnection.open({ url: `mongodb://${link.address}/?directConnection=true`, database: `link_${Date.now()}` });
    log = await MongoEventLog.open({ connection, partitions: 2 });
    await log.append(contractCommit(0, 1));
  });
  afterEach(async () => {
    await connection.close();
    await link.close();
  });

  test('an append whose request is lost on its connection is known to be lost, and the next one goes on', async () => {
    const swallowed = link.silenceConnectionAt(isAppend, 'requests');
    const append = log.append(contractCommit(0, 2));
    await swallowed;
    await expect(append).rejects.toThrow('the request is lost: the server answers, and does not have the commit');
    await log.append(contractCommit(0, 2));
    expect(await log.headSequences()).toEqual([2, 0]);
  });

  test('an append whose answer is lost on its connection is known to be unanswered, and the commit stands', async () => {
    const passed = link.silenceConnectionAt(isAppend, 'answers');
    const append = log.append(contractCommit(0, 2));
    await passed;
    await expect(append).rejects.toThrow('the answer is lost: the server has the commit');
    expect(await log.headSequences()).toEqual([2, 0]);
  });

  test('an append to a silent server fails by the probe of the server, before its own limit', async () => {
    link.silence();
    await expect(log.append(contractCommit(0, 2))).rejects.toThrow(/server monitor timeout|timed out/);
    link.speak();
    expect((await log.head(0))?.sequence).toBeLessThanOrEqual(2);
  });
});
