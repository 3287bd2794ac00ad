/**
 * The partitions of one process. It routes by key; who owns which partition is decided outside (all of them when embedded, leases
 * when distributed).
 *
 *   ──prepare──▶ prepared ──own──▶ starting ──▶ owned ──disown──▶ released
 *      └─────────own──────────────────▲ │          └── another owner took it ──▶ gone
 *                     abandon, disown ◀─┘ (no ownership commit)
 */
import { partitionOfHash } from '@sluice/domain';
import type { Bus, Clock, EventLog, SnapshotStore } from '@sluice/ports';
import type { Capability } from './capability';
import { DEFAULT_DELIVERY_BUDGET, type DeliveryBudget } from './deliveries/delivery-budget';
import type { DeliveryTransport } from './deliveries/delivery-transport';
import { SILENT_OBSERVER, type EngineObserver } from './engine-observer';
import { memoryIsShort } from './heap';
import { commitRoomBytes, DEFAULT_LIMITS, type PartitionLimits } from './partition/limits';
import { LoadSlots } from './partition/load-slots';
import { Partition } from './partition/partition';
import { AbandonedError } from './partition/partition-memory';
import { DueTimers } from './timers/due-timers';
import type { LogSeeds } from './request-index/request-hash';
import { runSorter, type RunSorter, type Sorting } from './request-index/sorter';

export interface EngineDependencies {
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly capabilities: readonly Capability[];
  /** The key of the hashes of this log, the same in every process that owns partitions of it. */
  readonly seeds: LogSeeds;
  /** Id of this instance. */
  readonly owner: string;
  readonly limits?: Partial<PartitionLimits>;
  /** Other processes own partitions of the same log; default: this one is alone. */
  readonly shared?: boolean;
  readonly observer?: EngineObserver;
  /** Where runs of the request index are sorted; default: on a thread. */
  readonly sorting?: Sorting;
  /** Sequence up to which no projector needs the partition's commits any more; undefined: nobody can tell. */
  readonly projected?: (partition: number) => Promise<number>;
  /** Another owner has taken a partition of this process. */
  readonly onLost?: (partition: number) => void;
  /** How deliveries reach partitions of other processes; undefined: they wait until the partition is this process's. */
  readonly transport?: DeliveryTransport;
  readonly deliveryBudget?: DeliveryBudget;
  /** Whether partitions should not be prepared for want of memory; default: by the limits of the heap and of the container. */
  readonly memoryIsShort?: () => boolean;
}

export class Engine {
  readonly partitionCount: number;
  private readonly sorter: RunSorter;
  /** The timers of the partitions that it serves. */
  readonly timers = new DueTimers();
  private readonly slots = new LoadSlots();
  private readonly prepared = new Map<number, Partition>();
  private readonly starting = new Map<number, Partition>();
  private readonly partitions = new Map<number, Partition>();
  /** Partitions on their way out, until nothing of theirs comes to the log any more. */
  private readonly releasing = new Map<number, Promise<void>>();
  /** Released partitions that leave a snapshot when the engine stops. */
  private readonly released: Partition[] = [];

  constructor(private readonly dependencies: EngineDependencies) {
    this.partitionCount = dependencies.log.identity.partitions;
    this.sorter = runSorter(dependencies.sorting ?? 'thread');
  }

  /** The partition if this process owns it (it may be loading again). */
  partition(partition: number): Partition | undefined {
    return this.partitions.get(partition);
  }

  /** What one commit has room for. */
  get commitRoomBytes(): number {
    return commitRoomBytes(this.dependencies.log);
  }

  partitionOfHash(hash: number): number {
    return partitionOfHash(hash, this.partitionCount);
  }

  get owned(): number[] {
    return [...this.partitions.keys()].sort((left, right) => left - right);
  }

  /**
   * Loads a partition that another instance owns and follows its log, without disturbing its owner, until `own` or `abandon`. Resolves when
   * memory is at the head of the log. Where that is not possible (memory is short, the log or the snapshot was changed) `own` loads the
   * partition as if it had not been prepared. Rejects if the log cannot be read or keys are missing: this process must not take the partition over.
   */
  async prepare(partition: number): Promise<void> {
    if (this.partitions.has(partition) || this.starting.has(partition)) return;
    let preparing = this.prepared.get(partition);
    if (preparing !== undefined) {
      await preparing.prepare();
      return;
    }
    preparing = this.newPartition(partition);
    this.prepared.set(partition, preparing);
    try {
      await preparing.prepare();
    } catch (error) {
      if (this.prepared.get(partition) === preparing) this.prepared.delete(partition);
      throw error;
    }
  }

