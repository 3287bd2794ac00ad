/** Whatever order the scores of a round come in, and however they are gathered into events, the standings are the same. */
import fc from 'fast-check';
import { evolveContest, newContest, type Contest, type RecordedScore } from './contest';
import type { ScoreTask } from './contest-decision';
import type { ContestRules, ScoreOperator } from './contest-rules';
import { decideContest, type ContestCommand, type ScoreOrder } from './decide';
import { RoundSums } from './round-sums';

const MEMBERS = ['r1', 'r2', 'b1', 'b2', 'b3'];
const AT_US = 1_000_000;

const rulesOf = (operator: ScoreOperator): ContestRules => ({
  rounds: 1,
  roundDurationMs: 0,
  joinUntilUs: 0,
  minimumMembersPerSide: 1,
  maximumMembersPerSide: 10,
  maximumPointsPerScore: 90,
  maximumPointsPerMemberAndRound: operator === 'INCREMENT' ? 0 : 80,
  operator,
  winnerRule: 'CUMULATIVE',
  tieRule: 'SPLIT',
  reconcileWaitMs: 0,
});

function run(contest: Contest, command: ContestCommand): void {
  const decision = decideContest(contest, command, AT_US);
  if (!decision.accepted) throw new Error(decision.rejection);
  for (const event of decision.events) evolveContest(contest, event);
}

function started(operator: ScoreOperator): Contest {
  const contest = newContest('c');
  const sides = [
    { sideId: 'red', accountIds: MEMBERS.slice(0, 2) },
    { sideId: 'blue', accountIds: MEMBERS.slice(2) },
  ];
  run(contest, { kind: 'create', rules: rulesOf(operator), sides, title: '' });
  run(contest, { kind: 'start' });
  return contest;
}

/** Decides the scores in their order; returns what was recorded. */
function score(contest: Contest, orders: readonly ScoreOrder[]): RecordedScore[] {
  return orders.flatMap((order) => {
    const decision = decideContest(contest, { kind: 'score', ...order }, AT_US);
    if (!decision.accepted) return [];
    for (const event of decision.events) evolveContest(contest, event);
    return decision.events.flatMap((event) => (event.kind === 'scored' ? event.scores : []));
  });
}

const standings = ({ members, sideRoundPoints, roundScoreCount }: Contest) => ({
  members: members.accountIds.map((accountId, member) => [accountId, members.roundPoints[member]]),
  sides: sideRoundPoints,
  scores: roundScoreCount,
});

const orderArbitrary = fc.record({
  requestId: fc.uuid(),
  accountId: fc.constantFrom(...MEMBERS, 'stranger'),
  points: fc.integer({ min: 1, max: 100 }),
  scoredAtUs: fc.integer({ min: 1, max: 6 }),
});

const roundArbitrary = fc.record({
  operator: fc.constantFrom<ScoreOperator>('INCREMENT', 'BEST', 'LATEST'),
  orders: fc.array(orderArbitrary, { maxLength: 40 }),
  ranks: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  cuts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 40, maxLength: 40 }),
});

test('the order of the scores of a round changes nothing', () => {
  fc.assert(
    fc.property(roundArbitrary, ({ operator, orders, ranks }) => {
      const shuffled = orders.map((order, at) => ({ order, rank: ranks[at] as number })).sort((left, right) => left.rank - right.rank);
      const first = started(operator);
      const second = started(operator);
      score(first, orders);
      score(
        second,
        shuffled.map(({ order }) => order),
      );
      expect(standings(second)).toEqual(standings(first));
    }),
  );
});

test('how the scores of a round are gathered into events changes nothing', () => {
  fc.assert(
    fc.property(roundArbitrary, ({ operator, orders, cuts }) => {
      const decided = started(operator);
      const recorded = score(decided, orders);
      const replayed = started(operator);
      for (let at = 0, cut = 0; at < recorded.length; cut += 1) {
        const scores = recorded.slice(at, at + (cuts[cut] as number));
        evolveContest(replayed, { kind: 'scored', round: 1, scores });
        at += scores.length;
      }
      expect(standings(replayed)).toEqual(standings(decided));
    }),
  );
});

test('the sums of the recorded scores are the points of the sides, whatever order they are read in', () => {
  fc.assert(
    fc.property(roundArbitrary, ({ operator, orders, ranks }) => {
      const contest = started(operator);
      const recorded = score(contest, orders).map((scored, at) => ({ scored, rank: ranks[at] as number }));
      const sums = new RoundSums(operator);
      for (const { scored } of recorded.sort((left, right) => left.rank - right.rank)) sums.add(scored.member, scored.side, scored.points, scored.scoredAtUs);
      expect({ sides: sums.sidePoints(2), scores: sums.scoreCount }).toEqual({ sides: contest.sideRoundPoints, scores: contest.roundScoreCount });
    }),
  );
});

test('scores that are submitted and executed later, in any order, leave the standings of scores that are recorded at once', () => {
  fc.assert(
    fc.property(roundArbitrary, ({ operator, orders, ranks }) => {
      const direct = started(operator);
      score(direct, orders);
      const later = started(operator);
      const tasks: { readonly task: ScoreTask; readonly rank: number }[] = [];
      for (const [at, order] of orders.entries()) {
        const decision = decideContest(later, { kind: 'submitScore', ...order }, AT_US);
        if (!decision.accepted || decision.dueTask === undefined) throw new Error('it is not taken');
        for (const event of decision.events) evolveContest(later, event);
        tasks.push({ task: decision.dueTask.task, rank: ranks[at] as number });
      }
      expect(later.unfinishedTasks).toBe(orders.length);
      for (const { task } of tasks.sort((left, right) => left.rank - right.rank)) run(later, { kind: 'executeScore', ...task });
      expect({ ...standings(later), unfinished: later.unfinishedTasks }).toEqual({ ...standings(direct), unfinished: 0 });
    }),
  );
});

test('what the sides have is what their members have', () => {
  fc.assert(
    fc.property(roundArbitrary, ({ operator, orders }) => {
      const contest = started(operator);
      score(contest, orders);
      const sides = [0, 0];
      const { members } = contest;
      for (let member = 0; member < members.count; member += 1)
        sides[members.sides[member] as number] = (sides[members.sides[member] as number] as number) + (members.roundPoints[member] as number);
      expect(sides).toEqual(contest.sideRoundPoints);
    }),
  );
});
