/** Contests, as the query service plugs them in. */
import type { ReadCopy } from '@sluice/ports';
import { CONTESTS, contestMessage, projection } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import type { QueryCapability } from '../query-capability';
import { type Seen, SharedWatches } from '../shared-watches';
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

async function readChangedContests(copy: ReadCopy, known: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Seen<contestpb.Contest>>> {
  const rows = await copy.getMany(CONTESTS.name, [...known.keys()]);
  const changed = new Map<string, Seen<contestpb.Contest>>();
  for (const row of rows) {
    const contestId = row?.contest_id as string;
    if (row !== undefined && row.sequence !== known.get(contestId)) changed.set(contestId, { state: contestMessage(row), sequence: row.sequence as number });
  }
  return changed;
}
