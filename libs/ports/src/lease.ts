/**
 * Leases make two owners of one thing rare; the fence in the event log makes them harmless.
 */
export interface LeaseHolder {
  /** Id of the instance. */
  readonly id: string;
  /** HOST:PORT under which its peers reach it. */
  readonly address: string;
}

export interface HeldLease {
  readonly name: string;
  readonly holder: LeaseHolder;
  /** Rises with every change of holder. */
  readonly epoch: number;
  /** When it runs out unless renewed, milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface Lease {
  /** Takes the lease if nobody holds it (or the holder's time has run out); undefined: somebody else holds it. */
  acquire(name: string, holder: LeaseHolder, ttlMs: number): Promise<HeldLease | undefined>;
  /** Prolongs it; undefined: it was lost. */
  renew(held: HeldLease, ttlMs: number): Promise<HeldLease | undefined>;
  /** Gives it back, so that the next one need not wait. Never throws for a lease that was lost. */
  release(held: HeldLease): Promise<void>;
  /** Who holds it now; undefined: nobody. */
  read(name: string): Promise<HeldLease | undefined>;
  /** All held leases whose name starts with the prefix. */
  list(prefix: string): Promise<HeldLease[]>;
  /** Whether the lease service can be reached now. */
  readonly connected: boolean;
  close(): Promise<void>;
}
