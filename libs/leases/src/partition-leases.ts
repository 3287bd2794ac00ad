/**
 * Which partitions this process has for one kind of work (to own them, to project them). Every instance announces itself and is to have its
 * even share of the partitions. They are taken when they are free, and handed over when the instance that is to have them is ready:
 *
 *   successor   waiting ── prepare ──► announced as ready ──────────────────────────► acquired ──► granted
 *   holder      granted ────────────── sees that ──► lost (drains) ──► released, for the successor
 *
 *   partition                          who takes it
 *   released for a successor           the successor, at once
 *   free                               the instance that the plan names, at once
 *   free for a third of a lease's time any instance: the one that should have it may be unable to
 *
 * So an instance that cannot serve delays nothing: what works is handed over only to one that is ready. The service that holds the
 * leases wakes the instances; there are no rounds. Renewing the leases is the `Lease`'s own concern.
 *
 * Without the lease service every instance goes on with what it has: the fence (of the log, of the checkpoint) lets only one of two
 * writers write. A partition that was released and not seen with its successor is resumed then.
 */
import type { Clock, HeldLease, Lease, LeaseEvent, LeaseHolder } from '@sluice/ports';
import { planMoves } from './share-plan';

/** Partitions that are prepared at the same time: preparing one takes processor time from those that are served. */
const PREPARATIONS_AT_ONCE = 1;
/** A lease that could not be taken because the service did not answer is tried again after this time: before anybody else may take it. */
const TAKE_AGAIN_MS = 100;
/** How long an instance that stops waits for others to be ready for its partitions. */
const HANDING_OVER_LIMIT_MS = 10_000;

export interface PartitionLeasesOptions {
  /** What the partitions are held for: "command", "projector". Names the leases. */
  readonly kind: string;
  readonly lease: Lease;
  readonly partitions: number;
  readonly clock: Clock;
  /** The partition is this process's from now on. */
  readonly granted: (partition: number) => void;
  /** The partition is to be another's. Resolves when nothing is written for it any more. */
  readonly lost: (partition: number) => Promise<void>;
  /** Makes ready for the partition while another instance still has it, so that taking it takes no time. Rejects if it cannot be done; then it is tried again later. */
  readonly prepare?: (partition: number) => Promise<void>;
  /** What was prepared, or is being prepared, is not needed. Not called for a partition that is granted. */
  readonly abandon?: (partition: number) => void;
  /** The lease service cannot be reached, or refused; told once until it answers again. */
  readonly trouble: (error: unknown) => void;
}

/** Takes the partition whose holder changed. `holderOf` answers with the new one. */
export type HolderListener = (partition: number) => void;

/** What is known of a partition's lease. */
type Seen =
  | { readonly holder: LeaseHolder; readonly confirmed: boolean }
  | { readonly holder: undefined; readonly successor: string | undefined; readonly sinceMs: number };

interface Preparation {
  state: 'waiting' | 'preparing' | 'prepared' | 'announcing' | 'ready';
  /** Says to the holder that this instance is ready. */
  announcement?: HeldLease;
}

export class PartitionLeases {
  readonly #options: PartitionLeasesOptions;
  readonly #self: string;
  /** Undefined: resumed without a lease, because the service went away while the partition was handed over. */
  readonly #held = new Map<number, HeldLease | undefined>();
  readonly #seen = new Map<number, Seen>();
  /** Instances that are there. */
  readonly #instances = new Set<string>();
  /** Which instance has announced to be ready for the partition. */
  readonly #ready = new Map<number, HeldLease>();
  /** To whom partitions were handed over, and until when not again: one that did not take its partition may be dead. */
  readonly #offered = new Map<number, { readonly heir: string; readonly untilMs: number }>();
  readonly #preparations = new Map<number, Preparation>();
  /** Something is being done about the partition's lease. */
  readonly #moving = new Map<number, Promise<void>>();
  /** Released for a successor, and not seen with another instance yet. */
  readonly #handedOver = new Set<number>();
  /** Partitions that this process could not do its work for, and until when it leaves them to others. */
  readonly #avoidedUntilMs = new Map<number, number>();
  readonly #holderListeners = new Set<HolderListener>();
  #presence: HeldLease | undefined;
  #announcing = false;
  #announcesFromMs = 0;
  /** Another process runs under this instance's id. */
  #displaced = false;
  #takesFromMs = 0;
  #stage: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #evaluating = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #cancelWake = (): void => undefined;
  #endWatch = (): void => undefined;
  /** Called when something changed that `start` or `stop` waits for. */
  #progress = (): void => undefined;

