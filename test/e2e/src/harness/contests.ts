/** Contests on real stores: command, projector and read store, called without a network. The test fires what is due, and stops the projector at will. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MethodDefinition } from '@grpc/grpc-js';
import { type CommandRuntime, startCommand } from '@sluice/command';
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import { type AggregateState, SILENT_OBSERVER } from '@sluice/engine';
import { type RunningServer, startMongo } from '@sluice/infra';
import { InProcessBus, MemoryKeyring, MemorySnapshotStore } from '@sluice/memory';
import { type EventLog, type ReadStore, type Row, systemClock } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { CONTEST_REWARDS, CONTESTS, readContest, readReconciliation, rewardMessage } from '@sluice/projections/contest';
import { Projector, type VerificationProgress } from '@sluice/projector';
import { accountpb } from '@sluice/protocol/account';
import { contestpb } from '@sluice/protocol/contest';
import { ANYBODY, type CallContext, functionOf } from '@sluice/service';
import { MongoConnection, MongoEventLog, MongoReadStore } from '@sluice/store-mongo';
import { SqliteEventLog, SqliteReadStore } from '@sluice/store-sqlite';

const PARTITIONS = 2;
const CALL = { caller: ANYBODY, ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;
/** Between two looks at what a test waits for. */
const LOOK_MS = 10;

export type StoreName = 'SQLite' | 'MongoDB';
type Methods = typeof contestpb.ContestCommandServiceService;
export type Asked = Readonly<Record<string, unknown>>;

export class ContestsOnStores {
  /** What was told to the operator. */
  readonly troubles: string[] = [];
  private readonly closing: (() => Promise<void> | void)[] = [];
  private projector: Projector | undefined;
  private requests = 0;
  private log!: EventLog;
  private bus!: InProcessBus;
  private command!: CommandRuntime;
  store!: ReadStore;

  /** @param asReadBy what the command service gets as the read store; undefined: the store itself. */
  static async start(name: StoreName, asReadBy: (store: ReadStore) => ReadStore = (store) => store): Promise<ContestsOnStores> {
    const contests = new ContestsOnStores();
    try {
      await contests.open(name, asReadBy);
    } catch (error) {
      await contests.stop();
      throw error;
    }
    return contests;
  }

  async stop(): Promise<void> {
    await this.stopProjector();
    for (const close of this.closing.splice(0).reverse()) await close();
  }

  async startProjector(): Promise<void> {
    const { log, store, bus } = this;
    this.projector ??= await Projector.start({ log, store, bus });
  }

  async stopProjector(): Promise<void> {
    await this.projector?.stop();
    this.projector = undefined;
  }

  async call<Method extends keyof Methods>(method: Method, request: Asked): Promise<ReturnType<Methods[Method]['responseDeserialize']>> {
    this.requests += 1;
    const definition = contestpb.ContestCommandServiceService[method];
    const codec = (contestpb as unknown as Record<string, { fromPartial(partial: object): unknown }>)[`${method[0]?.toUpperCase()}${method.slice(1)}Request`];
    const message = codec?.fromPartial({ requestId: `request ${this.requests}`, contestId: 'c', ...request });
    const answer = await this.answer(method, definition.requestSerialize(message as never));
    return definition.responseDeserialize(answer) as ReturnType<Methods[Method]['responseDeserialize']>;
  }

  /** An account with this balance in EUR. */
  async openAccount(accountId: string, balanceMinor: bigint): Promise<void> {
    const { openAccount, post } = accountpb.AccountCommandServiceService;
    const account = { accountId, requestId: `open ${accountId}`, unit: 'EUR' };
    await this.answer('openAccount', openAccount.requestSerialize(accountpb.OpenAccountRequest.fromPartial({ account })));
    if (balanceMinor === 0n) return;
    const posting = { requestId: 'begin', accountId, type: accountpb.PostingType.POSTING_TYPE_CREDIT, amountMinor: balanceMinor, unit: 'EUR' };
    await this.answer('post', post.requestSerialize(accountpb.PostRequest.fromPartial({ posting })));
  }

  private async answer(method: string, request: Buffer): Promise<Buffer> {
    const registration = this.command.registrations.find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    // Some services take their requests as bytes, others decoded.
    const own = registration?.definition[method] as MethodDefinition<unknown, unknown>;
    return own.responseSerialize(await carried.run(own.requestDeserialize(request) as never, CALL));
  }

