/**
 * ProjectionService and LogService over gRPC, before a projector in a thread of its own: files, message port, link.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { partitionOfKey } from '@sluice/domain';
import { NO_LIMITS } from '@sluice/domain/account';
import { MessagePortBusPublisher } from '@sluice/memory';
import { logpb, projectionpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { AccountHistory, type HistoryCommand } from '@sluice/testing';
import { type FlushReport, SILENT_PROJECTOR_OBSERVER } from './projector-observer';
import type { ProjectorRuntime } from './start-projector';
import { startProjectorThread } from './thread/start-projector-thread';

const PARTITIONS = 2;
const ACCOUNT = 'alice';
const PARTITION = partitionOfKey(Buffer.from(ACCOUNT), PARTITIONS);

let folder: string;
let log: SqliteEventLog;
let bus: MessagePortBusPublisher;
let runtime: ProjectorRuntime;
let server: RunningServer;
let logClient: logpb.LogServiceClient;
let projectionClient: projectionpb.ProjectionServiceClient;
let history: AccountHistory;
const flushes: FlushReport[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-projector-thread-'));
  log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
  history = new AccountHistory({ incarnation: log.identity.incarnation, partition: PARTITION });
  bus = new MessagePortBusPublisher();
  runtime = await startProjectorThread({
    logFile: join(folder, 'log.db'),
    readFile: join(folder, 'read.db'),
    readBus: () => bus.newReader(),
    log,
    observer: { ...SILENT_PROJECTOR_OBSERVER, flushed: (report) => flushes.push(report) },
    crashed: (error) => {
      throw error;
    },
  });
  server = await startServer({ host: '127.0.0.1', port: 0 }, runtime.registrations);
  logClient = new logpb.LogServiceClient(server.address, credentials.createInsecure());
  projectionClient = new projectionpb.ProjectionServiceClient(server.address, credentials.createInsecure());
  await append([
    {
      kind: 'account',
      accountId: ACCOUNT,
      requestId: 'open',
      command: { kind: 'open', accountId: ACCOUNT, unit: 'EUR', branchId: '', product: '', limits: NO_LIMITS, signingKeyId: '' },
    },
  ]);
  for (let turn = 0; turn < 5; turn += 1) await append([credit(`request-${turn}`)]);
});

afterAll(async () => {
  logClient.close();
  projectionClient.close();
  await server.stop(100);
  await runtime.stop();
  await bus.close();
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

const credit = (requestId: string): HistoryCommand => ({
  kind: 'post',
  accountId: ACCOUNT,
  posting: { requestId, type: 'CREDIT', amountMinor: 5n, unit: 'EUR', holdId: '', final: false },
});

async function append(commands: readonly HistoryCommand[]): Promise<void> {
  const commit = history.turn(commands, 1_700_000_000_000_000 + history.sequence * 1_000);
  await log.append(commit);
  await bus.publish(commit);
}

function call<Request, Response>(
  method: (request: Request, callback: (error: ServiceError | null, response: Response) => void) => unknown,
  request: Request,
  client: unknown = logClient,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method.call(client, request, (error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

async function refusalOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
  } catch (error) {
    return `${status[(error as ServiceError).code]} ${errorInfoOf(error as ServiceError)?.reason}`;
  }
  throw new Error('the call was not refused');
}

test('says where a key lives and where its partition stands', async () => {
  expect(await call<logpb.GetPartitionRequest, logpb.GetPartitionResponse>(logClient.getPartition, { key: ACCOUNT, wholeKey: false })).toEqual({
    partition: PARTITION,
    partitions: PARTITIONS,
    headSequence: BigInt(history.sequence),
    incarnation: log.identity.incarnation,
    ownerEpoch: 1n,
    owner: '',
  });
  // As docs/partitions.md has it, of 2 partitions.
  const partitionOf = (key: string, wholeKey: boolean) =>
    call<logpb.GetPartitionRequest, logpb.GetPartitionResponse>(logClient.getPartition, { key, wholeKey }).then(({ partition }) => partition);
  expect([await partitionOf('{room-12}-0816', false), await partitionOf('{room-12}-0816', true)]).toEqual([0, 1]);
  expect(await refusalOf(call<logpb.GetPartitionRequest, unknown>(logClient.getPartition, { key: '', wholeKey: false }))).toBe(
    'INVALID_ARGUMENT INVALID_REQUEST',
  );
});

test('reads commits, their events under their own names', async () => {
  const read = (request: Partial<logpb.ReadCommitsRequest>) =>
    call<logpb.ReadCommitsRequest, logpb.ReadCommitsResponse>(
      logClient.readCommits,
      logpb.ReadCommitsRequest.fromPartial({ partition: PARTITION, ...request }),
    );
  const { commits, nextSequence } = await read({ pageSize: 2 });
  expect(commits.map(({ sequence }) => sequence)).toEqual([1n, 2n]);
  expect(nextSequence).toBe(3n);
  expect(commits[0]?.events[0]?.event?.typeUrl).toBe('type.googleapis.com/sluice.account.v1.AccountOpened');
  const recorded = commits[1]?.events[0];
  expect(recorded).toMatchObject({ type: 'account.PostingsRecorded', version: 1 });
  expect(accountpb.PostingsRecorded.decode(recorded?.event?.value ?? Buffer.alloc(0)).accounts[0]?.accountId).toBe(ACCOUNT);
  const last = await read({ fromSequence: 6n, headersOnly: true });
  expect(last.commits.map(({ sequence, events }) => [sequence, events.length])).toEqual([[6n, 0]]);
  expect(last.nextSequence).toBe(0n);
  expect(await refusalOf(read({ partition: 7 }))).toBe('NOT_FOUND PARTITION_NOT_FOUND');
  expect(await refusalOf(read({ pageSize: 1_001 }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
});

test('tails the log from a sequence on, and what comes', async () => {
  const tail = logClient.tailCommits(logpb.TailCommitsRequest.fromPartial({ partition: PARTITION, fromSequence: 6n, headersOnly: true }));
  const commits = tail[Symbol.asyncIterator]() as AsyncIterator<logpb.TailCommitsResponse>;
  const next = async () => ((await commits.next()).value as logpb.TailCommitsResponse).commit?.sequence;
  expect(await next()).toBe(6n);
  await append([credit('tailed')]);
  expect(await next()).toBe(7n);
  tail.on('error', () => undefined);
  tail.cancel();
});

test('verifies, rebuilds and says how it stands', async () => {
  const account = await call<logpb.VerifyAccountRequest, logpb.VerifyAccountResponse>(logClient.verifyAccount, { accountId: ACCOUNT });
  const entries = BigInt(history.accounts.get(ACCOUNT)?.entryCount ?? 0);
  expect(account).toEqual({
    equal: true,
    differences: [],
    sequence: BigInt(history.sequence),
    logBalanceMinor: entries * 5n,
    readBalanceMinor: entries * 5n,
    logEntryCount: entries,
    readEntryCount: entries,
  });
  expect(await refusalOf(call<logpb.VerifyAccountRequest, unknown>(logClient.verifyAccount, { accountId: 'nobody' }))).toBe('NOT_FOUND ACCOUNT_NOT_FOUND');
  const verify = (request: Partial<logpb.VerifyAggregateRequest>) =>
    call<logpb.VerifyAggregateRequest, logpb.VerifyAggregateResponse>(logClient.verifyAggregate, logpb.VerifyAggregateRequest.fromPartial(request));
  expect(await verify({ capability: 'account', key: ACCOUNT })).toEqual({
    equal: true,
    differences: [],
    sequence: BigInt(history.sequence),
    figures: [
      { name: 'balance', log: entries * 5n, read: entries * 5n },
      { name: 'entries', log: entries, read: entries },
    ],
  });
  expect(await refusalOf(verify({ capability: 'account', aggregate: 'transfer', key: '3:one17' }))).toBe('NOT_FOUND AGGREGATE_NOT_FOUND');
  expect(await refusalOf(verify({ capability: 'account', aggregate: 'queue', key: ACCOUNT }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
  expect(await refusalOf(verify({ capability: 'nothing', key: ACCOUNT }))).toBe('INVALID_ARGUMENT INVALID_REQUEST');

  const progress: projectionpb.RebuildResponse[] = [];
  for await (const one of projectionClient.rebuild({}) as AsyncIterable<projectionpb.RebuildResponse>) progress.push(one);
  expect(progress.at(-1)).toMatchObject({ switched: true, doneCommits: BigInt(history.sequence), totalCommits: BigInt(history.sequence) });

  const verified: projectionpb.VerifyAllResponse[] = [];
  for await (const one of projectionClient.verifyAll({}) as AsyncIterable<projectionpb.VerifyAllResponse>) verified.push(one);
  expect(verified.at(-1)).toMatchObject({ finished: true, equal: true, differences: [], accounts: 1n, entries });

  const standing = await call<projectionpb.GetStatusRequest, projectionpb.GetStatusResponse>(projectionClient.getStatus, {}, projectionClient);
  expect(standing).toMatchObject({
    copy: progress.at(-1)?.copy,
    setAside: [],
    projectedPostings: entries,
    incarnation: log.identity.incarnation,
    hottestAccount: ACCOUNT,
  });
  expect(standing.partitions[PARTITION]).toMatchObject({
    partition: PARTITION,
    checkpoint: BigInt(history.sequence),
    headSequence: BigInt(history.sequence),
    lagUs: 0n,
    heldHere: true,
    filling: [],
  });
  expect(flushes.reduce((sum, { postings }) => sum + postings, 0)).toBe(Number(entries));
});

test.each`
  branchId | date            | refused
  ${'b'}   | ${'2026-11-27'} | ${'NOT_FOUND BRANCH_NOT_FOUND'}
  ${''}    | ${'2026-11-27'} | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'b'}   | ${'2026-02-30'} | ${'INVALID_ARGUMENT INVALID_REQUEST'}
`('no proof of "$branchId" at $date: $refused', async ({ branchId, date, refused }: Record<'branchId' | 'date' | 'refused', string>) => {
  expect(await refusalOf(call<logpb.VerifyDayRequest, unknown>(logClient.verifyDay, { branchId, date }))).toBe(refused);
});

test('a thread that cannot start says why', async () => {
  const files = { logFile: join(folder, 'nothing.db'), readFile: join(folder, 'other.db') };
  await expect(startProjectorThread({ ...files, readBus: () => new MessagePortBusPublisher().newReader(), log })).rejects.toThrow();
});
