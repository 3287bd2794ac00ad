/**
 * Which partitions this instance owns when there are several: those whose lease it holds. Leases only make two owners rare; the fence
 * in the log (the ownership commit) makes them harmless.
 */
import { AbandonedError, isUnreadableLog, UNREADABLE_RETRY_MS, type Engine, type UnreadableLogError } from '@sluice/engine';
import { PartitionLeases } from '@sluice/leases';
import { MissingKeysError, type Clock, type Lease, type LeaseHolder } from '@sluice/ports';
import type { PartitionOwners } from '../peers/partition-owners';

/** How long an instance that could not load a partition leaves it to others. */
const RETRY_MS = 500;

export interface OwnershipDependencies {
  readonly engine: Engine;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly trouble: (partition: number, what: string, error: unknown) => void;
  /** The log of a partition whose lease this instance holds cannot be read; undefined: it can be read again, or the lease is another's. */
  readonly unreadable: (partition: number, error: UnreadableLogError | undefined) => void;
}

export class PartitionOwnership implements PartitionOwners {
  private readonly leases: PartitionLeases;
  /** Questions to the lease service that are under way: hops of one moment share the answer. */
  private readonly asking = new Map<number, Promise<LeaseHolder | undefined>>();
  /** Partitions that are being taken. */
  private readonly taking = new Map<number, Promise<void>>();
  /** Partitions whose log cannot be read; how to cancel the next attempt. */
  private readonly unreadable = new Map<number, () => void>();
  /** Those among them whose accounts name keys that the keyring lacks. */
  private readonly lacking = new Map<number, MissingKeysError>();
  /** Partitions that could not be prepared, so that it is told once. */
  private readonly unprepared = new Set<number>();
  /** Called when the taking of a partition has ended. */
  private readonly taken = new Set<() => void>();
  private stopping = false;
  private stopped: Promise<void> | undefined;

  constructor(private readonly dependencies: OwnershipDependencies) {
    const { engine, lease, clock, trouble } = dependencies;
    this.leases = new PartitionLeases({
      kind: 'command',
      lease,
      partitions: engine.partitionCount,
      clock,
      granted: (partition) => this.take(partition),
      lost: (partition) => this.release(partition),
      prepare: (partition) => this.prepare(partition),
      abandon: (partition) => void engine.abandon(partition),
      trouble: (error) => trouble(-1, 'the lease service cannot be reached; the owners go on under the fence', error),
    });
  }

  /** Throws MissingKeysError if partitions that were granted lack keys. */
  async start(): Promise<void> {
    await this.leases.start();
    // What was granted is loaded before anybody is told that the instance is ready.
    await Promise.all(this.taking.values());
    if (this.lacking.size > 0) throw MissingKeysError.sum([...this.lacking.values()]);
  }

  /**
   * Resolves as soon as every partition has an owner, and those of this instance are loaded: then a request for any of them finds who
   * answers it. A partition whose log cannot be read holds nobody up. Never resolves if the instance is stopped before.
   */
  everyPartitionOwned(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.isEveryPartitionOwned()) return;
        endWatch();
        this.taken.delete(look);
        resolve();
      };
      const endWatch = this.onOwnerChanged(look);
      this.taken.add(look);
      look();
    });
  }

  private isEveryPartitionOwned(): boolean {
    const { engine, lease } = this.dependencies;
    for (let partition = 0; partition < engine.partitionCount; partition += 1) {
      const owner = this.ownerOf(partition);
      if (owner === undefined) return false;
      if (owner.id === lease.holder.id && engine.partition(partition) === undefined && !this.unreadable.has(partition)) return false;
    }
    return true;
  }

  /** Hands over what this instance owns. The second call waits for the first. */
  stop(): Promise<void> {
    this.stopping = true;
    this.stopped ??= this.handOver();
    return this.stopped;
  }

  private async handOver(): Promise<void> {
    await this.leases.stop();
    await Promise.all(this.taking.values());
  }

  /** Another owner has taken the partition in the log. */
  fenced(partition: number): void {
    void this.leases.giveUp(partition);
  }

  ownerOf(partition: number): LeaseHolder | undefined {
    return this.leases.holderOf(partition);
  }

  findOwner(partition: number): Promise<LeaseHolder | undefined> {
    let asked = this.asking.get(partition);
    if (asked === undefined) {
      asked = this.leases
        .findHolder(partition)
        .catch(() => this.leases.holderOf(partition))
        .finally(() => this.asking.delete(partition));
      this.asking.set(partition, asked);
    }
    return asked;
  }

  onOwnerChanged(listener: (partition: number) => void): () => void {
    return this.leases.onHolderChanged(listener);
  }

  private take(partition: number): void {
    const taking = this.own(partition).finally(() => {
      if (this.taking.get(partition) === taking) this.taking.delete(partition);
      for (const look of [...this.taken]) look();
    });
    this.taking.set(partition, taking);
  }

  private async prepare(partition: number): Promise<void> {
    const { engine, trouble } = this.dependencies;
    try {
      await engine.prepare(partition);
      this.unprepared.delete(partition);
    } catch (error) {
      const isNew = !this.unprepared.has(partition) && !(error instanceof AbandonedError);
      if (isNew) trouble(partition, 'the partition could not be prepared; its owner keeps it', error);
      if (isNew) this.unprepared.add(partition);
      throw error;
    }
  }

  private release(partition: number): Promise<void> {
    this.readable(partition);
    return this.dependencies.engine.disown(partition, { snapshot: this.stopping });
  }

  /** There is no attempt to wait for any more. */
  private readable(partition: number): void {
    const cancel = this.unreadable.get(partition);
    if (cancel === undefined) return;
    cancel();
    this.unreadable.delete(partition);
    this.lacking.delete(partition);
    this.dependencies.unreadable(partition, undefined);
  }

  private async own(partition: number): Promise<void> {
    const { engine, trouble, clock } = this.dependencies;
    try {
      await engine.own(partition);
      this.readable(partition);
    } catch (error) {
      if (error instanceof AbandonedError) return;
      if (isUnreadableLog(error)) {
        // The lease is kept: another instance would find the same, and the two would pass the partition to and fro.
        if (!this.unreadable.has(partition)) this.dependencies.unreadable(partition, error);
        if (error instanceof MissingKeysError) this.lacking.set(partition, error);
        this.unreadable.set(
          partition,
          clock.after(UNREADABLE_RETRY_MS, () => this.take(partition)),
        );
        return;
      }
      trouble(partition, 'the partition could not be taken over; it is left to others', error);
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      await this.leases.giveUp(partition);
    }
  }
}
