/**
 * The deployment under test: command, projector, query and scheduler instances in one program, each with lives of its own, over shared servers in memory
 * (log, snapshots, bus, leases, read store). What runs is the real code of the services; only what stands behind the ports is simulated.
 */
import { startCommand, type CommandRuntime } from '@sluice/command';
import { SILENT_OBSERVER } from '@sluice/engine';
import { SessionLease } from '@sluice/leases';
import {
  MemoryKeyring,
  MemoryLeaseService,
  MemoryLogStorage,
  MemoryReadStorage,
  MemorySnapshotStore,
  type MemoryBlocks,
  type MemoryKeys,
} from '@sluice/memory';
import { READ_COLLECTIONS } from '@sluice/projections';
import { Projector, SILENT_PROJECTOR_OBSERVER, startProjector, type ProjectorRuntime } from '@sluice/projector';
import { startQuery, type QueryRuntime } from '@sluice/query';
import { leasedCommandInstances, SCHEDULER_CALLER, startScheduler } from '@sluice/scheduler';
import { connectedPeer } from '@sluice/service';
import { DecodedLog } from './decoded-log';
import { BusServer, SimulatedBus } from './simulated-bus';
import { SimulatedEventLog } from './simulated-event-log';
import { SimulatedLeaseTable } from './simulated-lease-table';
import { SimulatedReadStore } from './simulated-read-store';
import { Life } from './life';
import { Network } from './network';
import { peerTransport } from './peer-transport';
import { remote } from './remote';
import type { World } from './world';

export const PARTITIONS = 4;
const OWNER_LEASE_MS = 2_400;
const PROJECTOR_LEASE_MS = 3_000;
const SCHEDULER_LEASE_MS = 2_400;
/** A process that ended is started again after this time, as by a supervisor. */
const RESTART_US = 300_000;
/** Small limits, so that a short run takes many turns, snapshots and runs of the request index. */
const LIMITS = { snapshotBytes: 2_048, turnCommands: 64, decideAheadCommands: 4, recentBytes: 4_096 };
/** How long a partition keeps its memory while an append is in doubt: in some runs it drops it at once, in others it never has to. */
const DOUBT_MS = [0, 1_000, 30_000];

export type InstanceKind = 'command' | 'projector' | 'query' | 'scheduler';
const KINDS: readonly InstanceKind[] = ['command', 'projector', 'query', 'scheduler'];

/** One process of the deployment, over all its lives. */
export interface Instance {
  readonly kind: InstanceKind;
  readonly name: string;
  life: Life;
  stop: () => Promise<void>;
}

export class Cluster {
  readonly log: MemoryLogStorage;
  readonly decodedLog: DecodedLog;
  readonly instances: Instance[] = [];
  readonly network: Network;
  readonly readStorage = new MemoryReadStorage(READ_COLLECTIONS);
  readonly #blocks: MemoryBlocks = new Map();
  readonly #keys: MemoryKeys = new Map();
  readonly #leases = new MemoryLeaseService();
  readonly #bus = new BusServer();
  readonly #doubtMs: number;
  readonly #identity: { readonly incarnation: string; readonly partitions: number };

  constructor(readonly world: World) {
    this.log = new MemoryLogStorage({ partitions: PARTITIONS, incarnation: '5eed5eed5eed5eed5eed5eed5eed5eed', createdAtUs: 1_767_225_600_000_000 });
    this.decodedLog = new DecodedLog(this.log);
    this.#identity = { incarnation: this.log.identity.incarnation, partitions: PARTITIONS };
    this.network = new Network(world);
    this.#doubtMs = world.random.fork('doubt').pick(DOUBT_MS);
  }

  start(counts: Readonly<Record<InstanceKind, number>>): void {
    const random = this.world.random.fork('hosts');
    for (const kind of KINDS) {
      for (let number = 1; number <= counts[kind]; number += 1) {
        const { skewUs: most } = this.world.faults;
        const skewUs = most === 0 ? 0 : random.between(-most, most);
        const instance: Instance = { kind, name: `${kind}-${number}`, life: new Life(this.world, `${kind}-${number}`, skewUs), stop: async () => undefined };
        this.instances.push(instance);
        this.#run(instance);
      }
    }
  }

  of(kind: InstanceKind): Instance[] {
    return this.instances.filter((instance) => instance.kind === kind);
  }

