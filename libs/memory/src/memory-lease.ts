/**
 * Leases in memory: the lease service of the embedded mode (one process, so whoever asks gets it) and of tests, where
 * several `MemoryLease`s on one `MemoryLeases` are several processes. Epochs rise as long as the table lives.
 */
import { systemClock, type Clock, type HeldLease, type Lease, type LeaseHolder } from '@sluice/ports';

interface LeaseRecord {
  epoch: number;
  held: HeldLease | undefined;
}

export type MemoryLeases = Map<string, LeaseRecord>;

export class MemoryLease implements Lease {
  readonly #leases: MemoryLeases;
  readonly #clock: Clock;
  #connected = true;

  constructor(options: { leases?: MemoryLeases; clock?: Clock } = {}) {
    this.#leases = options.leases ?? new Map<string, LeaseRecord>();
    this.#clock = options.clock ?? systemClock;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** For tests: cuts this process off the lease service, or brings it back. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
  }

  async acquire(name: string, holder: LeaseHolder, ttlMs: number): Promise<HeldLease | undefined> {
    this.#assertConnected();
    const current = this.#inForce(name);
    if (current !== undefined && current.holder.id !== holder.id) return undefined;
    const record = this.#leases.get(name) ?? { epoch: 0, held: undefined };
    this.#leases.set(name, record);
    if (current === undefined) record.epoch += 1;
    record.held = { name, holder, epoch: record.epoch, expiresAtMs: this.#nowMs() + ttlMs };
    return record.held;
  }

  async renew(held: HeldLease, ttlMs: number): Promise<HeldLease | undefined> {
    this.#assertConnected();
    const current = this.#inForce(held.name);
    const record = this.#leases.get(held.name);
    if (record === undefined || current === undefined || current.epoch !== held.epoch) return undefined;
    record.held = { ...current, expiresAtMs: this.#nowMs() + ttlMs };
    return record.held;
  }

  async release(held: HeldLease): Promise<void> {
    const record = this.#leases.get(held.name);
    if (this.#connected && record?.held?.epoch === held.epoch) record.held = undefined;
  }

  async read(name: string): Promise<HeldLease | undefined> {
    this.#assertConnected();
    return this.#inForce(name);
  }

  async list(prefix: string): Promise<HeldLease[]> {
    this.#assertConnected();
    const held: HeldLease[] = [];
    for (const name of this.#leases.keys()) {
      const lease = name.startsWith(prefix) ? this.#inForce(name) : undefined;
      if (lease !== undefined) held.push(lease);
    }
    return held;
  }

  async close(): Promise<void> {
    this.#connected = false;
  }

  #inForce(name: string): HeldLease | undefined {
    const held = this.#leases.get(name)?.held;
    return held !== undefined && held.expiresAtMs > this.#nowMs() ? held : undefined;
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }

  #assertConnected(): void {
    if (!this.#connected) throw new Error('the lease service cannot be reached');
  }
}
