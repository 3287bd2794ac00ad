/** Listings of contests by the time of their creation, of one phase or of all. */
import type { ReadCopy } from '@sluice/ports';
import { CONTESTS, contestMessage } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { invalidRequest } from '@sluice/service';
import { checkedPageSize, checkedTimeUs } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

export async function listContests(
  copyOf: () => Promise<ReadCopy>,
  request: contestpb.ListContestsRequest,
): Promise<Pick<contestpb.ListContestsResponse, 'contests' | 'nextPageToken'>> {
  const limit = checkedPageSize(request.pageSize);
  const phase = nameOfPhase(request.phase);
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

/** Empty: any. */
function nameOfPhase(phase: contestpb.ContestPhase): string {
  if (phase === contestpb.ContestPhase.CONTEST_PHASE_UNSPECIFIED) return '';
  const name = contestpb.ContestPhase[phase];
  if (name === undefined || phase < 0) throw invalidRequest('phase', `${phase} is not a phase`);
  return name.slice('CONTEST_PHASE_'.length);
}
