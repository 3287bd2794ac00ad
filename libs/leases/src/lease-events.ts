/** Tells listeners what is known of leases: everything that is known when they begin to listen, then every change, once. */
import type { LeaseEvent, LeaseListener } from '@sluice/ports';

/** What is told of one lease to a listener that comes later. */
type LeaseState = Extract<LeaseEvent, { kind: 'held' | 'free' | 'lapsed' }>;

export class LeaseEvents {
  readonly #states = new Map<string, LeaseState>();
  readonly #listeners = new Set<LeaseListener>();
  #away: LeaseEvent | undefined;

  get away(): boolean {
    return this.#away !== undefined;
  }

  watch(listener: LeaseListener): () => void {
    for (const state of this.#states.values()) listener(state);
    if (this.#away !== undefined) listener(this.#away);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Passes the event on unless it says what is known already. */
  tell(event: LeaseEvent): void {
    if (!this.#remember(event)) return;
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Nobody needs to know any more that the lease is free. */
  forget(name: string): void {
    this.#states.delete(name);
  }

  #remember(event: LeaseEvent): boolean {
    switch (event.kind) {
      case 'held':
      case 'lapsed':
        return this.#changeState(event.lease.name, event);
      case 'free':
        return this.#changeState(event.name, event);
      case 'lost':
        return true;
      case 'away':
        if (this.#away !== undefined) return false;
        this.#away = event;
        return true;
      case 'back':
        if (this.#away === undefined) return false;
        this.#away = undefined;
        return true;
      default:
        return event satisfies never;
    }
  }

  #changeState(name: string, state: LeaseState): boolean {
    const before = this.#states.get(name);
    if (before !== undefined && isSame(before, state)) return false;
    this.#states.set(name, state);
    return true;
  }
}

function isSame(left: LeaseState, right: LeaseState): boolean {
  if (left.kind === 'free') return right.kind === 'free' && left.successor === right.successor;
  if (right.kind === 'free' || left.kind !== right.kind) return false;
  const sameLease = left.lease.epoch === right.lease.epoch && left.lease.holder.id === right.lease.holder.id;
  if (left.kind === 'held' && right.kind === 'held') return sameLease && left.confirmed === right.confirmed;
  return sameLease;
}