  /** Its process ends without a word; the supervisor starts it again. */
  crash(instance: Instance): void {
    if (!instance.life.alive) return;
    this.world.trace.note(instance.name, 'crashes');
    instance.life.end();
    this.world.timeline.schedule(RESTART_US, () => this.#restart(instance));
  }

  /** Its process is told to stop and does it in order; the supervisor starts it again. */
  stopInOrder(instance: Instance): void {
    const { life } = instance;
    if (!life.alive) return;
    this.world.trace.note(instance.name, 'is told to stop');
    void instance.stop().then(
      () => {
        if (!life.alive) return;
        this.world.trace.note(instance.name, 'has stopped');
        life.end();
        this.world.timeline.schedule(RESTART_US, () => this.#restart(instance));
      },
      (error: unknown) => this.world.breach(`${instance.name} could not stop: ${describe(error)}`),
    );
  }

  /** A projector beside the others, to judge by: it verifies against the log. */
  async judge(): Promise<ProjectorRuntime> {
    const life = new Life(this.world, 'judge', 0);
    return startProjector({
      log: new SimulatedEventLog(life, this.log),
      store: new SimulatedReadStore(life, this.readStorage, this.#identity),
      bus: new SimulatedBus(life, this.#bus),
      clock: life.clock,
      lease: await this.#leaseFor(life, PROJECTOR_LEASE_MS),
    });
  }

  #restart(instance: Instance): void {
    if (instance.life.alive) return;
    const { name } = instance;
    // The host keeps its clock.
    instance.life = instance.life.next();
    this.world.trace.note(name, 'starts again');
    this.#run(instance);
  }

  #run(instance: Instance): void {
    const { life } = instance;
    this.#begin(instance).catch((error: unknown) => {
      if (!life.alive) return;
      // A process that cannot start ends; its supervisor tries again.
      this.world.trace.note(instance.name, `cannot start: ${describe(error)}`);
      life.end();
      this.world.timeline.schedule(RESTART_US, () => this.#restart(instance));
    });
  }

  #begin(instance: Instance): Promise<void> {
    switch (instance.kind) {
      case 'command':
        return this.#runCommand(instance);
      case 'projector':
        return this.#runProjector(instance);
      case 'query':
        return this.#runQuery(instance);
      case 'scheduler':
        return this.#runScheduler(instance);
      default:
        return instance.kind satisfies never;
    }
  }

  async #runCommand(instance: Instance): Promise<void> {
    const { life, name } = instance;
    const runtime: CommandRuntime = await startCommand({
      log: new SimulatedEventLog(life, this.log),
      snapshots: remote(life, new MemorySnapshotStore(this.#blocks), { fails: () => this.world.faults.snapshotFails }, 'snapshot store'),
      bus: new SimulatedBus(life, this.#bus),
      keyring: new MemoryKeyring(this.#keys),
      clock: life.clock,
      instanceId: name,
      pool: 'off',
      sorting: 'here',
      limits: { ...LIMITS, doubtMs: this.#doubtMs },
      observer: {
        ...SILENT_OBSERVER,
        trouble: (partition, what, error) => this.world.trace.note(name, `partition ${partition}: ${what}: ${describe(error)}`),
      },
      sharing: { lease: await this.#leaseFor(life, OWNER_LEASE_MS), transport: peerTransport(life, this.network) },
    });
    instance.stop = () => runtime.stop();
    this.network.serve(name, life, runtime.registrations);
    this.world.trace.note(name, 'serves');
  }

  async #runProjector(instance: Instance): Promise<void> {
    const { life, name } = instance;
    const projector = await Projector.start({
      log: new SimulatedEventLog(life, this.log),
      store: new SimulatedReadStore(life, this.readStorage, this.#identity),
      bus: new SimulatedBus(life, this.#bus),
      lease: await this.#leaseFor(life, PROJECTOR_LEASE_MS),
      clock: life.clock,
      writing: 'at once',
      observer: {
        ...SILENT_PROJECTOR_OBSERVER,
        trouble: (partition, what, error) => this.world.trace.note(name, `partition ${partition}: ${what}: ${describe(error)}`),
        setAside: (aside) => this.world.breach(`${name} sets ${aside.key} aside: ${JSON.stringify(aside)}`),
      },
    });
    instance.stop = () => projector.stop();
    this.world.trace.note(name, 'serves');
  }

  async #runQuery(instance: Instance): Promise<void> {
    const { life, name } = instance;
    const runtime: QueryRuntime = await startQuery({ readStore: new SimulatedReadStore(life, this.readStorage, undefined), clock: life.clock });
    instance.stop = () => runtime.stop();
    this.network.serve(name, life, runtime.registrations);
  }

  async #runScheduler(instance: Instance): Promise<void> {
    const { life, name } = instance;
    const lease = await this.#leaseFor(life, SCHEDULER_LEASE_MS);
    const connections = peerTransport(life, this.network);
    const instances = leasedCommandInstances(lease, (address) => connectedPeer(connections, address, SCHEDULER_CALLER));
    const runtime = await startScheduler({ lease, instances, clock: life.clock });
    instance.stop = () => runtime.stop();
    this.network.serve(name, life, runtime.registrations);
    this.world.trace.note(name, 'serves');
  }

  #leaseFor(life: Life, ttlMs: number): Promise<SessionLease> {
    const table = new SimulatedLeaseTable(life, this.#leases);
    return SessionLease.open({ table, holder: { id: life.name, address: life.name }, ttlMs, clock: life.clock });
  }
}

export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
