/** The lag of the projection all the time, and whether it counts. */
import type { ReadLag } from '@sluice/judged-load';
import type { Availability } from './availability';
import { RepeatedLook } from './repeated-look';

export const LAG_LIMIT_MS = 1_000;
/** So long after everything that projection needs is back the lag has to be below its limit. */
export const LAG_SETTLES_WITHIN_MS = 10_000;
const SAMPLE_EVERY_MS = 250;
const POLL_MS = 50;

export interface CountedLag {
  readonly lagMs: number;
  readonly atMs: number;
}

export class LagWatch {
  /** The last sample; undefined: no query answered. */
  lastMs: number | undefined;
  /** The largest lag that counts. */
  worst: CountedLag | undefined;
  private readonly looking = new RepeatedLook(SAMPLE_EVERY_MS, () => this.sample());

  constructor(
    private readonly lag: Pick<ReadLag, 'sample'>,
    private readonly availability: Pick<Availability, 'projectableSince'>,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  async sample(): Promise<void> {
    const before = this.availability.projectableSince;
    const atMs = this.nowMs();
    this.lastMs = await this.lag.sample();
    const after = this.availability.projectableSince;
    const counts = before !== undefined && before === after && atMs - before >= LAG_SETTLES_WITHIN_MS;
    if (counts && this.lastMs !== undefined && this.lastMs > (this.worst?.lagMs ?? -1)) this.worst = { lagMs: this.lastMs, atMs };
  }

  /** Resolves with the time until the lag was below its limit; undefined: not within the time. */
  async untilFresh(limitMs: number): Promise<number | undefined> {
    const sinceMs = this.nowMs();
    for (;;) {
      if (this.lastMs !== undefined && this.lastMs < LAG_LIMIT_MS) return this.nowMs() - sinceMs;
      if (this.nowMs() - sinceMs > limitMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
