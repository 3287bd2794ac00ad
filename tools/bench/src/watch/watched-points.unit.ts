import { contestpb } from '@sluice/protocol/contest';
import { watchedPoints } from './watched-points';

test.each([
  [{ accountId: 'watched', points: 1n << 40n }, 2 ** 40],
  [undefined, 0],
])('the points of the member %j are %d', (member, points) => {
  const members = [{ accountId: 'first', points: 7n }];
  const contest = { contestId: 'hot', sides: [{ sideId: 'red', points: 9n }] };
  const response = contestpb.WatchStandingsResponse.fromPartial({ contest, members, member, memberCount: 2, positionToken: 'token' });
  expect(watchedPoints(contestpb.WatchStandingsResponse.encode(response).finish())).toBe(points);
});