  /** Drops what `prepare` has loaded; nothing if there is nothing. */
  async abandon(partition: number): Promise<void> {
    const preparing = this.prepared.get(partition);
    this.prepared.delete(partition);
    await preparing?.release();
  }

  /**
   * Loads the partition, or takes what is prepared, and owns it. Throws CorruptCommitError, MissingKeysError and what the log throws; then it is not owned.
   * Throws AbandonedError if the partition is disowned meanwhile.
   */
  async own(partition: number): Promise<void> {
    if (this.partitions.has(partition) || this.starting.has(partition)) throw new Error(`partition ${partition} is owned already`);
    const starting = this.prepared.get(partition) ?? this.newPartition(partition);
    this.prepared.delete(partition);
    this.starting.set(partition, starting);
    try {
      await this.releasing.get(partition);
      await starting.start();
      if (this.starting.get(partition) !== starting) throw new AbandonedError();
      this.partitions.set(partition, starting);
    } finally {
      if (this.starting.get(partition) === starting) this.starting.delete(partition);
    }
  }

  /**
   * Hands the partition over: finishes what was taken, then owns it no more. A partition that is being loaded is not loaded on, and no
   * ownership commit is appended. Resolves when nothing of this process comes to the partition's log any more.
   * @param options.snapshot leave a snapshot when the engine stops, unless another instance has taken the partition by then.
   */
  async disown(partition: number, options: { snapshot: boolean }): Promise<void> {
    const disowned = this.partitions.get(partition) ?? this.starting.get(partition);
    if (disowned === undefined) return this.releasing.get(partition);
    this.partitions.delete(partition);
    this.starting.delete(partition);
    if (options.snapshot) this.released.push(disowned);
    const releasing = disowned.release().finally(() => {
      if (this.releasing.get(partition) === releasing) this.releasing.delete(partition);
    });
    this.releasing.set(partition, releasing);
    await releasing;
  }

  /** Hands over what it owns, writes the snapshots that are to be left, and stops. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    await Promise.all([...this.prepared.keys()].map((partition) => this.abandon(partition)));
    await Promise.all([...this.starting.keys(), ...this.partitions.keys()].map((partition) => this.disown(partition, options)));
    await Promise.all(this.releasing.values());
    // One after the other: each holds blocks in memory while it is written.
    for (const released of this.released) await released.leaveSnapshot();
    await this.sorter.close();
  }

  /** To a partition of this process without a detour. */
  private async sendDeliveries(target: number, batch: Uint8Array): Promise<Uint8Array> {
    const own = this.partitions.get(target);
    if (own !== undefined) return own.deliveries.deliver(batch);
    const { transport } = this.dependencies;
    if (transport === undefined) throw new Error(`partition ${target} is not served by this process`);
    return transport.send(target, batch);
  }

  private newPartition(partition: number): Partition {
    const { log, snapshots, bus, clock, capabilities, seeds, owner, limits, shared = false, observer, projected, onLost } = this.dependencies;
    const made: Partition = new Partition({
      partition,
      log,
      snapshots,
      bus,
      clock,
      capabilities,
      seeds,
      sorter: this.sorter,
      timers: this.timers,
      slots: this.slots,
      limits: { ...DEFAULT_LIMITS, ...limits },
      observer: observer ?? SILENT_OBSERVER,
      owner,
      shared,
      ...(projected === undefined ? undefined : { projected }),
      memoryIsShort: this.dependencies.memoryIsShort ?? memoryIsShort,
      send: (target, batch) => this.sendDeliveries(target, batch),
      deliveryBudget: this.dependencies.deliveryBudget ?? DEFAULT_DELIVERY_BUDGET,
      onLost: (lost) => {
        if (this.partitions.get(lost) === made) this.partitions.delete(lost);
        onLost?.(lost);
      },
    });
    return made;
  }
}
