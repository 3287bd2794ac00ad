/**
 * The partitions of one process. It routes by key; who owns which partition is decided outside (all of them when embedded, leases
 * when distributed).
 */
import { partitionOfHash } from '@sluice/domain';
import type { Bus, Clock, EventLog, SnapshotStore } from '@sluice/ports';
import type { Capability } from './capability';
import { SILENT_OBSERVER, type EngineObserver } from './engine-observer';
import { DEFAULT_LIMITS, type PartitionLimits } from './partition/limits';
import { Partition } from './partition/partition';
import { runSorter, type RunSorter, type Sorting } from './request-index/sorter';

export interface EngineDependencies {
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly capabilities: readonly Capability[];
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
}

export class Engine {
  readonly partitionCount: number;
  private readonly sorter: RunSorter;
  private readonly partitions = new Map<number, Partition>();

  constructor(private readonly dependencies: EngineDependencies) {
    this.partitionCount = dependencies.log.identity.partitions;
    this.sorter = runSorter(dependencies.sorting ?? 'thread');
  }

  /** The partition if this process owns it (it may still be loading). */
  partition(partition: number): Partition | undefined {
    return this.partitions.get(partition);
  }

  partitionOfHash(hash: number): number {
    return partitionOfHash(hash, this.partitionCount);
  }

  get owned(): number[] {
    return [...this.partitions.keys()].sort((left, right) => left - right);
  }

  /** Loads the partition and owns it. Throws CorruptCommitError and what the log throws; then it is not owned. */
  async own(partition: number): Promise<void> {
    const { log, snapshots, bus, clock, capabilities, owner, limits, shared = false, observer, projected, onLost } = this.dependencies;
    const started = new Partition({
      partition,
      log,
      snapshots,
      bus,
      clock,
      capabilities,
      sorter: this.sorter,
      limits: { ...DEFAULT_LIMITS, ...limits },
      observer: observer ?? SILENT_OBSERVER,
      owner,
      shared,
      ...(projected === undefined ? undefined : { projected }),
      onLost: (lost) => {
        if (this.partitions.get(lost) === started) this.partitions.delete(lost);
        onLost?.(lost);
      },
    });
    await started.start();
    this.partitions.set(partition, started);
  }

  /** Hands the partition over: finishes what was taken, then owns it no more. */
  async disown(partition: number, options: { snapshot: boolean }): Promise<void> {
    const owned = this.partitions.get(partition);
    if (owned === undefined) return;
    await owned.stop(options);
    if (this.partitions.get(partition) === owned) this.partitions.delete(partition);
  }

  /** Finishes what was taken and stops. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    await Promise.all(this.owned.map((partition) => this.disown(partition, options)));
    await this.sorter.close();
  }
}
