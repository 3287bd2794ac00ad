/** Listings of contests by the time of their creation, of one phase or of all. */
import type { ReadCopy } from '@sluice/ports';
import { CONTESTS, contestMessage } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { checkedName, checkedPageSize, checkedTimeUs } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

const PHASES = { names: contestpb.ContestPhase, prefix: 'CONTEST_PHASE_', what: 'a phase' };

export async function listContests(
  copyOf: () => Promise<ReadCopy>,
  request: contestpb.ListContestsRequest,
): Promise<Pick<contestpb.ListContestsResponse, 'contests' | 'nextPageToken'>> {
  const limit = checkedPageSize(request.pageSize);
  const phase = checkedName('phase', PHASES, request.phase);
  const { createdFrom, createdBefore, newestFirst } = request;
  const from = createdFrom && checkedTimeUs('created_from', createdFrom);
  const before = createdBefore && checkedTimeUs('created_before', createdBefore);
  const query = {
    collection: CONTESTS.name,
    index: phase === '' ? 'by_time' : 'by_phase',
    ...(phase === '' ? undefined : { equals: { phase } }),
    range: { ...(from === undefined ? undefined : { from }), ...(before === undefined ? undefined : { before }) },
    direction: newestFirst ? ('descending' as const) : ('ascending' as const),
  };
  const scope = ['contests', phase, String(from), String(before), newestFirst];
  const after = placeOfPage(CONTESTS, query, scope, request.pageToken);
  const { rows, next } = await (await copyOf()).find({ ...query, after, limit });
  return { contests: rows.map(contestMessage), nextPageToken: tokenOfPlace(scope, next) };
}