  constructor(options: PartitionLeasesOptions) {
    this.#options = options;
    this.#self = options.lease.holder.id;
  }

  /**
   * Resolves when every partition has a holder that gave a sign of life, or this process has it; at the latest after two and a half times
   * the leases' time to live.
   */
  async start(): Promise<void> {
    const { lease } = this.#options;
    this.#endWatch = lease.watch((event) => this.#learn(event));
    this.#stage = 'running';
    // Others may start in the same moment. Who waits for them need not hand over what it has only just loaded.
    this.#takesFromMs = this.#nowMs() + this.#graceMs;
    this.#evaluate();
    await this.#until(() => this.#isSettled(), 2.5 * lease.ttlMs);
  }

  /** Hands over, one by one, to the instances that make themselves ready for it; what nobody is ready for in time is released. */
  async stop(): Promise<void> {
    if (this.#stage !== 'running') return;
    this.#stage = 'stopping';
    const { lease } = this.#options;
    for (const partition of [...this.#preparations.keys()]) this.#dropPreparation(partition);
    const presence = this.#presence;
    this.#presence = undefined;
    if (presence !== undefined) await lease.release(presence);
    this.#evaluate();
    await this.#until(() => (this.#held.size === 0 && this.#moving.size === 0) || !lease.connected || !this.#hasOthers(), HANDING_OVER_LIMIT_MS);
    for (const [partition, held] of [...this.#held]) if (!this.#moving.has(partition)) void this.#move(partition, () => this.#letGo(partition, held));
    while (this.#moving.size > 0) await Promise.all(this.#moving.values());
    this.#stage = 'stopped';
    this.#cancelWake();
    this.#endWatch();
  }

  /** The instance that has the partition, as far as this process knows. */
  holderOf(partition: number): LeaseHolder | undefined {
    return this.#seen.get(partition)?.holder;
  }

  /** Asks the lease service which instance has the partition now. */
  async findHolder(partition: number): Promise<LeaseHolder | undefined> {
    return (await this.#options.lease.read(this.#leaseName(partition)))?.holder;
  }

  /** Calls the listener whenever this process learns that a partition has another holder, or none. Returns how to end that. */
  onHolderChanged(listener: HolderListener): () => void {
    this.#holderListeners.add(listener);
    return () => this.#holderListeners.delete(listener);
  }

  /** The process cannot do the work for this partition (any more): it is left to others for a while. */
  async giveUp(partition: number): Promise<void> {
    const held = this.#held.get(partition);
    if (!this.#held.delete(partition)) return;
    this.#avoid(partition);
    if (held !== undefined) await this.#move(partition, () => this.#options.lease.release(held));
  }

  // ---- what the lease service tells ----

  #learn(event: LeaseEvent): void {
    switch (event.kind) {
      case 'held':
        this.#learnHolder(event.lease, event.confirmed);
        break;
      case 'free':
        this.#learnFree(event.name, event.successor);
        break;
      case 'lost':
        this.#learnLoss(event.lease);
        break;
      case 'lapsed':
        // The work goes on under the fence.
        return;
      case 'away':
        this.#options.trouble(event.error);
        this.#resumeHandedOver();
        break;
      case 'back':
        break;
      default:
        event satisfies never;
    }
    this.#evaluateSoon();
  }

  #learnHolder(lease: HeldLease, confirmed: boolean): void {
    const { name, holder } = lease;
    const at = this.#placeOf(name);
    switch (at?.of) {
      case 'partition': {
        const before = this.holderOf(at.partition)?.id;
        this.#seen.set(at.partition, { holder, confirmed });
        if (holder.id !== this.#self) this.#handedOver.delete(at.partition);
        if (before !== holder.id) this.#tellHolderChanged(at.partition);
        break;
      }
      case 'ready':
        this.#ready.set(at.partition, lease);
        break;
      case 'instance':
        this.#instances.add(at.id);
        break;
      case undefined:
        break;
      default:
        at satisfies never;
    }
  }

  #learnFree(name: string, successor: string | undefined): void {
    const at = this.#placeOf(name);
    switch (at?.of) {
      case 'partition': {
        const before = this.holderOf(at.partition);
        this.#seen.set(at.partition, { holder: undefined, successor, sinceMs: this.#nowMs() });
        if (before !== undefined) this.#tellHolderChanged(at.partition);
        break;
      }
      case 'ready':
        this.#ready.delete(at.partition);
        break;
      case 'instance':
        this.#instances.delete(at.id);
        if (at.id === this.#self) this.#displaced = false;
        break;
      case undefined:
        break;
      default:
        at satisfies never;
    }
  }

  #learnLoss(lost: HeldLease): void {
    const at = this.#placeOf(lost.name);
    switch (at?.of) {
      case 'partition':
        if (this.#held.get(at.partition)?.epoch === lost.epoch) this.#lose(at.partition);
        break;
      case 'ready': {
        const preparation = this.#preparations.get(at.partition);
        if (preparation?.announcement?.epoch === lost.epoch) {
          delete preparation.announcement;
          preparation.state = 'prepared';
        }
        break;
      }
      case 'instance':
        if (this.#presence?.epoch !== lost.epoch) break;
        this.#presence = undefined;
        this.#displaced = true;
        this.#options.trouble(new Error(`another process runs as the instance ${JSON.stringify(this.#self)}: ids of instances must differ`));
        break;
      case undefined:
        break;
      default:
        at satisfies never;
    }
  }

  #tellHolderChanged(partition: number): void {
    for (const listener of [...this.#holderListeners]) listener(partition);
  }

  // ---- what is to be done ----

  #evaluateSoon(): void {
    if (this.#evaluating || this.#stage === 'new' || this.#stage === 'stopped') return;
    this.#evaluating = true;
    queueMicrotask(() => {
      this.#evaluating = false;
      this.#evaluate();
    });
  }

  #evaluate(): void {
    if (this.#stage === 'stopped') return;
    this.#cancelWake();
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    if (this.#options.lease.connected) {
      if (this.#stage === 'running') this.#announceInstance();
      const moves = planMoves([...this.#instances], this.#holdersInPlan(), this.#options.partitions);
      for (let partition = 0; partition < this.#options.partitions; partition += 1) this.#attend(partition, moves.get(partition));
      this.#prepareNext();
    }
    if (this.#wakeAtMs !== Number.POSITIVE_INFINITY)
      this.#cancelWake = this.#options.clock.after(Math.max(1, this.#wakeAtMs - this.#nowMs()), () => this.#evaluate());
    this.#progress();
  }

  /** A partition on its way to a successor counts as the successor's. */
  #holdersInPlan(): Map<number, string> {
    const holders = new Map<number, string>();
    for (const [partition, seen] of this.#seen) {
      const id = seen.holder === undefined ? seen.successor : seen.holder.id;
      if (id !== undefined) holders.set(partition, id);
    }
    return holders;
  }

  #attend(partition: number, heir: string | undefined): void {
    if (this.#moving.has(partition)) return;
    const seen = this.#seen.get(partition);
    if (this.#held.has(partition)) {
      const held = this.#held.get(partition);
      if (held === undefined) {
        if (this.#mayAttempt(partition)) void this.#move(partition, () => this.#leaseResumed(partition));
      } else if (heir !== undefined && this.#isReady(heir, partition)) void this.#move(partition, () => this.#handOver(partition, held, heir));
      return;
    }
    if (this.#stage !== 'running' || this.#displaced) return;
    const isToBeMine = heir === this.#self || (seen?.holder === undefined && seen?.successor === this.#self);
    if (!isToBeMine) this.#dropPreparation(partition);
    if (seen?.holder === undefined || seen.holder.id === this.#self) {
      if (this.#mayTake(partition, seen, heir)) void this.#move(partition, () => this.#take(partition));
    } else if (isToBeMine && this.#mayAttempt(partition)) this.#wantPreparation(partition);
  }

  #isReady(heir: string, partition: number): boolean {
    if (heir === this.#self || this.#ready.get(partition)?.holder.id !== heir) return false;
    const offered = this.#offered.get(partition);
    return offered?.heir !== heir || this.#hasCome(offered.untilMs);
  }

  #mayTake(partition: number, seen: Seen | undefined, heir: string | undefined): boolean {
    if (!this.#mayAttempt(partition)) return false;
    const free = seen?.holder === undefined ? seen : undefined;
    if (free?.successor === this.#self) return true;
    const isAnybodysFromMs = Math.max(free?.sinceMs ?? 0, this.#takesFromMs) + this.#graceMs;
    return this.#hasCome(heir === this.#self || seen?.holder !== undefined ? this.#takesFromMs : isAnybodysFromMs);
  }

  /** False: the work could not be done a moment ago. */
  #mayAttempt(partition: number): boolean {
    const untilMs = this.#avoidedUntilMs.get(partition);
    if (untilMs === undefined) return true;
    if (!this.#hasCome(untilMs)) return false;
    this.#avoidedUntilMs.delete(partition);
    return true;
  }

  /** Long enough for others to take it, where there are others. */
  #avoid(partition: number): void {
    this.#avoidedUntilMs.set(partition, this.#nowMs() + this.#graceMs * (this.#hasOthers() ? 2 : 0.5));
  }

  /** Whether it is so late; otherwise everything is looked at again then. */
  #hasCome(momentMs: number): boolean {
    if (this.#nowMs() >= momentMs) return true;
    this.#wakeAtMs = Math.min(this.#wakeAtMs, momentMs);
    return false;
  }

  /** One thing at a time is done about a partition's lease. */
  #move(partition: number, work: () => Promise<void>): Promise<void> {
    const moving = work()
      .catch((error: unknown) => {
        this.#avoid(partition);
        if (this.#options.lease.connected) this.#options.trouble(error);
      })
      .finally(() => {
        this.#moving.delete(partition);
        this.#evaluateSoon();
      });
    this.#moving.set(partition, moving);
    return moving;
  }

  // ---- instances ----

  #announceInstance(): void {
    if (this.#presence !== undefined || this.#announcing || this.#displaced || !this.#hasCome(this.#announcesFromMs)) return;
    this.#announcing = true;
    this.#options.lease
      .acquire(`${this.#options.kind}-instance/${this.#self}`)
      .then((presence) => {
        if (presence !== undefined && this.#stage !== 'running') return this.#options.lease.release(presence);
        this.#presence = presence;
        return undefined;
      })
      .catch((error: unknown) => {
        this.#announcesFromMs = this.#nowMs() + this.#graceMs;
        if (this.#options.lease.connected) this.#options.trouble(error);
      })
      .finally(() => {
        this.#announcing = false;
        this.#evaluateSoon();
      });
  }

  #hasOthers(): boolean {
    return [...this.#instances].some((id) => id !== this.#self);
  }

  // ---- taking and giving ----

  async #take(partition: number): Promise<void> {
    const held = await this.#options.lease.acquire(this.#leaseName(partition)).catch((error: unknown) => {
      // The instance can do the work: it leaves the partition to nobody.
      this.#avoidedUntilMs.set(partition, this.#nowMs() + TAKE_AGAIN_MS);
      if (this.#options.lease.connected) this.#options.trouble(error);
      return undefined;
    });
    // Undefined: it could not be taken, or another instance was faster, and this one was told so.
    if (held === undefined) return;
    if (this.#stage !== 'running') return this.#options.lease.release(held);
    this.#endPreparation(partition);
    this.#grant(partition, held);
  }

  /** The partition was to be handed over. While the lease service is away this instance goes on with it; the fence decides. */
  #resume(partition: number, held: HeldLease | undefined): void {
    this.#offered.delete(partition);
    if (this.#stage === 'running' && !this.#held.has(partition)) this.#grant(partition, held);
  }

  #grant(partition: number, held: HeldLease | undefined): void {
    this.#held.set(partition, held);
    this.#options.granted(partition);
  }

  async #handOver(partition: number, held: HeldLease, heir: string): Promise<void> {
    const { lease, lost } = this.#options;
    this.#held.delete(partition);
    this.#offered.set(partition, { heir, untilMs: this.#nowMs() + 2 * lease.ttlMs });
    await lost(partition);
    if (lease.connected) {
      this.#handedOver.add(partition);
      await lease.release(held, heir);
      if (lease.connected) return;
      // Whether the successor can take it is unknown.
      this.#handedOver.delete(partition);
      this.#resume(partition, undefined);
    } else this.#resume(partition, held);
  }

  async #letGo(partition: number, held: HeldLease | undefined): Promise<void> {
    this.#held.delete(partition);
    await this.#options.lost(partition);
    if (held !== undefined) await this.#options.lease.release(held);
  }

  #lose(partition: number): void {
    this.#held.delete(partition);
    this.#avoid(partition);
    const before = this.#moving.get(partition) ?? Promise.resolve();
    void this.#move(partition, () => before.then(() => this.#options.lost(partition)));
  }

  /** A released partition may not have a new owner yet. */
  #resumeHandedOver(): void {
    for (const partition of this.#handedOver) this.#resume(partition, undefined);
    this.#handedOver.clear();
  }

  async #leaseResumed(partition: number): Promise<void> {
    const held = await this.#options.lease.acquire(this.#leaseName(partition));
    if (held !== undefined) this.#held.set(partition, held);
    else {
      this.#held.delete(partition);
      await this.#options.lost(partition);
    }
  }

  // ---- making ready ----

  #wantPreparation(partition: number): void {
    const preparation = this.#preparations.get(partition);
    if (preparation === undefined) this.#preparations.set(partition, { state: 'waiting' });
    else if (preparation.state === 'prepared' && !this.#ready.has(partition)) this.#announceReady(partition, preparation);
  }

  #prepareNext(): void {
    let preparing = [...this.#preparations.values()].filter(({ state }) => state === 'preparing').length;
    for (const [partition, preparation] of this.#preparations) {
      if (preparation.state !== 'waiting' || preparing >= PREPARATIONS_AT_ONCE) continue;
      preparing += 1;
      void this.#prepare(partition, preparation);
    }
  }

  async #prepare(partition: number, preparation: Preparation): Promise<void> {
    preparation.state = 'preparing';
    try {
      await this.#options.prepare?.(partition);
      preparation.state = 'prepared';
      if (this.#preparations.get(partition) === preparation) this.#announceReady(partition, preparation);
    } catch {
      if (this.#preparations.get(partition) !== preparation) return;
      this.#avoid(partition);
      this.#dropPreparation(partition);
    } finally {
      this.#evaluateSoon();
    }
  }

  #announceReady(partition: number, preparation: Preparation): void {
    preparation.state = 'announcing';
    void this.#options.lease
      .acquire(`${this.#options.kind}-ready/${partition}`)
      .then(
        (announcement) => {
          if (announcement !== undefined && this.#preparations.get(partition) !== preparation) return this.#options.lease.release(announcement);
          preparation.state = announcement === undefined ? 'prepared' : 'ready';
          if (announcement !== undefined) preparation.announcement = announcement;
          return undefined;
        },
        () => {
          preparation.state = 'prepared';
        },
      )
      .then(() => {
        if (preparation.state === 'prepared') this.#avoid(partition);
      })
      .finally(() => this.#evaluateSoon());
  }

  #dropPreparation(partition: number): void {
    if (!this.#preparations.has(partition)) return;
    this.#endPreparation(partition);
    this.#options.abandon?.(partition);
  }

  #endPreparation(partition: number): void {
    const announcement = this.#preparations.get(partition)?.announcement;
    this.#preparations.delete(partition);
    if (announcement !== undefined) void this.#options.lease.release(announcement);
  }

  // ---- waiting ----

  #isSettled(): boolean {
    for (let partition = 0; partition < this.#options.partitions; partition += 1) {
      const seen = this.#seen.get(partition);
      const isServed = this.#held.has(partition) || (seen?.holder !== undefined && seen.holder.id !== this.#self && seen.confirmed);
      if (!isServed) return false;
    }
    return true;
  }

  /** Resolves when the condition holds, or after the time. */
  async #until(condition: () => boolean, limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#progress = () => undefined;
        resolve();
      };
      const cancel = this.#options.clock.after(limitMs, end);
      this.#progress = () => {
        if (condition()) end();
      };
      this.#progress();
    });
  }

  get #graceMs(): number {
    return this.#options.lease.ttlMs / 3;
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #leaseName(partition: number): string {
    return `${this.#options.kind}/${partition}`;
  }

  /** What the lease is about; undefined: it is none of this kind of work. */
  #placeOf(name: string): { of: 'partition' | 'ready'; partition: number } | { of: 'instance'; id: string } | undefined {
    const { kind, partitions } = this.#options;
    const instancePrefix = `${kind}-instance/`;
    if (name.startsWith(instancePrefix)) return { of: 'instance', id: name.slice(instancePrefix.length) };
    for (const [of, prefix] of [
      ['partition', `${kind}/`],
      ['ready', `${kind}-ready/`],
    ] as const) {
      if (!name.startsWith(prefix)) continue;
      const partition = Number(name.slice(prefix.length));
      if (Number.isInteger(partition) && partition < partitions) return { of, partition };
    }
    return undefined;
  }
}
