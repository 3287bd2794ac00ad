/** Listings of rewards, of one state or of all, in the order in which the members joined. */
import type { ReadCopy } from '@sluice/ports';
import { CONTEST_REWARDS, rewardMessage } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { checkedName, checkedPageSize } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

const STATES = { names: contestpb.RewardState, prefix: 'REWARD_STATE_', what: 'a state of rewards' };

export type RewardPage = Pick<contestpb.ListRewardsResponse, 'rewards' | 'nextPageToken'>;

/** Checks the request, and returns how it is read. */
export function rewardListing(request: contestpb.ListRewardsRequest): (copy: ReadCopy, contest: contestpb.Contest) => Promise<RewardPage> {
  const { contestId } = request;
  const limit = checkedPageSize(request.pageSize);
  const state = checkedName('state', STATES, request.state);
  const scope = ['rewards', contestId, state];
  const query = {
    collection: CONTEST_REWARDS.name,
    index: state === '' ? 'by_contest' : 'by_state',
    equals: { contest_id: contestId, ...(state === '' ? undefined : { state }) },
  };
  const after = placeOfPage(CONTEST_REWARDS, query, scope, request.pageToken);
  return async (copy, { sides }) => {
    const { rows, next } = await copy.find({ ...query, after, limit });
    return { rewards: rows.map((row) => rewardMessage(row, sides)), nextPageToken: tokenOfPlace(scope, next) };
  };
}
