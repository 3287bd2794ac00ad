/**
 * Which of several schedulers acts: the one that holds the lease.
 *
 *   waiting ──acquired──► active ──renewed──► active
 *      ▲                     │
 *      └──lost, or run out───┘        (stopped: released, for the next one need not wait then)
 *
 * While the lease service cannot be reached the active one stays active until its lease runs out by its own clock; then
 * nobody acts. That trades work done late for work done twice.
 */
import type { Clock, HeldLease, Lease, LeaseHolder } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';

const LEASE_NAME = 'scheduler';
const TTL_MS = 6_000;
/** A renewal may fail twice before the lease runs out. */
const RENEW_MS = TTL_MS / 3;

export class ActiveLease {
  private held: HeldLease | undefined;
  private cancelTimer: () => void = () => undefined;
  private stopped = false;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly lease: Lease,
    private readonly holder: LeaseHolder,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Tries once, and from then on as long as it is not stopped; resolves after the first try. */
  async start(): Promise<void> {
    await this.tick();
  }

  get active(): boolean {
    return !this.stopped && this.held !== undefined && this.held.expiresAtMs * 1_000 > this.clock.nowUs();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer();
    await this.round;
    if (this.held !== undefined) await this.lease.release(this.held).catch(() => undefined);
    this.held = undefined;
  }

  private tick(): Promise<void> {
    this.round = this.acquireOrRenew().finally(() => {
      if (!this.stopped) this.cancelTimer = this.clock.after(RENEW_MS, () => void this.tick());
    });
    return this.round;
  }

  private async acquireOrRenew(): Promise<void> {
    const before = this.held;
    try {
      this.held = before === undefined ? await this.lease.acquire(LEASE_NAME, this.holder, TTL_MS) : await this.lease.renew(before, TTL_MS);
    } catch (error) {
      this.logger.warn({ error }, 'the lease service cannot be reached; trying again');
      if (!this.active) this.held = undefined;
      return;
    }
    if (before === undefined && this.held !== undefined) this.logger.info({ epoch: this.held.epoch }, 'this scheduler acts from now on');
    if (before !== undefined && this.held === undefined) this.logger.warn('another scheduler acts from now on');
  }
}
