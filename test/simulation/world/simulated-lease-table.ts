/**
 * The lease table behind a network: requests take time and fail as the plan says; what the table tells arrives late, and not at all while the
 * process is cut off. A watch that was cut off is broken until the process is reachable again.
 */
import type { LeaseTable, LeaseTableEntry, LeaseTableWatch, LeaseTableWatcher } from '@sluice/ports';
import type { MemoryLeaseService } from '@sluice/memory';
import { MemoryLeaseTable } from '@sluice/memory';
import type { Life } from './life';

/** How often a client notices that its connection is lost, or back. */
const LOOK_US = 400_000;

export class SimulatedLeaseTable implements LeaseTable {
  readonly #table: MemoryLeaseTable;

  constructor(
    private readonly life: Life,
    private readonly service: MemoryLeaseService,
  ) {
    this.#table = new MemoryLeaseTable(service, { clock: life.clock });
  }

  put(key: string, value: string, previousRevision: number, limitMs: number): Promise<number | undefined> {
    return this.#ask(() => this.#table.put(key, value, previousRevision, limitMs));
  }

  get(key: string, limitMs: number): Promise<LeaseTableEntry | undefined> {
    return this.#ask(() => this.#table.get(key, limitMs));
  }

  watch(watcher: LeaseTableWatcher): LeaseTableWatch {
    const { life, service } = this;
    const { timeline } = life.world;
    let stopped = false;
    let standing = false;
    let epoch = 0;
    let lastArrivalUs = 0;
    /** Messages of one connection arrive in order. */
    const arrives = (tell: () => void): void => {
      const sentIn = epoch;
      lastArrivalUs = Math.max(timeline.nowUs + life.networkLatency().thereUs, lastArrivalUs + 1);
      timeline.schedule(lastArrivalUs - timeline.nowUs, () => {
        if (!life.cut) life.continue(() => (stopped || sentIn !== epoch ? undefined : tell()));
      });
    };
    const deliver = (entry: LeaseTableEntry): void => {
      if (!life.alive) service.watching.delete(deliver);
      else if (standing && !life.cut) arrives(() => watcher.changed(entry));
    };
    const establish = (): void => {
      epoch += 1;
      standing = true;
      const entries = [...service.entries.values()];
      arrives(() => watcher.snapshot(entries));
    };
    const look = (): void => {
      if (stopped || !life.alive) return;
      if (standing && life.cut) {
        epoch += 1;
        standing = false;
        life.continue(() => (stopped ? undefined : watcher.broken(new Error('the lease service cannot be reached'))));
      } else if (!standing && !life.cut) establish();
      timeline.schedule(LOOK_US, look);
    };
    service.watching.add(deliver);
    if (!life.cut) establish();
    timeline.schedule(LOOK_US, look);
    return {
      restart: establish,
      stop: async () => {
        stopped = true;
        service.watching.delete(deliver);
      },
    };
  }

  #ask<Result>(request: () => Promise<Result>): Promise<Result> {
    const { life } = this;
    const fails = life.random.chance(life.world.faults.leaseFails);
    return life.io(life.networkLatency(), () => {
      if (fails) throw new Error('lease service: the request failed');
      return request();
    });
  }
}
