/**
 * The query service: answers every read from the read store, without any access to the log. As many as one likes may run.
 */
import { type Clock, type ReadStore, systemClock } from '@sluice/ports';
import { projectionId } from '@sluice/projections';
import type { ServiceRuntime } from '@sluice/service';
import { type Logger, silentLogger } from '@sluice/telemetry';
import { QUERY_CAPABILITIES } from './capabilities.generated';
import { Freshness } from './freshness';
import { StandingFeed } from './standing';

export interface QueryDependencies {
  /** Read only; stays open. */
  readonly readStore: ReadStore;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export interface QueryRuntime extends ServiceRuntime {
  /** Resolves when there is a read store to answer from: some projector has been at it. */
  readonly ready: Promise<void>;
}

/** How often an empty store is looked at. */
const EMPTY_STORE_POLL_MS = 100;

export async function startQuery({ readStore, clock = systemClock, logger = silentLogger }: QueryDependencies): Promise<QueryRuntime> {
  const feed = new StandingFeed(readStore, clock);
  const running = QUERY_CAPABILITIES.map((capability) => {
    const freshness = new Freshness(feed, clock, projectionId(capability.projection));
    return capability.start({ store: readStore, feed, freshness, clock, logger });
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
    registrations: running.flatMap(({ registrations }) => registrations),
    ready: untilReady(),
    stop: async () => {
      stopping.abort();
      await Promise.all(running.map((runtime) => runtime.stop()));
      feed.stop();
    },
  };
}
