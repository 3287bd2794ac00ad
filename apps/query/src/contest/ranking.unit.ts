/** The ranking of members: order, ranks, places and pages. */
import { Ranking, Roster } from './ranking';

function rankingOf(...members: readonly (readonly [accountId: string, side: number, points: number])[]): Ranking {
  const roster = { accountIds: members.map(([accountId]) => accountId), sides: Uint8Array.from(members.map(([, side]) => side)) };
  const points = Float64Array.from(members.map(([, , own]) => own));
  return new Ranking({ points, roundPoints: new Float64Array(points.length) }, new Roster(roster, 1));
}

const shown = (ranking: Ranking, side = -1, from = 0, limit = 100): string[] =>
  ranking.slice(side, from, limit).map(({ rank, accountId, points }) => `${rank} ${accountId} ${points}`);

const ranking = rankingOf(['a', 0, 5], ['b', 1, 9], ['c', 0, 5], ['d', 1, 0], ['e', 0, 7]);

test('most points come first, of equal ones the member that joined first, and they have one rank', () => {
  expect(shown(ranking)).toEqual(['1 b 9', '2 e 7', '3 a 5', '3 c 5', '5 d 0']);
  expect(shown(ranking, 0)).toEqual(['1 e 7', '2 a 5', '2 c 5']);
  expect(shown(ranking, 0, 2, 1)).toEqual(['2 c 5']);
  expect(shown(rankingOf())).toEqual([]);
});

test('a place among the points is found whether its member has them still or not', () => {
  expect(ranking.before(-1, { points: 5, member: 2 })).toBe(3);
  expect(ranking.before(-1, { points: 6, member: 4 })).toBe(2);
  expect(ranking.before(1, { points: 9, member: 1 })).toBe(0);
  expect(ranking.before(1, { points: -1, member: 0 })).toBe(2);
  expect(ranking.placeOf('d')).toEqual({ points: 0, member: 3, side: 1 });
  expect(ranking.placeOf('nobody')).toBeUndefined();
});

test('of any points the order is that of sorting, and each rank counts the members with more', () => {
  const members = Array.from({ length: 500 }, (_, at) => [`m${at}`, at % 3, (at * 7_919) % 50] as const);
  const many = rankingOf(...members);
  for (const side of [-1, 0, 1, 2]) {
    const ranked = members.map(([accountId, own, points], member) => ({ accountId, own, points, member })).filter(({ own }) => side === -1 || own === side);
    ranked.sort((left, right) => right.points - left.points || left.member - right.member);
    const expected = ranked.map(({ accountId, points }) => `${ranked.filter((other) => other.points > points).length + 1} ${accountId} ${points}`);
    expect(shown(many, side, 0, 500)).toEqual(expected);
    for (const [at, place] of ranked.entries()) expect(many.before(side, place)).toBe(at);
  }
});
