/**
 * Which of several schedulers acts: the one that holds the lease.
 *
 *   waiting ──acquired──► active ──not renewed for its time──► lapsed ──renewed──► active
 *      ▲                     │                                   │
 *      └────────lost─────────┴───────────────────────────────────┘      (stopped: released, so that the next one need not wait)
 *
 * While the lease service cannot be reached the active one stays active until its lease has lapsed; then no scheduler acts. That
 * trades work done late for work done twice. Work that may be done twice (to fire timers) goes on: see `holds`.
 */
import type { Clock, HeldLease, Lease, LeaseEvent } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';

const LEASE_NAME = 'scheduler';

export class ActiveLease {
  private held: HeldLease | undefined;
  private lapsed = false;
  private stopped = false;
  private acquiring: Promise<void> | undefined;
  private endWatch = (): void => undefined;
  private cancelRetry = (): void => undefined;

  constructor(
    private readonly lease: Lease,
    private readonly clock: Clock,
    private readonly logger: Logger,
    /** Whether it acts, or holds the lease, may have changed. */
    private readonly changed: () => void = () => undefined,
  ) {}

  /** Tries once, and then whenever the lease is free; resolves after the first try. */
  async start(): Promise<void> {
    this.endWatch = this.lease.watch((event) => this.learn(event));
    await this.acquire();
  }

  get active(): boolean {
    return this.holds && !this.lapsed;
  }

  /** Whether no other instance is known to hold it: for work that is harmless if it is done twice, and that goes on while the lease service is away. */
  get holds(): boolean {
    return !this.stopped && this.held !== undefined;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.endWatch();
    this.cancelRetry();
    await this.acquiring;
    if (this.held !== undefined) await this.lease.release(this.held);
    this.held = undefined;
  }

  private learn(event: LeaseEvent): void {
    switch (event.kind) {
      case 'held':
        if (event.lease.name === LEASE_NAME && event.lease.epoch === this.held?.epoch) this.lapsed = false;
        return;
      case 'free':
        if (event.name === LEASE_NAME) void this.acquire();
        return;
      case 'lapsed':
        if (event.lease.name === LEASE_NAME) this.lapsed = true;
        return;
      case 'lost':
        if (event.lease.name !== LEASE_NAME || this.held === undefined) return;
        this.held = undefined;
        this.logger.warn('another scheduler acts from now on');
        void this.acquire();
        return;
      case 'away':
        this.logger.warn({ error: event.error }, 'the lease service cannot be reached; trying again');
        return;
      case 'back':
        void this.acquire();
        return;
      default:
        event satisfies never;
    }
  }

  private acquire(): Promise<void> {
    if (this.held !== undefined || this.stopped) return Promise.resolve();
    this.cancelRetry();
    this.acquiring ??= this.tryToAcquire().finally(() => {
      this.acquiring = undefined;
    });
    return this.acquiring;
  }

  private async tryToAcquire(): Promise<void> {
    try {
      this.held = await this.lease.acquire(LEASE_NAME);
    } catch (error) {
      if (this.lease.connected) this.logger.warn({ error }, 'the lease was not acquired; trying again');
      if (!this.stopped) this.cancelRetry = this.clock.after(this.lease.ttlMs, () => void this.acquire());
      return;
    }
    if (this.held === undefined) return;
    this.lapsed = false;
    this.logger.info({ epoch: this.held.epoch }, 'this scheduler acts from now on');
    this.changed();
  }
}
