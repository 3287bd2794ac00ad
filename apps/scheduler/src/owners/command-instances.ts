/**
 * The command instances that the scheduler asks about the partitions which they own. Embedded there is one, in the same process; else there are those that
 * hold leases.
 */
import type { HeldLease, Lease, LeaseEvent, LeaseHolder } from '@sluice/ports';
import type { PeerCalls } from '@sluice/service';

export interface CommandInstance {
  readonly id: string;
  readonly calls: PeerCalls;
}

export interface CommandInstanceListener {
  came(instance: CommandInstance): void;
  /** The instance that came, the same object. */
  gone(instance: CommandInstance): void;
}

export interface CommandInstances {
  readonly present: readonly CommandInstance[];
  /** Tells the listener of every instance that is there, at once, and then of each that comes and goes. Returns how to end that. */
  watch(listener: CommandInstanceListener): () => void;
  close(): void;
}

/** The command service of this process. */
export function oneCommandInstance(instance: CommandInstance): CommandInstances {
  return {
    present: [instance],
    watch: (listener) => {
      listener.came(instance);
      return () => undefined;
    },
    close: () => undefined,
  };
}

/** Names of leases that command instances hold: that they are there, and of partitions. One that stops gives up the first before the others. */
const HELD_BY_COMMAND = /^command(?:-instance)?\//;

interface Holder {
  readonly instance: CommandInstance;
  readonly leases: Set<string>;
}

/** @param connect makes the calls to the instance at an address. */
export function leasedCommandInstances(lease: Lease, connect: (address: string) => PeerCalls): CommandInstances {
  return new LeasedCommandInstances(lease, connect);
}

class LeasedCommandInstances implements CommandInstances {
  private readonly holders = new Map<string, Holder>();
  private readonly holderOf = new Map<string, string>();
  private readonly listeners = new Set<CommandInstanceListener>();
  private readonly endWatch: () => void;

  constructor(
    lease: Lease,
    private readonly connect: (address: string) => PeerCalls,
  ) {
    this.endWatch = lease.watch((event) => this.learn(event));
  }

  get present(): readonly CommandInstance[] {
    return [...this.holders.values()].map(({ instance }) => instance);
  }

  watch(listener: CommandInstanceListener): () => void {
    this.listeners.add(listener);
    for (const instance of this.present) listener.came(instance);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    this.endWatch();
    this.listeners.clear();
  }

  private learn(event: LeaseEvent): void {
    switch (event.kind) {
      case 'held':
        if (HELD_BY_COMMAND.test(event.lease.name)) this.learnHolder(event.lease);
        return;
      case 'free':
        this.forget(event.name);
        return;
      // Leases of this process; what it knows about others stands while the lease service is away.
      case 'lapsed':
      case 'lost':
      case 'away':
      case 'back':
        return;
      default:
        event satisfies never;
    }
  }

  private learnHolder({ name, holder }: HeldLease): void {
    const key = keyOf(holder);
    if (this.holderOf.get(name) === key) return;
    let known = this.holders.get(key);
    if (known === undefined) {
      known = { instance: { id: holder.id, calls: this.connect(holder.address) }, leases: new Set() };
      this.holders.set(key, known);
      for (const listener of [...this.listeners]) listener.came(known.instance);
    }
    known.leases.add(name);
    this.forget(name);
    this.holderOf.set(name, key);
  }

  private forget(name: string): void {
    const key = this.holderOf.get(name);
    const holder = key === undefined ? undefined : this.holders.get(key);
    if (key === undefined || holder === undefined) return;
    this.holderOf.delete(name);
    holder.leases.delete(name);
    if (holder.leases.size > 0) return;
    this.holders.delete(key);
    for (const listener of [...this.listeners]) listener.gone(holder.instance);
  }
}

/** An instance that starts again under its id may have another address. */
function keyOf({ id, address }: LeaseHolder): string {
  return `${id} ${address}`;
}
