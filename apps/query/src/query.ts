/**
 * The query service: answers every read from the read store, without any access to the log. As many as one likes may run.
 */
import { type Clock, type ReadStore, systemClock } from '@sluice/ports';
import type { ServiceRuntime } from '@sluice/service';
import { type Logger, silentLogger } from '@sluice/telemetry';
import { accountQueryService } from './account/account-query-service';
import { AccountWatches } from './account/account-watches';
import { Freshness } from './freshness';
import { DEFAULT_SEGMENT_CACHE_BYTES, SegmentCache } from './segment-cache';
import { StandingFeed } from './standing';

export interface QueryDependencies {
  /** Read only; stays open. */
  readonly readStore: ReadStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Entry segments kept in memory. */
  readonly segmentCacheBytes?: number;
}

export interface QueryRuntime extends ServiceRuntime {
  /** Resolves when there is a read store to answer from: some projector has been at it. */
  readonly ready: Promise<void>;
}

/** How often an empty store is looked at. */
const EMPTY_STORE_POLL_MS = 100;

export async function startQuery({ readStore, clock = systemClock, logger = silentLogger, segmentCacheBytes }: QueryDependencies): Promise<QueryRuntime> {
  const feed = new StandingFeed(readStore, clock);
  const watches = new AccountWatches(feed, clock, (error) => logger.warn({ error }, 'watched accounts cannot be read; trying again'));
  const registration = accountQueryService({
    store: readStore,
    freshness: new Freshness(feed, clock),
    segments: new SegmentCache(segmentCacheBytes ?? DEFAULT_SEGMENT_CACHE_BYTES),
    watches,
  });
  const stopping = new AbortController();
  const untilReady = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const incarnation = await readStore.incarnation().catch((error: unknown) => {
        logger.warn({ error }, 'the read store cannot be reached; trying again');
        return undefined;
      });
      if (incarnation !== undefined) return;
      await new Promise<void>((resolve) => clock.after(EMPTY_STORE_POLL_MS, resolve));
    }
  };
  return {
    registrations: [registration],
    ready: untilReady(),
    stop: async () => {
      stopping.abort();
      await watches.stop();
      feed.stop();
    },
  };
}
