/** What the main thread and the thread that keeps the leases tell each other. */
import type { NatsLinkOptions } from '@sluice/bus-nats';
import type { HeldLease, LeaseEvent, LeaseHolder } from '@sluice/ports';

export type LeaseLinkOptions = Omit<NatsLinkOptions, 'onStatus' | 'wait' | 'longestPauseMs'>;

export interface LeaseThreadData {
  readonly link: LeaseLinkOptions;
  readonly deployment: string;
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  /** Leases of a thread that died. */
  readonly kept: readonly HeldLease[];
  /** The main thread counts it up for as long as it works. */
  readonly pulse: Int32Array<SharedArrayBuffer>;
  /** The main thread is taken for dead after so many pulses that did not come. */
  readonly missedPulsesLimit: number;
}

/** How often the main thread gives a sign of life. */
export const PULSE_INTERVAL_MS = 500;

export type LeaseRequest =
  | { readonly ask: 'acquire'; readonly name: string }
  | { readonly ask: 'read'; readonly name: string }
  | { readonly ask: 'release'; readonly held: HeldLease; readonly successor: string | undefined }
  | { readonly ask: 'close' };

export interface ToLeaseThread {
  readonly id: number;
  readonly request: LeaseRequest;
}

export type FromLeaseThread =
  /** Leases can be acquired; everything that is known of them was told. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly held: HeldLease | undefined }
  | { readonly kind: 'refusal'; readonly id: number; readonly message: string }
  | { readonly kind: 'event'; readonly event: LeaseEvent }
  /** The connection to NATS changed, in a line without secrets. */
  | { readonly kind: 'status'; readonly message: string };
