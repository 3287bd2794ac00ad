/** Timers of a whole embedded server: they wait, are shown, and fire. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { configurationFor } from '../serve/configuration';
import { type EmbeddedServer, startEmbedded } from '../serve/embedded';
import { cli, jsonLines } from '../testing/cli-for-tests';

let folder: string;
let server: EmbeddedServer;
let client: SluiceClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-timers-'));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }));
  client = new SluiceClient({ target: server.address });
  await client.accounts.open({ accountId: 'a', unit: 'EUR' });
  await client.accounts.post({ accountId: 'a', type: 'CREDIT', amountMinor: 10n, unit: 'EUR' });
});
afterAll(async () => {
  client.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const list = async (...argv: string[]): Promise<unknown[]> => jsonLines((await cli(['timers', 'list', ...argv, '--json', '--target', server.address])).out);

test('a hold that expires is a timer that waits, and is shown', async () => {
  await client.accounts.post({ accountId: 'a', type: 'HOLD', requestId: 'later', amountMinor: 1n, unit: 'EUR', expiresAt: new Date('2100-01-01T00:00:00Z') });
  const shown = { capability: 'account', key: 'a', dueAtUs: Date.UTC(2100, 0) * 1_000, parked: false };
  expect(await list()).toMatchObject([shown]);
  expect(await list('--key', 'a', '--until', '2100-01-01')).toMatchObject([shown]);
  expect(await list('--until', '2099-12-31')).toEqual([]);
  expect(await list('--capability', 'task')).toEqual([]);
});

test('it fires when it is due', async () => {
  const released = (async () => {
    for await (const { heldMinor, entryCount } of client.accounts.watch('a')) if (heldMinor === 1n && entryCount === 4n) return;
  })();
  await client.accounts.post({ accountId: 'a', type: 'HOLD', requestId: 'soon', amountMinor: 5n, unit: 'EUR', expiresAfterMs: 200 });
  await released;
  expect(await client.accounts.get('a')).toMatchObject({ heldMinor: 1n });
  expect((await client.scheduler.status()).active).toBe(true);
});
