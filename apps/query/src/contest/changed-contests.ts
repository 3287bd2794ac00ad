/** Contests that have changed, for those that watch them. */
import type { Row } from '@sluice/ports';
import { CONTESTS, contestMessage, SpoiltContestError } from '@sluice/projections/contest';
import type { contestpb } from '@sluice/protocol/contest';
import type { ReadChanged, Seen } from '../shared-watches';

/** A contest whose row is spoilt is left out: it must not end the look at all the others. */
export const readChangedContests: ReadChanged<contestpb.Contest> = async (copy, known) => {
  const rows = await copy.getMany(CONTESTS.name, [...known.keys()]);
  const changed = new Map<string, Seen<contestpb.Contest>>();
  for (const row of rows) {
    if (row === undefined) continue;
    const contestId = row.contest_id as string;
    if (row.sequence === known.get(contestId)) continue;
    const state = legible(row);
    if (state !== undefined) changed.set(contestId, { state, sequence: row.sequence as number });
  }
  return changed;
};

function legible(row: Row): contestpb.Contest | undefined {
  try {
    return contestMessage(row);
  } catch (error) {
    if (error instanceof SpoiltContestError) return undefined;
    throw error;
  }
}
