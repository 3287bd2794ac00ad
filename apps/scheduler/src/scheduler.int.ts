import { credentials } from '@grpc/grpc-js';
import { SessionLease } from '@sluice/leases';
import { ManualClock, MemoryLeaseService, MemoryLeaseTable } from '@sluice/memory';
import { schedulerpb, usFromTimestamp } from '@sluice/protocol';
import { type RunningServer, startServer } from '@sluice/service';
import { leasedCommandInstances } from './owners/command-instances';
import { type SchedulerRuntime, startScheduler } from './scheduler';

const TTL_MS = 6_000;
const STARTED_AT_US = 1_795_363_200_123_456;

const noPeer = (address: string): never => {
  throw new Error(`there is no command instance at ${address}`);
};

let clock: ManualClock;
let service: MemoryLeaseService;
let running: { scheduler: SchedulerRuntime; server: RunningServer; lease: SessionLease; table: MemoryLeaseTable; client: schedulerpb.SchedulerServiceClient }[];

beforeEach(() => {
  clock = new ManualClock(STARTED_AT_US);
  service = new MemoryLeaseService();
  running = [];
});

afterEach(async () => {
  for (const { client, server, scheduler, lease } of running) {
    client.close();
    await server.stop(0);
    await scheduler.stop();
    await lease.close();
  }
});

async function start(id: string) {
  const table = new MemoryLeaseTable(service, { clock });
  const lease = await SessionLease.open({ table, holder: { id, address: '127.0.0.1:7403' }, ttlMs: TTL_MS, clock });
  const scheduler = await startScheduler({ lease, instances: leasedCommandInstances(lease, noPeer), clock });
  const server = await startServer({ host: '127.0.0.1', port: 0 }, scheduler.registrations);
  server.setServing(true);
  const client = new schedulerpb.SchedulerServiceClient(server.address, credentials.createInsecure());
  const instance = { scheduler, server, lease, table, client };
  running.push(instance);
  return instance;
}

function statusOf({ client }: { client: schedulerpb.SchedulerServiceClient }): Promise<schedulerpb.GetStatusResponse> {
  return new Promise((resolve, reject) => client.getStatus({}, (error, response) => (error === null ? resolve(response) : reject(error))));
}

test('the status says who it is, since when, and that nothing waits', async () => {
  const status = await statusOf(await start('one'));
  expect(usFromTimestamp(status.startedAt ?? { seconds: 0n, nanos: 0 })).toBe(BigInt(STARTED_AT_US));
  expect(status).toMatchObject({ instanceId: 'one', active: true, waitingTimers: 0n, unfinished: 0n });
});

test('one of two acts; when it stops the other takes over without waiting for the lease to run out', async () => {
  const one = await start('one');
  const two = await start('two');
  expect(await statusOf(one)).toMatchObject({ active: true });
  expect(await statusOf(two)).toMatchObject({ active: false });
  await one.scheduler.stop();
  expect(one.scheduler.active).toBe(false);
  await clock.elapse(0);
  expect(await statusOf(two)).toMatchObject({ active: true });
});

test('one that cannot reach the lease service acts until its lease runs out, then the other', async () => {
  const one = await start('one');
  const two = await start('two');
  one.table.setConnected(false);
  await clock.elapse(5_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([true, false]);
  await clock.elapse(4_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([false, true]);
  one.table.setConnected(true);
  await clock.elapse(10_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([false, true]);
});

test('one that was cut off for a moment goes on', async () => {
  const one = await start('one');
  one.table.setConnected(false);
  await clock.elapse(3_000);
  one.table.setConnected(true);
  await clock.elapse(20_000);
  expect(one.scheduler.active).toBe(true);
});

test('a stopped scheduler leaves no timer behind', async () => {
  const one = await start('one');
  await one.scheduler.stop();
  await one.lease.close();
  expect(clock.pendingTimers).toBe(0);
});
