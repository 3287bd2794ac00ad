/**
 * Projection lag as callers see it: the age of the oldest acknowledged posting that a query does not answer yet. One account of each
 * partition is asked for. Measured this way it needs no projector that answers, and no projector can report it too small.
 */
import type { LoadObserver } from './load';
import type { ServiceCalls } from './service-calls';

/** Acknowledgements closer to each other than this count as one. */
const RESOLUTION_MS = 20;
const KEPT_ACKNOWLEDGEMENTS = 100_000;
const SAMPLE_EVERY_MS = 100;
const READ_LIMIT_MS = 2_000;

interface PendingAcknowledgement {
  readonly entryNumber: bigint;
  readonly atMs: number;
}

export interface ReadLagOptions {
  readonly calls: ServiceCalls;
  /** Query instances, those that run. Asked anew for each sample. */
  readonly queryAddresses: () => readonly string[];
  readonly nowMs?: () => number;
}

export interface Freshness {
  /** From the call until the lag stayed below the limit; undefined: it did not in time. */
  readonly afterMs: number | undefined;
  /** The largest lag seen meanwhile; undefined: no query answered. */
  readonly worstMs: number | undefined;
  /** The last lag seen. */
  readonly lastMs: number | undefined;
}

export class ReadLag implements LoadObserver {
  /** Of the first account of each partition, the oldest first. */
  private readonly pending = new Map<string, PendingAcknowledgement[]>();
  private readonly watched = new Map<number, string>();
  private readonly nowMs: () => number;

  constructor(private readonly options: ReadLagOptions) {
    this.nowMs = options.nowMs ?? (() => performance.now());
  }

  acknowledged(account: string, partition: number, entryNumber: bigint): void {
    const watched = this.watched.get(partition);
    if (watched === undefined) this.watched.set(partition, account);
    else if (watched !== account) return;
    const pending = this.pending.get(account) ?? [];
    this.pending.set(account, pending);
    const atMs = this.nowMs();
    const newest = pending.at(-1);
    if (newest !== undefined && (atMs - newest.atMs < RESOLUTION_MS || pending.length >= KEPT_ACKNOWLEDGEMENTS)) return;
    pending.push({ entryNumber, atMs });
  }

  /** The largest lag of all partitions now, in milliseconds; undefined: no query answers. */
  async sample(): Promise<number | undefined> {
    const lags = await Promise.all([...this.pending].map(([account, pending]) => this.lagOf(account, pending)));
    return lags.reduce<number | undefined>((largest, lag) => (largest === undefined || lag === undefined ? undefined : Math.max(largest, lag)), 0);
  }

  /** Resolves when every sample of `forMs` was below `belowMs`, or after `limitMs`. */
  async untilFresh({ belowMs, forMs, limitMs }: { belowMs: number; forMs: number; limitMs: number }): Promise<Freshness> {
    const startedMs = this.nowMs();
    let worstMs: number | undefined;
    let lastMs: number | undefined;
    let freshSinceMs: number | undefined;
    for (;;) {
      const sampledMs = this.nowMs();
      lastMs = await this.sample();
      if (lastMs !== undefined) worstMs = Math.max(worstMs ?? 0, lastMs);
      if (lastMs === undefined || lastMs >= belowMs) freshSinceMs = undefined;
      else freshSinceMs ??= sampledMs;
      const nowMs = this.nowMs();
      if (freshSinceMs !== undefined && nowMs - freshSinceMs >= forMs) return { afterMs: freshSinceMs - startedMs, worstMs, lastMs };
      if (nowMs - startedMs > limitMs + forMs) return { afterMs: undefined, worstMs, lastMs };
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
    }
  }

  private async lagOf(account: string, pending: PendingAcknowledgement[]): Promise<number | undefined> {
    const askedMs = this.nowMs();
    const entryCount = await this.entryCount(account);
    if (entryCount === undefined) return undefined;
    const read = pending.findIndex(({ entryNumber }) => entryNumber > entryCount);
    pending.splice(0, read === -1 ? pending.length : read);
    const [oldest] = pending;
    return oldest === undefined ? 0 : Math.max(0, askedMs - oldest.atMs);
  }

  /** Entries that the read store has; undefined: no query answers. */
  private async entryCount(account: string): Promise<bigint | undefined> {
    const { calls, queryAddresses } = this.options;
    for (const address of queryAddresses()) {
      const read = await calls.account(address, account, '', READ_LIMIT_MS).catch(() => undefined);
      if (read !== undefined) return read.entryCount;
    }
    return undefined;
  }
}
