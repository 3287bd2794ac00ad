import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MongoClient } from 'mongodb';

import { externalServer } from './external-server';
import { startMongo } from './mongo-server';
import { startNats } from './nats-server';
import type { RunningServer } from './running-server';

/** The first line that a NATS server says to who connects. */
function greeting(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => undefined);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('error', reject);
  });
}

let folder: string;
let server: RunningServer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-infra-'));
});
afterEach(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('NATS starts with JetStream, is killed, and starts again on the same port', async () => {
  server = await startNats({ dataDir: folder, external: false, configuration: 'max_payload: 64KB' });
  const { url } = server;
  const info = JSON.parse((await greeting(url)).slice('INFO '.length).trim());
  expect(info).toMatchObject({ jetstream: true, max_payload: 65_536 });
  await server.kill();
  await expect(greeting(url)).rejects.toThrow();
  await server.restart();
  expect(server.url).toBe(url);
  await expect(greeting(url)).resolves.toContain('INFO');
});

test('MongoDB, or what stands in for it, keeps its data over a graceful restart', async () => {
  server = await startMongo({ dataDir: folder, external: false });
  const write = new MongoClient(server.url);
  await write.db().collection<{ _id: string }>('things').insertOne({ _id: 'kept' });
  await write.close();
  await server.stop();
  await server.restart();
  const read = new MongoClient(server.url);
  await expect(read.db().collection('things').countDocuments()).resolves.toBe(1);
  await read.close();
});

test('a document is read whole while others change it', async () => {
  server = await startMongo({ dataDir: folder, external: false });
  const [writing, reading] = [new MongoClient(server.url), new MongoClient(server.url)];
  const fields = Array.from({ length: 40 }, (_, at) => `field${at}`);
  const filledWith = (value: number) => ({ _id: 'changing', ...Object.fromEntries(fields.map((field) => [field, value])) });
  const things = (client: MongoClient) => client.db().collection<{ _id: string; [field: string]: number | string }>('things');
  await things(writing).insertOne(filledWith(0));
  let isDone = false;
  const change = async (): Promise<void> => {
    for (let bulk = 0; bulk < 40; bulk += 1) {
      const replacements = Array.from({ length: 500 }, (_, at) => filledWith(bulk * 500 + at));
      await things(writing).bulkWrite(replacements.map((replacement) => ({ replaceOne: { filter: { _id: 'changing' }, replacement } })));
    }
    isDone = true;
  };
  const torn: unknown[][] = [];
  const read = async (): Promise<void> => {
    while (!isDone) {
      const found = await things(reading).findOne({ _id: 'changing' });
      const values = new Set(fields.map((field) => found?.[field]));
      if (values.size > 1) torn.push([...values]);
    }
  };
  await Promise.all([change(), read(), read(), read(), read()]);
  await Promise.all([writing.close(), reading.close()]);
  expect(torn).toEqual([]);
});

test('a server of somebody else is connected to, never stopped, and its password is not told', async () => {
  const external = externalServer('NATS', 'nats://user:secret@127.0.0.1:4222', 'SLUICE_NATS_URL');
  expect(external.describe).toBe('NATS at nats://127.0.0.1:4222 (SLUICE_NATS_URL)');
  await external.stop();
  await expect(external.kill()).rejects.toThrow('not ours');
});
