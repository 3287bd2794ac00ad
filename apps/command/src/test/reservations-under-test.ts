/** Reservations over memory adapters or a SQLite log, called without a network. Stopping, crashing and starting again keep the log and the snapshots. */
import { join } from 'node:path';
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import type { Identity, Reservation, Resource } from '@sluice/domain/reservation';
import { SILENT_OBSERVER, type AggregateState } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { EventLog } from '@sluice/ports';
import { reservationpb } from '@sluice/protocol/reservation';
import { ANYBODY, functionOf, type CallContext } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { startCommand, type CommandRuntime } from '../command';
import { commitsOf, fillLog, type History } from './recorded-history';

const INCARNATION = '00112233445566778899aabbccddeeff';
const PARTITIONS = 4;
/** Above the first pause of deliveries whose target is not reached. */
const DELIVERY_PAUSE_MS = 60;
const CALL = { caller: ANYBODY, ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

type Methods = typeof reservationpb.ReservationCommandServiceService;
export type Method = keyof Methods;
/** A request with fields left out. */
export type Asked = Readonly<Record<string, unknown>>;

export class ReservationsUnderTest {
  readonly clock = new ManualClock();
  /** What was told to the operator. */
  readonly troubles: string[] = [];
  private readonly storage = new MemoryLogStorage({ partitions: PARTITIONS, incarnation: INCARNATION, createdAtUs: 1_767_225_600_000_000 });
  private readonly blocks: MemoryBlocks = new Map();
  private readonly keys = new Map<string, Uint8Array>();
  private log: EventLog | undefined;
  private runtime: CommandRuntime | undefined;
  private requests = 0;

  /** @param folder of the SQLite log; undefined: the log is in memory. */
  private constructor(private readonly folder: string | undefined) {}

  static async start(folder?: string): Promise<ReservationsUnderTest> {
    const reservations = new ReservationsUnderTest(folder);
    await reservations.run();
    return reservations;
  }

  /** Starts over the commits of a history. */
  static async over(commits: History['commits']): Promise<ReservationsUnderTest> {
    const reservations = new ReservationsUnderTest(undefined);
    fillLog(reservations.storage, commits);
    await reservations.run();
    return reservations;
  }

  /** The log in memory: base64, by partition. */
  commits(): string[][] {
    return commitsOf(this.storage);
  }

  private async run(): Promise<void> {
    const { folder, clock } = this;
    this.log = folder === undefined ? new MemoryEventLog(this.storage) : await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
    this.runtime = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(this.blocks),
      bus: new InProcessBus({ clock }),
      keyring: new MemoryKeyring(this.keys),
      clock,
      instanceId: 'reservations-under-test',
      pool: 'off',
      limits: { doubtMs: 0 },
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${String(error)}`) },
    });
  }

  async stop(): Promise<void> {
    await this.runtime?.stop();
    this.runtime = undefined;
    await this.log?.close();
  }

  /** Ends in order, with a snapshot, and starts again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.runAgain();
  }

  /** The process dies without leaving a snapshot. */
  async crash(): Promise<void> {
    await this.runtime?.engine.stop({ snapshot: false });
    await this.log?.close();
    await this.runAgain();
  }

  /** A partition that was loaded before its target tries that again after a pause. */
  private async runAgain(): Promise<void> {
    await this.run();
    await this.clock.elapse(DELIVERY_PAUSE_MS);
  }

  /** Calls a method. A request id is made where none is given. */
  async call<Name extends Method>(method: Name, request: Asked): Promise<ReturnType<Methods[Name]['responseDeserialize']>> {
    const registration = this.runtime?.registrations.find(({ definition }) => method in definition && 'setCapacity' in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    this.requests += 1;
    const definition = reservationpb.ReservationCommandServiceService[method];
    const message = filled(method, { requestId: `request ${this.requests}`, ...request });
    const answer = await carried.run(definition.requestSerialize(message as never) as never, CALL);
    return definition.responseDeserialize(answer as Buffer) as ReturnType<Methods[Name]['responseDeserialize']>;
  }

  /** Where the reservation stands, as the answer says; with the reason, if there is one. */
  async reserve(identityId: string, number: string, rest: Asked = {}): Promise<string> {
    const { state, waiting, reason } = await this.call('reserve', { identityId, number, ...rest });
    return said(reservationpb.ReservationState[state], waiting ? 'waiting' : reason);
  }

  /** Where the associate request stands, as the answer says; with the number or the reason. */
  async associate(identityId: string, rest: Asked = {}): Promise<string> {
    const { state, number, reason } = await this.call('associate', { identityId, ...rest });
    return said(reservationpb.AssociateState[state], number === '' ? reason : number);
  }

  /** Why the method refuses; throws if it does not. */
  async refusal(method: Method, request: Asked): Promise<string> {
    return this.call(method, request).then(
      () => Promise.reject(new Error(`${method} was not refused`)),
      (error: unknown) => (error as { reason?: string }).reason ?? String(error),
    );
  }

  // ---- the states as their partitions have them ----

  identity(identityId: string): Identity | undefined {
    return this.stateOf(partitionOfKey(Buffer.from(identityId), PARTITIONS), 'identity', identityId) as Identity | undefined;
  }

  reservation(number: string): Reservation | undefined {
    return this.stateOf(partitionOfWholeKey(Buffer.from(number), PARTITIONS), 'number', number) as Reservation | undefined;
  }

  resource(resourceId: string): Resource | undefined {
    return this.stateOf(partitionOfKey(Buffer.from(resourceId), PARTITIONS), 'resource', resourceId) as Resource | undefined;
  }

  private stateOf(partition: number, aggregate: string, key: string): unknown {
    return (this.runtime?.engine.partition(partition)?.stateOf('reservation') as AggregateState).stateOf(aggregate, key);
  }

  // ---- time ----

  /** What the scheduler does: it asks the owner for what is due. */
  async fireDue(): Promise<void> {
    const timers = this.runtime?.engine.timers;
    for (const partition of timers?.partitions ?? []) await timers?.of(partition)?.fire(this.clock.nowUs());
  }

  inMs(milliseconds: number): bigint {
    return BigInt(this.clock.nowUs() + milliseconds * 1_000);
  }

  /** Fires what is due until the condition holds: what is under way arrives meanwhile. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) {
      await this.fireDue();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** "RESERVATION_STATE_REJECTED" and why: "REJECTED, RESERVATION_RESOURCE_FULL". */
export function said(state: string | undefined, more: string): string {
  const name = state?.replace(/^(RESERVATION|ASSOCIATE)_STATE_/, '') ?? 'nothing';
  return more === '' ? name : `${name}, ${more}`;
}

function filled(method: string, request: Asked): unknown {
  const name = `${method[0]?.toUpperCase() ?? ''}${method.slice(1)}Request`;
  const message = (reservationpb as unknown as Record<string, { fromPartial(partial: object): unknown }>)[name];
  if (message === undefined) throw new Error(`there is no ${name}`);
  return message.fromPartial(request);
}
