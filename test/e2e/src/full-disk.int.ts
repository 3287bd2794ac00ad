/** A disk that is full: nothing is acknowledged, nothing half done, and when there is room again everything goes on. */
import { join } from 'node:path';
import { startCommand, type CommandRuntime } from '@sluice/command';
import { InProcessBus, MemoryKeyring, MemorySnapshotStore } from '@sluice/memory';
import { systemClock } from '@sluice/ports';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { startServer, type RunningServer } from '@sluice/service';
import { Calls, credit, refusalOf } from './harness/calls';
import { dataFolder } from './harness/server';

const folder = dataFolder();
let log: SqliteEventLog;
let command: CommandRuntime;
let server: RunningServer;
let calls: Calls;

beforeAll(async () => {
  log = await SqliteEventLog.open({ file: join(folder.path, 'log.db'), partitions: 2 });
  command = await startCommand({
    log,
    snapshots: new MemorySnapshotStore(),
    bus: new InProcessBus(),
    keyring: new MemoryKeyring(),
    clock: systemClock,
    instanceId: 'e2e',
  });
  server = await startServer({ host: '127.0.0.1', port: 0 }, command.registrations);
  calls = new Calls(server.address);
  await calls.open({ accountId: 'hot' });
});

afterAll(async () => {
  calls.close();
  await server.stop(0);
  await command.stop();
  await log.close();
  folder.remove();
});

test('a full disk refuses with UNAVAILABLE and loses nothing', async () => {
  const note = 'x'.repeat(900);
  const posting = (at: number) => credit('hot', `r${at}`, 1n, { metadata: { note } });
  await calls.batch(Array.from({ length: 100 }, (_, at) => posting(at)));
  await log.limitPages(1);
  const refused = await Promise.all(Array.from({ length: 8 }, (_, at) => refusalOf(calls.post(posting(1_000 + at)))));
  expect(new Set(refused)).toEqual(new Set(['UNAVAILABLE PARTITION_UNAVAILABLE']));
  await log.limitPages(1_000_000);
  for (;;) {
    if ((await refusalOf(calls.post(posting(1)))) === 'OK') break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const again = await calls.batch(Array.from({ length: 8 }, (_, at) => posting(1_000 + at)));
  expect(again.results.map(({ repeated, error, balanceAfterMinor }) => [repeated, error, balanceAfterMinor])).toEqual(
    Array.from({ length: 8 }, (_, at) => [false, undefined, BigInt(101 + at)]),
  );
  expect((await calls.post(posting(7))).result).toMatchObject({ repeated: true, balanceAfterMinor: 8n });
});
