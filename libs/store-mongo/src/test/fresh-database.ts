/** For tests on a real server: one server per test file, a database of its own per test. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { haveServer, type RunningServer, type ServerKind, startMongo } from '@sluice/infra';

import { MongoConnection } from '../mongo-connection';

export interface FreshDatabase {
  /** Another connection to it, closed by `dispose`. */
  connect(): Promise<MongoConnection>;
  /** Closes the connections and drops the database. */
  dispose(): Promise<void>;
}

let server: RunningServer | undefined;

/** Tests that need a MongoDB server; skipped, loudly, where none can be had. */
export function describeOnMongo(name: string, body: () => void): void {
  (haveServer('mongodb') ? describe : describe.skip)(name, () => {
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-mongo-'));
      server = await startMongo({ dataDir: folder });
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    body();
  });
}

export async function freshDatabase(): Promise<FreshDatabase> {
  const database = `sluice_test_${randomBytes(6).toString('hex')}`;
  const connections: MongoConnection[] = [];
  const connect = async (): Promise<MongoConnection> => {
    const connection = await MongoConnection.open({ url: serverUrl(), database });
    connections.push(connection);
    return connection;
  };
  return {
    connect,
    dispose: async () => {
      const last = await connect();
      await last.db.dropDatabase();
      await Promise.all(connections.map((connection) => connection.close()));
    },
  };
}

/** What the tests run on; a server named by a URL is taken for a real one. */
export function serverKind(): ServerKind {
  return running().kind;
}

export function serverUrl(): string {
  return running().url;
}

function running(): RunningServer {
  if (server === undefined) throw new Error('the server is started by describeOnMongo');
  return server;
}
