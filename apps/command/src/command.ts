/**
 * The command service: accepts, routes to the partition's owner, decides, commits, answers.
 */
import {
  type DeliveryBudget,
  Engine,
  hashSeeds,
  letHeapGrow,
  SILENT_OBSERVER,
  type EngineObserver,
  type PartitionLimits,
  type PoolMode,
  type Sorting,
} from '@sluice/engine';
import type { Bus, Clock, EventLog, Keyring, Lease, ReadStore, SnapshotStore } from '@sluice/ports';
import {
  capabilityMetrics,
  type CapabilitySettings,
  loadConfiguration,
  type PeerChannels,
  peersOnly,
  type RateLimitedLog,
  type ServiceRegistration,
  type ServiceRuntime,
} from '@sluice/service';
import { type Metrics, NO_METRICS } from '@sluice/telemetry';
import { COMMAND_CAPABILITIES } from './capabilities.generated';
import type { CommandCapability, CommandContext, CommandPart } from './command-capability';
import { ChangeTasks } from './deliveries/change-tasks';
import { deliveryRegistration } from './deliveries/delivery-service';
import { peerDeliveries } from './deliveries/peer-deliveries';
import { ownAll } from './ownership/own-all';
import { PartitionOwnership } from './ownership/partition-ownership';
import { refusingHopsOfOthers } from './peers/not-owner';
import { OwnMethods } from './peers/own-methods';
import { PeerCheck } from './peers/peer-check';
import { PeerHop } from './peers/peer-hop';
import { timerRegistration } from './timers/timer-service';

const DEFAULT_DRAIN_GRACE_MS = 10_000;

export interface CommandDependencies {
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly bus: Bus;
  readonly keyring: Keyring;
  readonly clock: Clock;
  /** Id of this instance. */
  readonly instanceId: string;
  /** Default: all that there are. */
  readonly capabilities?: readonly CommandCapability[];
  /** Of the settings that capabilities declare. Default: their defaults. */
  readonly settings?: CapabilitySettings;
  /** Default: nothing is measured. */
  readonly metrics?: Metrics;
  readonly pool?: PoolMode;
  /** Threads of the pool; undefined: by the machine's processors. */
  readonly poolThreads?: number | undefined;
  /** How long capabilities may go on with what they do by themselves when the process stops. */
  readonly drainGraceMs?: number;
  /** Whether partitions are served whose accounts name keys that the keyring lacks; undefined: they are refused. */
  readonly missingKeys?: 'refuse' | 'accept' | undefined;
  /** Where runs of the request index are sorted; default: on a thread. */
  readonly sorting?: Sorting;
  readonly limits?: Partial<PartitionLimits>;
  readonly deliveryBudget?: DeliveryBudget;
  readonly observer?: EngineObserver;
  /** Sequence up to which the read store has a partition: what is older need not be on the bus. */
  readonly projected?: (partition: number) => Promise<number>;
  /** For what compares the read store with the log; undefined: none is configured. Returns undefined while it was not reached yet. */
  readonly readStore?: (() => ReadStore | undefined) | undefined;
  /** Several instances share the partitions; undefined: this one owns all of them. */
  readonly sharing?: {
    /** Its holder is this instance, with the address under which the others reach it. */
    readonly lease: Lease;
    /** How requests reach the other instances. Closed with the command service. */
    readonly transport: PeerChannels;
    /** For peers that refuse this instance or do not answer. */
    readonly log?: RateLimitedLog;
    /** The largest message that the other instances take. */
    readonly maximumMessageBytes?: number;
  };
}

export interface CommandRuntime extends ServiceRuntime {
  readonly engine: Engine;
  /** Services for other instances and the scheduler. They are among the registrations where partitions are shared; else they are called in process. */
  readonly peerRegistrations: readonly ServiceRegistration[];
  /** Resolves as soon as every partition is owned, here or elsewhere: from then on a request finds who answers it. */
  readonly everyPartitionOwned: Promise<void>;
  /**
   * The process was asked to stop: capabilities begin nothing further by themselves, and what this instance owns is handed over to those that
   * share the partitions. Requests for it are sent on from then on.
   */
  handOver(): Promise<void>;
}

/**
 * Resolves when the partitions of this instance are loaded. Throws ConfigurationError if a capability cannot work as it is configured, and
 * CorruptCommitError for a log that does not verify, and MissingKeysError.
 */
