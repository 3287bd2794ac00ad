/** Listings of submitted scores, of one state or of all, in the order of their submission; or one by its request id. */
import type { ReadCopy } from '@sluice/ports';
import { CONTEST_SUBMISSIONS, submissionIdOf, submittedScoreMessage } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { checkKey, checkedName, checkedPageSize } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

const STATES = { names: contestpb.SubmittedScoreState, prefix: 'SUBMITTED_SCORE_STATE_', what: 'a state of submitted scores' };

export type SubmittedScorePage = Pick<contestpb.ListSubmittedScoresResponse, 'scores' | 'nextPageToken'>;

/** Checks the request, and returns how it is read. */
export function submittedScoreListing(request: contestpb.ListSubmittedScoresRequest): (copy: ReadCopy) => Promise<SubmittedScorePage> {
  const { contestId, requestId } = request;
  const limit = checkedPageSize(request.pageSize);
  const state = checkedName('state', STATES, request.state);
  if (requestId !== '') {
    checkKey('request_id', requestId);
    return async (copy) => {
      const row = await copy.get(CONTEST_SUBMISSIONS.name, submissionIdOf(contestId, requestId));
      return { scores: row === undefined ? [] : [submittedScoreMessage(row)], nextPageToken: '' };
    };
  }
  const scope = ['submitted scores', contestId, state];
  const query = {
    collection: CONTEST_SUBMISSIONS.name,
    index: state === '' ? 'by_contest' : 'by_state',
    equals: { contest_id: contestId, ...(state === '' ? undefined : { state }) },
  };
  const after = placeOfPage(CONTEST_SUBMISSIONS, query, scope, request.pageToken);
  return async (copy) => {
    const { rows, next } = await copy.find({ ...query, after, limit });
    return { scores: rows.map(submittedScoreMessage), nextPageToken: tokenOfPlace(scope, next) };
  };
}
