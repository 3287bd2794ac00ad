/** A commit that cannot be read: its partition stands still before it and says so; the others go on; a repair is found. */
import { credentials } from '@grpc/grpc-js';
import { NO_LIMITS } from '@sluice/domain/account';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryReadStore } from '@sluice/memory';
import type { CommitToAppend } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { CommitWriter, healthpb } from '@sluice/protocol';
import { startServer } from '@sluice/service';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { BLOCKED_RETRY_MS } from './partition-projector';
import { SILENT_PROJECTOR_OBSERVER } from './projector-observer';
import { type ProjectorRuntime, startProjector } from './start-projector';
import type { BlockedPartition } from './unreadable-commit';

const PARTITIONS = 2;
const DAMAGED = 3;

let clock: ManualClock;
let log: MemoryEventLog;
let store: MemoryReadStore;
let histories: AccountHistory[];
let blocked: BlockedPartition[];
let unblocked: number[];
let runtime: ProjectorRuntime | undefined;

beforeEach(() => {
  clock = new ManualClock();
  log = new MemoryEventLog({ partitions: PARTITIONS });
  store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity: log.identity, clock });
  histories = [0, 1].map((partition) => new AccountHistory({ incarnation: log.identity.incarnation, partition }));
  blocked = [];
  unblocked = [];
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
});

async function start(): Promise<ProjectorRuntime> {
  const observer = {
    ...SILENT_PROJECTOR_OBSERVER,
    blocked: (found: BlockedPartition) => void blocked.push(found),
    unblocked: (partition: number) => void unblocked.push(partition),
  };
  runtime = await startProjector({ log, store, bus: new InProcessBus(), clock, observer });
  return runtime;
}

function turn(partition: number): CommitToAppend {
  const history = histories[partition] as AccountHistory;
  const accountId = `account-${partition}`;
  const command: HistoryCommand =
    history.sequence === 0
      ? {
          kind: 'account',
          accountId,
          requestId: 'open',
          command: { kind: 'open', accountId, unit: 'EUR', branchId: '', product: '', limits: NO_LIMITS, signingKeyId: '' },
        }
      : {
          kind: 'post',
          accountId,
          posting: { requestId: `credit-${history.sequence}`, type: 'CREDIT', amountMinor: 1n, unit: 'EUR', holdId: '', final: false },
        };
  return history.turn([command], clock.nowUs());
}

/** Lets time pass until it is so. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; !(await condition()); round += 1) {
    if (round > 500) throw new Error(`did not come true: ${condition.toString()}`);
    await clock.elapse(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function checkpointOf(partition: number): Promise<number> {
  return (await (await store.current()).checkpoints()).find((one) => one.partition === partition)?.sequence ?? 0;
}

test('a changed commit in the log: what is before it is projected, the place and the repair are told, health says so, a repair is found', async () => {
  for (let sequence = 1; sequence <= 5; sequence += 1) for (const partition of [0, 1]) await log.append(turn(partition));
  const read = log.read.bind(log);
  let damaged = true;
  jest.spyOn(log, 'read').mockImplementation(async (partition, from, page) =>
    (await read(partition, from, page)).map((record) => {
      if (!damaged || partition !== 1 || record.sequence !== DAMAGED) return record;
      const bytes = Buffer.from(record.bytes);
      const at = bytes.indexOf('credit-');
      bytes[at] = (bytes[at] as number) ^ 1;
      return { ...record, bytes };
    }),
  );
  const { control, registrations } = await start();
  await until(() => blocked.length > 0);
  await until(async () => (await checkpointOf(0)) === 5);
  expect(await checkpointOf(1)).toBe(DAMAGED - 1);
  expect(blocked[0]).toMatchObject({ partition: 1, sequence: DAMAGED });
  expect(blocked[0]?.error).toMatch(/^partition 1, sequence 3: the checksum does not match.*sluice log repair --drop-from 1:3$/);
  const { partitions } = await control.status();
  expect(partitions.map((one) => one.blocked?.sequence)).toEqual([undefined, DAMAGED]);

  const server = await startServer({ host: '127.0.0.1', port: 0 }, registrations);
  const health = new healthpb.HealthClient(server.address, credentials.createInsecure());
  const status = (service: string) =>
    new Promise((resolve) => health.check({ service }, (_error, response) => resolve(response && healthpb.HealthCheckResponse_ServingStatus[response.status])));
  server.setServing(true);
  expect([await status(''), await status('sluice.projection.v1.ProjectionService'), await status('sluice.log.v1.LogService')]).toEqual([
    'NOT_SERVING',
    'NOT_SERVING',
    'SERVING',
  ]);

  damaged = false;
  await clock.elapse(BLOCKED_RETRY_MS);
  await until(() => unblocked.includes(1));
  await until(async () => (await checkpointOf(1)) === 5);
  expect(await status('')).toBe('SERVING');
  health.close();
  await server.stop(0);
});

test('an event that this version does not know stops its partition before that commit, and says to start a newer one', async () => {
  await log.append(turn(0));
  const known = turn(0);
  await log.append(known);
  const writer = new CommitWriter();
  const previousChecksum = known.bytes.subarray(known.bytes.length - 32);
  const incarnation = Buffer.from(log.identity.incarnation, 'hex');
  writer.begin({ incarnation, partition: 0, sequence: 3, epoch: 1, committedAtUs: clock.nowUs(), previousChecksum }, []);
  writer.event('account.PostingsRecorded', 7, new Uint8Array([1]));
  await log.append({ partition: 0, sequence: 3, bytes: writer.finish(), commandCount: 1, committedAtUs: clock.nowUs(), eventTypes: [] });
  await start();
  await until(() => blocked.length > 0);
  expect(await checkpointOf(0)).toBe(2);
  expect(blocked[0]).toMatchObject({ partition: 0, sequence: 3 });
  expect(blocked[0]?.error).toMatch(/"account.PostingsRecorded" version 7 is not known.*start a version of the projector that knows it$/);
});

test('a log that is cut before the commit unblocks its partition', async () => {
  for (let sequence = 1; sequence <= 3; sequence += 1) await log.append(turn(0));
  const read = log.read.bind(log);
  jest
    .spyOn(log, 'read')
    .mockImplementation(async (partition, from, page) =>
      (await read(partition, from, page)).map((record) => (record.sequence === DAMAGED ? { ...record, bytes: record.bytes.subarray(0, 20) } : record)),
    );
  await start();
  await until(() => blocked.length > 0);
  await log.dropFrom(0, DAMAGED);
  await until(() => unblocked.includes(0));
  expect(await checkpointOf(0)).toBe(2);
});