export async function startCommand(dependencies: CommandDependencies): Promise<CommandRuntime> {
  letHeapGrow();
  const { log, snapshots, bus, keyring, clock, instanceId, limits, sharing, observer = SILENT_OBSERVER, projected } = dependencies;
  const trouble = (partition: number, what: string, error: unknown): void => observer.trouble(partition, what, error);
  const { incarnation, partitions } = log.identity;
  const seeds = hashSeeds(keyring.derivedKey('hashes of ids'), Buffer.from(incarnation, 'hex'));
  const { capabilities = COMMAND_CAPABILITIES, settings = loadConfiguration({}), pool = 'auto', poolThreads, missingKeys, readStore } = dependencies;
  const metrics = capabilityMetrics(dependencies.metrics ?? NO_METRICS);
  const created = { clock, partitions, keyring, settings, metrics, pool, poolThreads, missingKeys, readStore, trouble };
  const parts = capabilities.map((capability) => capability.create(created));
  await Promise.all(parts.map(async (part) => part.prepare?.()));
  let ownership: PartitionOwnership | undefined;
  let hop: PeerHop | undefined;
  const engine = new Engine({
    log,
    snapshots,
    bus,
    clock,
    capabilities: parts.map(({ capability }) => capability),
    seeds,
    owner: instanceId,
    shared: sharing !== undefined,
    observer,
    ...(dependencies.sorting === undefined ? undefined : { sorting: dependencies.sorting }),
    onLost: (partition) => ownership?.fenced(partition),
    ...(limits === undefined ? undefined : { limits }),
    ...(projected === undefined ? undefined : { projected }),
    ...(sharing === undefined
      ? undefined
      : {
          transport: peerDeliveries(() => hop, Date.now),
        }),
    ...(dependencies.deliveryBudget === undefined ? undefined : { deliveryBudget: dependencies.deliveryBudget }),
  });
  const ownMethods = new OwnMethods();
  const serves = (partition: number): boolean => engine.partition(partition)?.state === 'serving';
  let peerCheck: PeerCheck | undefined;
  if (sharing === undefined) {
    try {
      await ownAll(engine);
    } catch (error) {
      await engine.stop({ snapshot: false });
      await stopAll(parts);
      throw error;
    }
  } else {
    ownership = new PartitionOwnership({
      engine,
      lease: sharing.lease,
      clock,
      trouble,
      unreadable: (partition, error) => observer.unreadable?.(partition, error),
    });
    try {
      await ownership.start();
    } catch (error) {
      await ownership.stop();
      await engine.stop({ snapshot: false });
      await stopAll(parts);
      throw error;
    }
    hop = new PeerHop({
      self: instanceId,
      serves,
      owners: ownership,
      connections: sharing.transport,
      ownMethods,
      clock,
      ...(sharing.log && { log: sharing.log }),
    });
    if (sharing.log !== undefined)
      peerCheck = new PeerCheck({
        self: instanceId,
        path: anyMethodOf(capabilities),
        partitions,
        owners: ownership,
        connections: sharing.transport,
        clock,
        log: sharing.log,
      });
  }
  const context: CommandContext = {
    engine,
    observer,
    incarnation,
    seeds,
    ...(hop === undefined ? undefined : { hop }),
    ...(sharing?.maximumMessageBytes === undefined ? undefined : { maximumMessageBytes: sharing.maximumMessageBytes }),
    transferMoney: (orders, call) => transferMoney(orders, call),
  };
  const [transferMoney = noAccounts] = parts.flatMap((part) => part.transferMoney?.(context) ?? []);
  const registrations = parts.flatMap((part) => part.services(context));
  const { drainGraceMs = DEFAULT_DRAIN_GRACE_MS } = dependencies;
  const drainAll = async (): Promise<void> => {
    await Promise.all(parts.map(async (part) => part.drain?.(drainGraceMs)));
  };
  const deliveries = deliveryRegistration(engine, new ChangeTasks(engine.timers, capabilities));
  for (const registration of [...registrations, deliveries]) ownMethods.add(registration);
  const peerRegistrations: readonly ServiceRegistration[] = [timerRegistration(engine.timers, clock), deliveries].map(peersOnly);
  return {
    engine,
    peerRegistrations,
    registrations:
      sharing === undefined ? registrations : [...registrations.map((registration) => refusingHopsOfOthers(registration, serves)), ...peerRegistrations],
    everyPartitionOwned: ownership?.everyPartitionOwned() ?? Promise.resolve(),
    handOver: async () => {
      // It may take longer than handing over, which callers wait for.
      void drainAll();
      await ownership?.stop();
    },
    stop: async () => {
      await drainAll();
      await ownership?.stop();
      await engine.stop({ snapshot: true });
      peerCheck?.close();
      hop?.close();
      sharing?.transport.close();
      await stopAll(parts);
    },
  };
}

function noAccounts(): never {
  throw new Error('no capability has accounts');
}

async function stopAll(parts: readonly CommandPart[]): Promise<void> {
  await Promise.all(parts.map(async (part) => part.stop?.()));
}

/** A command of which nothing is said is refused for its shape. */
function anyMethodOf(capabilities: readonly CommandCapability[]): string {
  const [method] = capabilities.flatMap(({ definitions }) => definitions.flatMap((definition) => Object.values(definition)));
  if (method === undefined) throw new Error('a command service without methods');
  return method.path;
}
