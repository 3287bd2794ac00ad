/**
 * The commands that reach MongoDB while tasks pass through their states. A transition is an insert into the log and updates of the read store;
 * it finds nothing first. What is looked for by time (heads of the log, checkpoints) is looked for however many tasks there are.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type CommandRuntime, startCommand } from '@sluice/command';
import { haveServer, type RunningServer as InfraServer, startMongo } from '@sluice/infra';
import { InProcessBus, MemoryKeyring, MemorySnapshotStore } from '@sluice/memory';
import { type EventLog, systemClock } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { Projector } from '@sluice/projector';
import { taskpb } from '@sluice/protocol/task';
import { type RunningServer, startServer } from '@sluice/service';
import { type MongoConnection, MongoEventLog, MongoReadStore } from '@sluice/store-mongo';
import { MongoClient } from 'mongodb';
import { answered } from './harness/calls';

const TASKS = 40;
const QUEUE = 'q';

interface SeenCommand {
  readonly name: string;
  readonly collection: string;
  /** A find that asks for what the documents are, not only for which there are. */
  readonly whole: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-task-commands-'));
const seen: SeenCommand[] = [];
let mongo: InfraServer;
let client: MongoClient;
let log: MongoEventLog;
let store: MongoReadStore;
let bus: InProcessBus;
let command: CommandRuntime;
let projector: Projector;
let server: RunningServer;
let commands: taskpb.TaskCommandServiceClient;
let worker: HandWorker;

/** A worker whose tasks the test reports by hand. */
class HandWorker {
  private readonly stream: ReturnType<taskpb.TaskWorkerServiceClient['work']>;
  private readonly service: taskpb.TaskWorkerServiceClient;
  private readonly answers: taskpb.WorkResponse[] = [];
  private heard = (): void => undefined;

  constructor(address: string) {
    this.service = new taskpb.TaskWorkerServiceClient(address, credentials.createInsecure());
    this.stream = this.service.work();
    this.stream.on('error', () => undefined);
    this.stream.on('data', (answer: taskpb.WorkResponse) => {
      this.answers.push(answer);
      this.heard();
    });
    this.send({ subscription: { workerId: 'w', queues: [QUEUE], types: [], capacity: 1, held: [], keepsLimits: false } });
  }

  send(request: Partial<taskpb.WorkRequest>): void {
    this.stream.write(taskpb.WorkRequest.fromPartial(request));
  }

