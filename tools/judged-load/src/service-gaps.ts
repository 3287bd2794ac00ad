/**
 * Gaps in service: per partition the longest time in which no posting was acknowledged although callers tried.
 *
 *   event          idle (no caller waits)     waiting since t
 *   tried          waiting since now          (one caller more)
 *   acknowledged   -                          the gap t..now is over; waiting since now
 *   finished       -                          idle, if it was the last caller that waited
 *   suspended      not measured               the gap t..now is over; not measured
 *   resumed        -                          waiting since now, if callers wait
 *
 * A partition is suspended while something is away that no instance can do without. Each stretch between is judged by itself.
 */
export interface Gap {
  readonly partition: number;
  readonly lengthMs: number;
  /** When it began, by the clock that was given. */
  readonly sinceMs: number;
}

interface PartitionService {
  callers: number;
  suspensions: number;
  sinceMs: number | undefined;
}

/** Gaps from this length on are kept one by one. */
const NOTABLE_MS = 1_000;
const KEPT_GAPS = 10_000;

export class ServiceGaps {
  private readonly services: PartitionService[];
  private readonly kept: Gap[] = [];
  private longestOver: Gap | undefined;

  /** @param nowMs a clock that is never set back. */
  constructor(
    partitions: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.services = Array.from({ length: partitions }, () => ({ callers: 0, suspensions: 0, sinceMs: undefined }));
  }

  /** A caller has sent something to the partition. */
  tried(partition: number): void {
    const service = this.service(partition);
    service.callers += 1;
    this.begin(service);
  }

  /** A posting to the partition was acknowledged. */
  acknowledged(partition: number): void {
    const service = this.service(partition);
    this.end(partition, service);
    this.begin(service);
  }

  /** A caller has its verdicts, or has given up. */
  finished(partition: number): void {
    const service = this.service(partition);
    service.callers -= 1;
    if (service.callers === 0) this.end(partition, service);
  }

  /** Nothing is measured at the partition until the returned function is called. Suspensions add up. */
  suspend(partition: number): () => void {
    const service = this.service(partition);
    this.end(partition, service);
    service.suspensions += 1;
    let suspended = true;
    return () => {
      if (!suspended) return;
      suspended = false;
      service.suspensions -= 1;
      this.begin(service);
    };
  }

  suspendAll(): () => void {
    const resumes = this.services.map((_, partition) => this.suspend(partition));
    return () => {
      for (const resume of resumes) resume();
    };
  }

  /** From now on: gaps before are forgotten, one that lasts begins now. */
  restart(): void {
    this.kept.length = 0;
    this.longestOver = undefined;
    for (const service of this.services) {
      service.sinceMs = undefined;
      this.begin(service);
    }
  }

  /** The longest gap, one that still lasts included. */
  get longest(): Gap | undefined {
    return [this.longestOver, ...this.lasting].reduce((longest, gap) => (longest === undefined || (gap?.lengthMs ?? 0) > longest.lengthMs ? gap : longest));
  }

  /** The gaps of a second and more, in the order of their ends; at most 10,000. */
  get notable(): readonly Gap[] {
    return [...this.kept, ...this.lasting.filter(({ lengthMs }) => lengthMs >= NOTABLE_MS)];
  }

  private get lasting(): Gap[] {
    const nowMs = this.nowMs();
    return this.services.flatMap(({ sinceMs }, partition) => (sinceMs === undefined ? [] : [{ partition, sinceMs, lengthMs: nowMs - sinceMs }]));
  }

  private begin(service: PartitionService): void {
    if (service.sinceMs === undefined && service.suspensions === 0 && service.callers > 0) service.sinceMs = this.nowMs();
  }

  private end(partition: number, service: PartitionService): void {
    const { sinceMs } = service;
    service.sinceMs = undefined;
    if (sinceMs === undefined) return;
    const gap = { partition, sinceMs, lengthMs: this.nowMs() - sinceMs };
    if (gap.lengthMs > (this.longestOver?.lengthMs ?? -1)) this.longestOver = gap;
    if (gap.lengthMs >= NOTABLE_MS && this.kept.length < KEPT_GAPS) this.kept.push(gap);
  }

  private service(partition: number): PartitionService {
    const service = this.services[partition];
    if (service === undefined) throw new RangeError(`there is no partition ${partition}`);
    return service;
  }
}
