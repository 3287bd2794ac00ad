/**
 * Leases make two owners of one thing rare; the fence in the event log makes them harmless.
 *
 * A process takes part in one session. It acquires leases, and the session keeps them all until the process releases them, loses
 * them, or is silent for longer than the session's time to live.
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
}

/** What a process learns about leases. */
export type LeaseEvent =
  /** The holder has it. `confirmed`: the holder gave a sign of life since this process watches. */
  | { readonly kind: 'held'; readonly lease: HeldLease; readonly confirmed: boolean }
  /** Nobody has it. `successor`: id of the instance to which the last holder handed it over. */
  | { readonly kind: 'free'; readonly name: string; readonly successor: string | undefined }
  /** A lease of this process was not renewed for its time to live: others may take it. It is still held if a later 'held' says so. */
  | { readonly kind: 'lapsed'; readonly lease: HeldLease }
  /** A lease of this process is another's, or was given up for this process. */
  | { readonly kind: 'lost'; readonly lease: HeldLease }
  /** The lease service cannot be reached: until 'back' nothing is known that is new. */
  | { readonly kind: 'away'; readonly error: Error }
  | { readonly kind: 'back' };

export type LeaseListener = (event: LeaseEvent) => void;

export interface Lease {
  /** This process, as others see it. */
  readonly holder: LeaseHolder;
  /** A process that is silent for so long loses its leases. */
  readonly ttlMs: number;
  /** Whether the lease service can be reached now. */
  readonly connected: boolean;
  /**
   * Takes the lease if it is free, if its holder's time has run out, or if an earlier process of the same instance had it. From then on
   * it is kept. Undefined: another instance has it. Throws if the lease service cannot be reached.
   */
  acquire(name: string): Promise<HeldLease | undefined>;
  /** Gives the lease back. `successor`: id of the instance that is to have it next. Never throws: a release that fails is repeated. */
  release(held: HeldLease, successor?: string): Promise<void>;
  /** Asks the lease service who has the lease now. Undefined: nobody. Throws if the lease service cannot be reached. */
  read(name: string): Promise<HeldLease | undefined>;
  /** Tells the listener of every lease there is, at once, and then of every change. Returns how to end that. */
  watch(listener: LeaseListener): () => void;
  /** Gives back what is still held. */
  close(): Promise<void>;
}