  async next<Found>(find: (answer: taskpb.WorkResponse) => Found | undefined): Promise<Found> {
    for (;;) {
      for (const [at, answer] of this.answers.entries()) {
        const found = find(answer);
        if (found === undefined) continue;
        this.answers.splice(at, 1);
        return found;
      }
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
  }

  async lease(): Promise<taskpb.Lease> {
    const { taskId, leaseToken } = await this.next(({ tasks }) => tasks[0]);
    return { taskId, leaseToken };
  }

  close(): void {
    this.stream.cancel();
    this.service.close();
  }
}

let requests = 0;
const requestId = (): string => {
  requests += 1;
  return `request ${requests}`;
};

async function create(): Promise<string> {
  const task = taskpb.TaskSpec.fromPartial({ type: 'mail', payload: Buffer.from('hello'), retry: { maximumAttempts: 2, firstPauseMs: 1 } });
  const request = taskpb.CreateTaskRequest.fromPartial({ requestId: requestId(), queue: QUEUE, task });
  const response = await answered<taskpb.CreateTaskResponse>((done) => commands.createTask(request, done));
  return response.task?.taskId ?? '';
}

/** Created, started, progressed, failed, tried again, completed; submitted again, started, cancelled. */
async function passThroughStates(): Promise<void> {
  const taskId = await create();
  const first = await worker.lease();
  worker.send({ heartbeats: [{ lease: first, progress: { done: 1, total: 2, text: '' } }] });
  await worker.next(({ heard }) => heard[0]);
  worker.send({ failings: [{ lease: first, message: 'not yet', permanent: false, ranUs: 0n, timeLimit: false }] });
  await worker.next(({ verdicts }) => verdicts[0]);
  const second = await worker.lease();
  worker.send({ completions: [{ lease: second, result: { body: Buffer.from('done'), contentType: '' }, ranUs: 0n }] });
  await worker.next(({ verdicts }) => verdicts[0]);
  const { task } = await answered<taskpb.RetryTaskResponse>((done) => commands.retryTask({ requestId: requestId(), taskId }, done));
  await worker.lease();
  const cancel = { requestId: requestId(), taskId: task?.taskId ?? '', expectedVersion: 2, note: '' };
  await answered<taskpb.CancelTaskResponse>((done) => commands.cancelTask(cancel, done));
  await worker.next(({ stops }) => stops[0]);
}

/** The log for the projector: its heads stand still, so that commits are read from the bus, however late that brings them on a busy machine. */
function withoutHeads({ identity, maximumCommitBytes }: EventLog): EventLog {
  return {
    identity,
    maximumCommitBytes,
    append: (commit) => log.append(commit),
    read: (...asked) => log.read(...asked),
    head: (partition) => log.head(partition),
    isTaken: (...asked) => log.isTaken(...asked),
    headSequences: async () => Array.from({ length: identity.partitions }, () => 0),
    dropFrom: (...asked) => log.dropFrom(...asked),
    close: async () => undefined,
  };
}

/** Resolves when the read store has everything that is in the log. */
async function caughtUp(): Promise<void> {
  const heads = await log.headSequences();
  for (;;) {
    const standing = (await (await store.current()).checkpoints()).filter(({ projection }) => projection.startsWith('task@'));
    if (heads.every((head, partition) => (standing.find((one) => one.partition === partition)?.sequence ?? 0) >= head)) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
}

(haveServer('mongodb') ? describe : describe.skip)('on MongoDB', () => {
  beforeAll(async () => {
    mongo = await startMongo({ dataDir: folder });
    client = new MongoClient(mongo.url, { monitorCommands: true, useBigInt64: true });
    client.on('commandStarted', ({ commandName: name, command: sent }) => {
      const collection = String(sent[name]);
      seen.push({ name, collection, whole: name === 'find' && sent.projection === undefined });
    });
    await client.connect();
    const connection = { db: client.db('sluice'), describe: 'the test', linearizableReads: false, close: () => client.close() } as unknown as MongoConnection;
    log = await MongoEventLog.open({ connection, partitions: 2 });
    store = new MongoReadStore({ connection, collections: READ_COLLECTIONS, identity: log.identity });
    bus = new InProcessBus();
    const keyring = new MemoryKeyring();
    command = await startCommand({ log, snapshots: new MemorySnapshotStore(), bus, keyring, clock: systemClock, instanceId: 'e2e' });
    projector = await Projector.start({ log: withoutHeads(log), store, bus });
    server = await startServer({ host: '127.0.0.1', port: 0 }, command.registrations);
    commands = new taskpb.TaskCommandServiceClient(server.address, credentials.createInsecure());
    worker = new HandWorker(server.address);
  });

  afterAll(async () => {
    worker?.close();
    commands?.close();
    await server?.stop(0);
    await projector?.stop();
    await command?.stop();
    await bus?.close();
    await store?.close();
    await client?.close();
    await mongo?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('no transition of a task finds anything first, in the log or in the read store', async () => {
    // What the queue and its type have is read once.
    await passThroughStates();
    await caughtUp();
    seen.length = 0;
    for (let at = 0; at < TASKS; at += 1) await passThroughStates();
    await caughtUp();
    // Which copy of the rows is in force, and how far it is, is looked up as time passes.
    const isOfTime = (collection: string): boolean => collection === 'read_copies' || collection.endsWith('_checkpoints');
    const finds = seen.filter(({ name, whole }) => whole || ['aggregate', 'count', 'distinct', 'findAndModify'].includes(name));
    expect(finds.filter(({ collection }) => !isOfTime(collection))).toEqual([]);
    expect(seen.filter(({ name, collection }) => name === 'insert' && collection === 'commits').length).toBeGreaterThanOrEqual(TASKS);
  });
});
