/** Contests, as the query service plugs them in. */
import { projection } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import type { QueryCapability } from '../query-capability';
import { SharedWatches } from '../shared-watches';
import { readChangedContests } from './changed-contests';
import { contestQueryService } from './contest-query-service';
import { StandingsReading } from './standings-reading';

/** Between two looks at standings that are watched: a thousand watchers of a contest that never rests cost five answers a second each. */
const STANDINGS_LOOK_MS = 200;

export const queryCapability: QueryCapability = {
  name: 'contest',
  projection,
  definitions: [contestpb.ContestQueryServiceService],
  start({ feed, freshness, clock, logger }) {
    const trouble = (error: unknown): void => logger.warn({ error }, 'watched contests cannot be read; trying again');
    const standings = new StandingsReading();
    const contests = new SharedWatches(feed, clock, readChangedContests, trouble);
    const standingWatches = new SharedWatches(feed, clock, standings.changed, trouble, STANDINGS_LOOK_MS);
    return {
      registrations: [contestQueryService({ freshness, standings, contests, standingWatches })],
      stop: async () => {
        await Promise.all([contests.stop(), standingWatches.stop()]);
      },
    };
  },
};
