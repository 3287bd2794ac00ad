/**
 * A lease table in memory: the lease service of the embedded mode (one process), and of tests, where several tables on one
 * `MemoryLeaseService` are several processes, which can be cut off, slowed down and misled.
 */
import { systemClock, type Clock, type LeaseTable, type LeaseTableEntry, type LeaseTableWatch, type LeaseTableWatcher } from '@sluice/ports';

type Deliver = (entry: LeaseTableEntry) => void;

export class MemoryLeaseService {
  readonly entries = new Map<string, LeaseTableEntry>();
  readonly watching = new Set<Deliver>();
  revision = 0;
  /** Writes that were asked for, refused ones included. */
  writes = 0;

  /** Forgets everything, as a service whose disk was lost. */
  clear(): void {
    this.entries.clear();
    this.revision = 0;
  }
}

export class MemoryLeaseTable implements LeaseTable {
  readonly #clock: Clock;
  readonly #watches = new Set<MemoryLeaseWatch>();
  #connected = true;
  /** For tests: how long every request takes. */
  roundTripMs = 0;
  /** For tests: what is written is written, and the answer gets lost. */
  answersGetLost = false;

  constructor(
    readonly service = new MemoryLeaseService(),
    { clock = systemClock }: { clock?: Clock } = {},
  ) {
    this.#clock = clock;
  }

  async put(key: string, value: string, previousRevision: number, limitMs: number): Promise<number | undefined> {
    await this.#roundTrip(limitMs);
    const { service } = this;
    service.writes += 1;
    if ((service.entries.get(key)?.revision ?? 0) !== previousRevision) return undefined;
    service.revision += 1;
    const entry: LeaseTableEntry = { key, value, revision: service.revision };
    service.entries.set(key, entry);
    queueMicrotask(() => {
      for (const deliver of service.watching) deliver(entry);
    });
    if (this.answersGetLost) throw new Error('the answer of the lease service was lost');
    return entry.revision;
  }

  async get(key: string, limitMs: number): Promise<LeaseTableEntry | undefined> {
    await this.#roundTrip(limitMs);
    return this.service.entries.get(key);
  }

  watch(watcher: LeaseTableWatcher): LeaseTableWatch {
    const watch = new MemoryLeaseWatch(this.service, watcher, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    if (this.#connected) watch.restart();
    return watch;
  }

  /** For tests: cuts this process off the service, or brings it back. */
  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const watch of this.#watches) {
      if (connected) watch.restart();
      else watch.breakOff(unreachable());
    }
  }

  /** For tests: the watches show nothing any more until they are restarted, and do not say so. */
  stallWatches(): void {
    for (const watch of this.#watches) watch.stall();
  }

  async #roundTrip(limitMs: number): Promise<void> {
    if (this.roundTripMs > 0) {
      await new Promise<void>((resolve) => this.#clock.after(Math.min(this.roundTripMs, limitMs), resolve));
      if (this.roundTripMs > limitMs) throw new Error(`the lease service did not answer within ${limitMs} ms`);
    }
    if (!this.#connected) throw unreachable();
  }
}

class MemoryLeaseWatch implements LeaseTableWatch {
  #deliver: Deliver | undefined;
  #stopped = false;

  constructor(
    private readonly service: MemoryLeaseService,
    private readonly watcher: LeaseTableWatcher,
    private readonly ended: () => void,
  ) {}

  restart(): void {
    this.stall();
    const deliver: Deliver = (entry) => this.watcher.changed(entry);
    this.#deliver = deliver;
    queueMicrotask(() => {
      if (this.#stopped || this.#deliver !== deliver) return;
      this.watcher.snapshot([...this.service.entries.values()]);
      this.service.watching.add(deliver);
    });
  }

  breakOff(error: Error): void {
    this.stall();
    if (!this.#stopped) this.watcher.broken(error);
  }

  stall(): void {
    if (this.#deliver !== undefined) this.service.watching.delete(this.#deliver);
    this.#deliver = undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.stall();
    this.ended();
  }
}

function unreachable(): Error {
  return new Error('the lease service cannot be reached');
}
