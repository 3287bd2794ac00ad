/**
 * A capability of ordinary aggregates over memory adapters or a SQLite log, called without a network. Stopping, crashing and starting again keep the log and
 * the snapshots.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SILENT_OBSERVER, type AggregateState } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { EventLog } from '@sluice/ports';
import { ANYBODY, functionOf, type CallContext } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { NO_METRICS, type Metrics } from '@sluice/telemetry';
import { startCommand, type CommandRuntime } from '../command';
import { MortalLog } from './mortal-log';
import { commitsOf, fillLog, type History } from './recorded-history';

const INCARNATION = '00112233445566778899aabbccddeeff';
export const CALL = {
  caller: ANYBODY,
  ended: false,
  forwarded: false,
  deadlineMs: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
} as CallContext;

/** A request with fields left out. */
export type Asked = Readonly<Record<string, unknown>>;

interface Method {
  requestSerialize(request: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

/** The definition of a service, by method. */
export type MethodsOf<Service> = Readonly<Record<keyof Service, Method>>;

export interface CapabilityUnderTest<Service> {
  readonly name: string;
  readonly partitions: number;
  readonly service: Service;
  /** Its messages, by name. */
  readonly messages: object;
  /** What requests say that say nothing else. */
  readonly defaults: Asked;
}

export abstract class AggregatesUnderTest<Service extends MethodsOf<Service>> {
  readonly clock = new ManualClock();
  /** What was told to the operator. */
  readonly troubles: string[] = [];
  /** Where it is measured, if it is. */
  metrics: Metrics = NO_METRICS;
  /** When the process dies, if it does. */
  mortality = MortalLog.immortal();
  protected readonly storage: MemoryLogStorage;
  protected runtime: CommandRuntime | undefined;
  private readonly blocks: MemoryBlocks = new Map();
  private readonly keys = new Map<string, Uint8Array>();
  private log: EventLog | undefined;
  /** Of the SQLite log; undefined: the log is in memory. */
  private readonly folder: string | undefined;
  private requests = 0;

  /** @param adapter of the log: 'memory', 'SQLite'. */
  protected constructor(
    protected readonly capability: CapabilityUnderTest<Service>,
    adapter: string,
  ) {
    this.folder = adapter === 'SQLite' ? mkdtempSync(join(tmpdir(), `sluice-${capability.name}-`)) : undefined;
    this.storage = new MemoryLogStorage({ partitions: capability.partitions, incarnation: INCARNATION, createdAtUs: 1_767_225_600_000_000 });
  }

  /** @param commits of a history, to start over. */
  protected async run(commits: History['commits'] = []): Promise<this> {
    fillLog(this.storage, commits);
    const { folder, clock, capability } = this;
    const { partitions, name } = capability;
    this.log = folder === undefined ? new MortalLog(this.storage, this.mortality) : await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions });
    this.runtime = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(this.blocks),
      bus: new InProcessBus({ clock }),
      keyring: new MemoryKeyring(this.keys),
      clock,
      instanceId: `${name}-under-test`,
      pool: 'off',
      limits: { doubtMs: 0 },
      metrics: this.metrics,
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${String(error)}`) },
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.runtime?.stop();
    this.runtime = undefined;
    await this.log?.close();
  }

  /** Stops, and leaves nothing behind. */
  async end(): Promise<void> {
    await this.stop();
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends in order, with a snapshot, and starts again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.run();
  }

  /** The process dies without leaving a snapshot, and another one follows. */
  async crash(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** Ends without a snapshot and without waiting for anything. */
  async kill(): Promise<void> {
    await this.runtime?.engine.stop({ snapshot: false });
    this.runtime = undefined;
    await this.log?.close();
  }

  /** The log in memory: base64, by partition. */
  commits(): string[][] {
    return commitsOf(this.storage);
  }

  /** Calls a method. A request id is made where none is given. */
  async call<Name extends keyof Service & string>(method: Name, request: Asked): Promise<ReturnType<Service[Name]['responseDeserialize']>> {
    const { service, messages, defaults } = this.capability;
    this.requests += 1;
    const name = `${method[0]?.toUpperCase() ?? ''}${method.slice(1)}Request`;
    const message = (messages as Record<string, { fromPartial(partial: object): never }>)[name];
    if (message === undefined) throw new Error(`there is no ${name}`);
    const filled = message.fromPartial({ requestId: `request ${this.requests}`, ...defaults, ...request });
    const answer = await this.answerOf(method, service[method].requestSerialize(filled), service);
    return service[method].responseDeserialize(answer as Buffer) as ReturnType<Service[Name]['responseDeserialize']>;
  }

  /** @param service that has the method; any that has one of that name, if not given. */
  protected async answerOf(method: string, request: unknown, service: object = { [method]: undefined }): Promise<unknown> {
    const registration = this.runtime?.registrations.find(({ definition }) => Object.keys(service).every((name) => name in definition));
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    return carried.run(request as never, CALL);
  }

  /** Why the method refuses; throws if it does not. */
  async refusal(method: keyof Service & string, request: Asked): Promise<string> {
    return this.call(method, request).then(
      () => Promise.reject(new Error(`${method} was not refused`)),
      (error: unknown) => (error as { reason?: string }).reason ?? String(error),
    );
  }

  /** The state of an aggregate as its partition has it. */
  protected stateOf(partition: number, aggregate: string, key: string): unknown {
    return (this.runtime?.engine.partition(partition)?.stateOf(this.capability.name) as AggregateState).stateOf(aggregate, key);
  }

  /** What the scheduler does: it asks the owner for what is due. @param upToUs of a scheduler whose clock is behind. */
  async fireDue(upToUs = this.clock.nowUs()): Promise<void> {
    const timers = this.runtime?.engine.timers;
    for (const partition of timers?.partitions ?? []) await timers?.of(partition)?.fire(upToUs);
  }
}
