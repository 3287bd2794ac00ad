/** Callers that wait for what becomes of their requests: they are told what happened to the identity as soon as it is durable. */
import type { IdentityEvent } from '@sluice/domain/reservation';

/** What happened, and the sequence of the commit that says so. */
export type ToldOfIdentity = (events: readonly IdentityEvent[], sequence: number) => void;

export class OutcomeWaiters {
  /** By identity. */
  private readonly waiting = new Map<string, Set<ToldOfIdentity>>();

  /** The events became durable. */
  happened(identityId: string, events: readonly IdentityEvent[], sequence: number): void {
    for (const told of [...(this.waiting.get(identityId) ?? [])]) told(events, sequence);
  }

  /** Returns how to end it. */
  listen(identityId: string, told: ToldOfIdentity): () => void {
    const waiting = this.waiting.get(identityId) ?? new Set();
    this.waiting.set(identityId, waiting);
    waiting.add(told);
    return () => {
      waiting.delete(told);
      if (waiting.size === 0) this.waiting.delete(identityId);
    };
  }
}