  /** Two sides: red with r1 and r2, blue with b1. */
  async begin(rules: Asked = {}): Promise<void> {
    const sides = [
      { sideId: 'red', accountIds: ['r1', 'r2'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    await this.call('createContest', { rules, sides });
    await this.call('startContest', {});
  }

  async score(accountId: string, points: number): Promise<void> {
    await this.call('score', { accountId, points: BigInt(points) });
  }

  /** Resolves when the read store has everything that is in the log. */
  async projected(): Promise<void> {
    const heads = await this.log.headSequences();
    await until(async () => {
      const checkpoints = (await (await this.store.current()).checkpoints()).filter(({ projection }) => projection.startsWith('contest@'));
      return heads.every((head, partition) => (checkpoints.find((one) => one.partition === partition)?.sequence ?? 0) >= head);
    });
  }

  /** Fires what is due until the contest is in the phase. */
  async untilPhase(phase: Contest['phase']): Promise<void> {
    await until(async () => {
      await this.fireDue();
      return this.state.phase === phase;
    });
  }

  /** Of the partition's owner. */
  private get state(): Contest {
    const state = this.command.engine.partition(PARTITION_OF_CONTEST)?.stateOf('contest') as AggregateState;
    return state.stateOf('contest', 'c') as Contest;
  }

  /** Ends the round, fires what is due, and waits until the contest has gone on. */
  async endRound(round: number): Promise<void> {
    await this.call('endRound', { round });
    await this.reconciled(round);
  }

  /** Fires what is due until the round is reconciled. */
  async reconciled(round: number): Promise<void> {
    await until(async () => {
      await this.fireDue();
      return this.state.round > round || this.state.phase === 'ENDED';
    });
    await this.settled();
  }

  /** Resolves when the log has what the memory of the contest's owner has: an answer, this refusal too, leaves when what it depends on is durable. */
  async settled(): Promise<void> {
    await this.call('endRound', { round: 1 }).catch(() => undefined);
  }

  async fireDue(): Promise<void> {
    const { timers } = this.command.engine;
    for (const partition of timers.partitions) await timers.of(partition)?.fire(systemClock.nowUs());
  }

  async contest(): Promise<contestpb.Contest> {
    const contest = await readContest(await this.store.current(), 'c');
    if (contest === undefined) throw new Error('the read store does not have the contest');
    return contest;
  }

  async rewards(): Promise<contestpb.MemberReward[]> {
    const query = { collection: CONTEST_REWARDS.name, index: 'by_contest', equals: { contest_id: 'c' }, limit: 1_000 };
    const { rows } = await (await this.store.current()).find(query);
    const { sides } = await this.contest();
    return rows.map((row) => rewardMessage(row, sides));
  }

  async reconciliation(): Promise<contestpb.RoundReconciliation[]> {
    return readReconciliation(await this.store.current(), await this.contest());
  }

  /** Points of the sides as the read store shows them: in the round, and in all. */
  async shown(): Promise<string> {
    const { sides } = await this.contest();
    return `${sides.map(({ roundPoints }) => roundPoints).join()} of ${sides.map(({ points }) => points).join()}`;
  }

  /** Changes the row of the contest by another hand than the projector's. */
  async spoil(change: (row: Row) => Row): Promise<void> {
    const copy = await this.store.current();
    const row = await copy.get(CONTESTS.name, 'c');
    if (row === undefined) throw new Error('the read store does not have the contest');
    this.requests += 1;
    const batch = { partition: row.partition as number, projections: [`spoilt${this.requests}@1`], previousSequence: 0, sequence: 1, committedAtUs: 1 };
    await copy.apply({
      ...batch,
      writes: [
        { kind: 'delete', collection: CONTESTS.name, key: 'c' },
        { kind: 'put', collection: CONTESTS.name, row: change(row) },
      ],
    });
  }

  async verified(): Promise<VerificationProgress> {
    let last: VerificationProgress | undefined;
    await this.projector?.verifyAll((progress) => (last = progress), new AbortController().signal);
    if (last === undefined) throw new Error('nothing was verified');
    return last;
  }

  async rebuild(): Promise<void> {
    await this.projector?.rebuild(() => undefined);
  }

  private async open(name: StoreName, asReadBy: (store: ReadStore) => ReadStore): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-contests-'));
    this.closing.push(() => rmSync(folder, { recursive: true, force: true }));
    if (name === 'SQLite') await this.openSqlite(folder);
    else await this.openMongo(folder);
    this.bus = new InProcessBus();
    this.closing.push(() => this.bus.close());
    this.command = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(),
      bus: this.bus,
      keyring: new MemoryKeyring(),
      clock: systemClock,
      instanceId: 'contests',
      readStore: () => asReadBy(this.store),
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${String(error)}`) },
    });
    this.closing.push(() => this.command.stop());
    await this.startProjector();
  }

  private async openSqlite(folder: string): Promise<void> {
    this.log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
    this.closing.push(() => this.log.close());
    this.store = await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity: this.log.identity });
    this.closing.push(() => this.store.close());
  }

  private async openMongo(folder: string): Promise<void> {
    const server: RunningServer = await startMongo({ dataDir: folder });
    this.closing.push(() => server.stop());
    const connection = await MongoConnection.open({ url: server.url });
    this.closing.push(() => connection.close());
    this.log = await MongoEventLog.open({ connection, partitions: PARTITIONS });
    this.closing.push(() => this.log.close());
    this.store = new MongoReadStore({ connection, collections: READ_COLLECTIONS, identity: this.log.identity });
    this.closing.push(() => this.store.close());
  }
}

const PARTITION_OF_CONTEST = partitionOfKey(Buffer.from('c', 'utf8'), PARTITIONS);

async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
}
