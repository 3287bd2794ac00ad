import { credentials } from '@grpc/grpc-js';
import { ManualClock, MemoryLease, type MemoryLeases } from '@sluice/memory';
import { schedulerpb, usFromTimestamp } from '@sluice/protocol';
import { type RunningServer, startServer } from '@sluice/service';
import { type SchedulerRuntime, startScheduler } from './scheduler';

const STARTED_AT_US = 1_795_363_200_123_456;

let clock: ManualClock;
let leases: MemoryLeases;
let running: { scheduler: SchedulerRuntime; server: RunningServer; lease: MemoryLease; client: schedulerpb.SchedulerServiceClient }[];

beforeEach(() => {
  clock = new ManualClock(STARTED_AT_US);
  leases = new Map();
  running = [];
});

afterEach(async () => {
  for (const { client, server, scheduler } of running) {
    client.close();
    await server.stop(0);
    await scheduler.stop();
  }
});

async function start(id: string) {
  const lease = new MemoryLease({ leases, clock });
  const scheduler = await startScheduler({ lease, holder: { id, address: '127.0.0.1:7403' }, clock });
  const server = await startServer({ host: '127.0.0.1', port: 0 }, scheduler.registrations);
  server.setServing(true);
  const client = new schedulerpb.SchedulerServiceClient(server.address, credentials.createInsecure());
  const instance = { scheduler, server, lease, client };
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
  await clock.elapse(2_000);
  expect(await statusOf(two)).toMatchObject({ active: true });
});

test('one that cannot reach the lease service acts until its lease runs out, then the other', async () => {
  const one = await start('one');
  const two = await start('two');
  one.lease.setConnected(false);
  await clock.elapse(5_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([true, false]);
  await clock.elapse(4_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([false, true]);
  one.lease.setConnected(true);
  await clock.elapse(10_000);
  expect([one.scheduler.active, two.scheduler.active]).toEqual([false, true]);
});

test('one that was cut off for a moment goes on', async () => {
  const one = await start('one');
  one.lease.setConnected(false);
  await clock.elapse(3_000);
  one.lease.setConnected(true);
  await clock.elapse(20_000);
  expect(one.scheduler.active).toBe(true);
});

test('a stopped scheduler leaves no timer behind', async () => {
  const one = await start('one');
  await one.scheduler.stop();
  expect(clock.pendingTimers).toBe(0);
});
