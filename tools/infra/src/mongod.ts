/**
 * A real MongoDB server as a replica set of one, so that majority and journal mean what they say and retryable writes work.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { MongoClient, MongoServerError } from 'mongodb';
import { MongoBinary } from 'mongodb-memory-server-core';

import { cacheFolder } from './cache-folder';
import { freePort } from './free-port';
import { isExecutable, onPath } from './program-search';
import type { RunningServer, ServerOptions } from './running-server';
import { startServerProcess } from './server-process';
import type { ServerSource } from './server-source';

const REPLICA_SET = 'sluice';
const DOWNLOAD_HOST = 'https://fastdl.mongodb.org';
/** The host answers within this time or is taken as out of reach. */
const HOST_LIMIT_MS = 3_000;
const PRIMARY_LIMIT_MS = 20_000;
const ALREADY_INITIALIZED = 23;

export interface MongodProgram {
  readonly kind: 'mongod';
  readonly file: string;
}

interface ReplicaSetConfiguration {
  readonly version: number;
  readonly members: readonly { readonly host: string }[];
}

export const mongodSources: readonly ServerSource<MongodProgram>[] = [
  { title: 'mongod on the PATH', look: async () => mongod(onPath('mongod')) },
  { title: 'mongod downloaded earlier', look: async () => mongod(downloadedEarlier()) },
  { title: 'download of mongod', look: async () => undefined, fetch: download },
];

export async function startMongod(program: MongodProgram, title: string, options: ServerOptions): Promise<RunningServer> {
  return startServerProcess({
    kind: 'mongod',
    describe: title,
    dataDir: options.dataDir,
    port: options.port === undefined || options.port === 0 ? await freePort() : options.port,
    apart: options.apart ?? false,
    command: (port) => ({
      file: program.file,
      args: ['--dbpath', options.dataDir, '--bind_ip', '127.0.0.1', '--port', String(port), '--replSet', REPLICA_SET],
    }),
    readyLine: /"Waiting for connections"[^\n]*"port":(\d+)/,
    url: directUrl,
    afterStart: becomePrimary,
  });
}

function directUrl(port: number): string {
  return `mongodb://127.0.0.1:${port}/sluice?directConnection=true`;
}

/** Forms the replica set of one, or tells it its new port, and waits until it takes writes. */
async function becomePrimary(port: number): Promise<void> {
  const client = new MongoClient(directUrl(port), { serverSelectionTimeoutMS: PRIMARY_LIMIT_MS });
  const admin = client.db('admin');
  const member = { _id: 0, host: `127.0.0.1:${port}` };
  try {
    try {
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [member] } });
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== ALREADY_INITIALIZED) throw error;
      const { config } = (await admin.command({ replSetGetConfig: 1 })) as unknown as { config: ReplicaSetConfiguration };
      if (config.members[0]?.host !== member.host) {
        await admin.command({ replSetReconfig: { ...config, version: config.version + 1, members: [member] }, force: true });
      }
    }
    const until = Date.now() + PRIMARY_LIMIT_MS;
    while ((await admin.command({ hello: 1 }))['isWritablePrimary'] !== true) {
      if (Date.now() > until) throw new Error('the replica set of one has no primary');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    await client.close();
  }
}

function mongod(file: string | undefined): MongodProgram | undefined {
  return file === undefined ? undefined : { kind: 'mongod', file };
}

function downloadFolder(): string {
  return join(cacheFolder(), 'mongod');
}

function downloadedEarlier(): string | undefined {
  if (!existsSync(downloadFolder())) return undefined;
  return readdirSync(downloadFolder())
    .map((name) => join(downloadFolder(), name))
    .find((file) => /mongod[^/]*$/.test(file) && isExecutable(file));
}

async function download(progress: (line: string) => void): Promise<MongodProgram> {
  const host = process.env['MONGOMS_DOWNLOAD_MIRROR'] ?? DOWNLOAD_HOST;
  try {
    await fetch(host, { method: 'HEAD', signal: AbortSignal.timeout(HOST_LIMIT_MS) });
  } catch {
    throw new Error(`${host} is out of reach`);
  }
  progress(`downloading mongod from ${host} (once, some hundred megabytes)`);
  return { kind: 'mongod', file: await MongoBinary.getPath({ downloadDir: downloadFolder() }) };
}
