/** A capability on real stores: command, projector, read store and queries, called without a network. The test fires what is due, and stops the projector at will. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MethodDefinition } from '@grpc/grpc-js';
import { type CommandRuntime, startCommand } from '@sluice/command';
import { SILENT_OBSERVER } from '@sluice/engine';
import { type RunningServer, startMongo } from '@sluice/infra';
import { InProcessBus, MemoryKeyring, MemorySnapshotStore } from '@sluice/memory';
import { type EventLog, type ReadStore, systemClock } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { Projector, type VerificationProgress } from '@sluice/projector';
import { accountpb } from '@sluice/protocol/account';
import { type QueryRuntime, startQuery } from '@sluice/query';
import { ANYBODY, type CallContext, functionOf } from '@sluice/service';
import { MongoConnection, MongoEventLog, MongoReadStore } from '@sluice/store-mongo';
import { SqliteEventLog, SqliteReadStore } from '@sluice/store-sqlite';

export const PARTITIONS = 2;
const CALL = { caller: ANYBODY, ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;
/** Between two looks at what a test waits for. */
const LOOK_MS = 10;

export type StoreName = 'SQLite' | 'MongoDB';
export type Asked = Readonly<Record<string, unknown>>;

interface Method {
  requestSerialize(request: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}
type MethodsOf<Service> = Readonly<Record<keyof Service, Method>>;

interface CapabilityToCall<Service> {
  readonly name: string;
  readonly service: Service;
  /** Its messages, by name. */
  readonly messages: object;
  /** What requests say that say nothing else. */
  readonly defaults: Asked;
}

export abstract class CapabilityOnStores<Service extends MethodsOf<Service>> {
  /** What was told to the operator. */
  readonly troubles: string[] = [];
  private readonly closing: (() => Promise<void> | void)[] = [];
  private bus!: InProcessBus;
  protected log!: EventLog;
  protected command!: CommandRuntime;
  protected projector: Projector | undefined;
  private query!: QueryRuntime;
  private requests = 0;
  store!: ReadStore;

  constructor(private readonly capability: CapabilityToCall<Service>) {}

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

  /** Calls a method of a command or of a query, with a request id of its own unless it has one. */
  async call<Name extends keyof Service & string>(method: Name, request: Asked): Promise<ReturnType<Service[Name]['responseDeserialize']>> {
    this.requests += 1;
    const { service, messages, defaults } = this.capability;
    const definition = service[method];
    const codec = (messages as Record<string, { fromPartial(partial: object): unknown }>)[`${method[0]?.toUpperCase()}${method.slice(1)}Request`];
    const message = codec?.fromPartial({ requestId: `request ${this.requests}`, ...defaults, ...request });
    return definition.responseDeserialize(await this.answer(method, definition.requestSerialize(message as never))) as ReturnType<
      Service[Name]['responseDeserialize']
    >;
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
    const registration = [...this.command.registrations, ...this.query.registrations].find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    // Some services take their requests as bytes, others decoded.
    const own = registration?.definition[method] as MethodDefinition<unknown, unknown>;
    return own.responseSerialize(await carried.run(own.requestDeserialize(request) as never, CALL));
  }

  /** Resolves when the read store has everything that is in the log. */
  async projected(): Promise<void> {
    const heads = await this.log.headSequences();
    await until(async () => {
      const checkpoints = (await (await this.store.current()).checkpoints()).filter(({ projection }) => projection.startsWith(`${this.capability.name}@`));
      return heads.every((head, partition) => (checkpoints.find((one) => one.partition === partition)?.sequence ?? 0) >= head);
    });
  }

  async fireDue(): Promise<void> {
    const { timers } = this.command.engine;
    for (const partition of timers.partitions) await timers.of(partition)?.fire(systemClock.nowUs());
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

  /** @param asReadBy what the command service gets as the read store. */
  protected async open(name: StoreName, asReadBy: (store: ReadStore) => ReadStore = (store) => store): Promise<this> {
    try {
      await this.openStores(name);
      await this.startServices(asReadBy);
    } catch (error) {
      await this.stop();
      throw error;
    }
    return this;
  }

  private async startServices(asReadBy: (store: ReadStore) => ReadStore): Promise<void> {
    this.bus = new InProcessBus();
    this.closing.push(() => this.bus.close());
    this.command = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(),
      bus: this.bus,
      keyring: new MemoryKeyring(),
      clock: systemClock,
      instanceId: `${this.capability.name}-on-stores`,
      readStore: () => asReadBy(this.store),
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${String(error)}`) },
    });
    this.closing.push(() => this.command.stop());
    this.query = await startQuery({ readStore: this.store });
    this.closing.push(() => this.query.stop());
    await this.startProjector();
  }

  private async openStores(name: StoreName): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), `sluice-${this.capability.name}-`));
    this.closing.push(() => rmSync(folder, { recursive: true, force: true }));
    if (name === 'SQLite') await this.openSqlite(folder);
    else await this.openMongo(folder);
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

export async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS));
}
