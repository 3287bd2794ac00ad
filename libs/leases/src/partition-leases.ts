/**
 * Which partitions this process has for one kind of work (to own them, to project them). Every instance announces itself; each takes its
 * even share of the partitions, as leases become free, and gives back what is above it. Without the lease service everybody goes on with
 * what it has: the fence (of the log, of the checkpoint) lets only one of two writers write. When it is back all leases have run out; for
 * one lease's time nobody takes what was another's, so that whoever had it before goes on.
 */
import type { Clock, HeldLease, Lease, LeaseHolder } from '@sluice/ports';

/** A lease is renewed so many times before it runs out. */
const RENEWALS_PER_TTL = 3;
const US_PER_MS = 1_000;

export interface PartitionLeasesOptions {
  /** What the partitions are held for: "command", "projector". Names the leases. */
  readonly kind: string;
  readonly lease: Lease;
  readonly holder: LeaseHolder;
  readonly partitions: number;
  readonly clock: Clock;
  readonly ttlMs: number;
  readonly granted: (partition: number) => void;
  /** Resolves when nothing is written for the partition any more. */
  readonly lost: (partition: number) => Promise<void>;
  /** The lease service cannot be reached, or refused; told once until it answers again. */
  readonly trouble: (error: unknown) => void;
}

/** Takes the partition whose holder changed. `holderOf` answers with the new one. */
export type HolderListener = (partition: number) => void;

export class PartitionLeases {
  private readonly held = new Map<number, HeldLease>();
  private readonly holders = new Map<number, LeaseHolder>();
  private readonly holderListeners = new Set<HolderListener>();
  /** Given to others, and not seen with one of them yet. */
  private readonly handedOver = new Map<number, HeldLease>();
  private presence: HeldLease | undefined;
  private cancelTimer = (): void => undefined;
  private stopped = false;
  /** The last round failed: that was said, and is not said again. */
  private away = false;
  /** Until then only what is held already is renewed. */
  private othersFirstUntilUs = 0;
  private round: Promise<void> = Promise.resolve();

  constructor(private readonly options: PartitionLeasesOptions) {}

  async start(): Promise<void> {
    await this.runRound();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer();
    await this.round;
    const { lease, lost } = this.options;
    for (const [partition, held] of this.held) {
      await lost(partition);
      await lease.release(held).catch(() => undefined);
    }
    this.held.clear();
    if (this.presence !== undefined) await lease.release(this.presence).catch(() => undefined);
  }

  /** Who has the partition, as far as this process knows; at most a third of the leases' time old. */
  holderOf(partition: number): LeaseHolder | undefined {
    return this.holders.get(partition);
  }

  /** Asks the lease service who has the partition now. */
  async findHolder(partition: number): Promise<LeaseHolder | undefined> {
    const held = await this.options.lease.read(this.leaseName(partition));
    this.setHolder(partition, held?.holder);
    return held?.holder;
  }

  /** Calls the listener whenever this process learns that a partition has another holder, or none. Returns how to end that. */
  onHolderChanged(listener: HolderListener): () => void {
    this.holderListeners.add(listener);
    return () => this.holderListeners.delete(listener);
  }

  /** The process cannot do the work for this partition (any more): somebody else may. */
  async giveUp(partition: number): Promise<void> {
    const held = this.held.get(partition);
    this.held.delete(partition);
    if (held !== undefined) await this.options.lease.release(held).catch(() => undefined);
  }

  private async runRound(): Promise<void> {
    this.round = this.balance().then(
      () => {
        this.away = false;
      },
      (error: unknown) => {
        this.takeBack();
        this.othersFirstUntilUs = this.options.clock.nowUs() + this.options.ttlMs * US_PER_MS;
        if (!this.away) this.options.trouble(error);
        this.away = true;
      },
    );
    await this.round;
    if (!this.stopped) this.cancelTimer = this.options.clock.after(this.options.ttlMs / RENEWALS_PER_TTL, () => void this.runRound());
  }

  private async balance(): Promise<void> {
    const { kind, lease, holder, ttlMs, partitions } = this.options;
    const presencePrefix = `${kind}-instance/`;
    this.presence = (this.presence && (await lease.renew(this.presence, ttlMs))) ?? (await lease.acquire(`${presencePrefix}${holder.id}`, holder, ttlMs));
    for (const [partition, held] of this.held) {
      // One that ran out (the lease service was away, the process was paused) and that nobody took meanwhile is taken again: the work goes on.
      const renewed = (await lease.renew(held, ttlMs)) ?? (await lease.acquire(held.name, holder, ttlMs));
      if (renewed === undefined) await this.lose(partition);
      else if (this.held.has(partition)) this.held.set(partition, renewed);
    }
    const share = evenShare(
      (await lease.list(presencePrefix)).map((presence) => presence.holder.id),
      holder.id,
      partitions,
    );
    for (const [partition, held] of [...this.held].slice(share)) {
      await this.lose(partition);
      this.handedOver.set(partition, held);
      await lease.release(held);
      if (!lease.connected) throw new Error('the lease service went away while a partition was handed over');
    }
    const mayTake = this.options.clock.nowUs() >= this.othersFirstUntilUs;
    for (let partition = 0; partition < partitions && mayTake && this.held.size < share && !this.stopped; partition += 1) {
      if (this.held.has(partition)) continue;
      const held = await lease.acquire(this.leaseName(partition), holder, ttlMs);
      if (held === undefined) continue;
      this.grant(partition, held);
    }
    const prefix = `${kind}/`;
    const found = new Map((await lease.list(prefix)).map((held) => [Number(held.name.slice(prefix.length)), held.holder]));
    for (const partition of new Set([...this.holders.keys(), ...found.keys()])) this.setHolder(partition, found.get(partition));
    for (const partition of this.holders.keys()) this.handedOver.delete(partition);
  }

  /** What was handed over and nobody was seen to take would be nobody's as long as the lease service is away. If somebody has it, the fence decides. */
  private takeBack(): void {
    for (const [partition, held] of this.handedOver) if (!this.stopped) this.grant(partition, held);
    this.handedOver.clear();
  }

  private setHolder(partition: number, holder: LeaseHolder | undefined): void {
    const changed = this.holders.get(partition)?.id !== holder?.id;
    if (holder === undefined) this.holders.delete(partition);
    else this.holders.set(partition, holder);
    if (changed) for (const listener of this.holderListeners) listener(partition);
  }

  private leaseName(partition: number): string {
    return `${this.options.kind}/${partition}`;
  }

  private grant(partition: number, held: HeldLease): void {
    this.held.set(partition, held);
    this.options.granted(partition);
  }

  private async lose(partition: number): Promise<void> {
    this.held.delete(partition);
    await this.options.lost(partition);
  }
}

/** How many partitions the instance is to have: the same for all, the first ones (by id) one more. */
export function evenShare(instances: readonly string[], self: string, partitions: number): number {
  const all = [...new Set([...instances, self])].sort();
  const rank = all.indexOf(self);
  return Math.floor(partitions / all.length) + (rank < partitions % all.length ? 1 : 0);
}
