/**
 * Whether a score counts, and what stands after it. The checks stand in this order: contest exists → it was started → it is not over → its round
 * takes scores → member → the side plays → time of the score → points per score → points per member and round → range.
 */
import type { Contest } from './contest';
import { isRegularRound } from './contest';
import type { ContestRejection } from './contest-decision';
import { rejectionInRound } from './round-rejections';
import { pointsAfter } from './score-operator';

/** What stands after a score that counts. One object serves many scores: a thousand of them a turn make no object each. */
export class JudgedScore {
  member = 0;
  side = 0;
  roundPoints = 0;
  totalPoints = 0;
  sideRoundPoints = 0;
}

/** Undefined: it counts, and `judged` says what stands after it. Changes nothing else. @param scoredAtUs 0: not said. @param atUs commit time. */
export function judgeScore(
  contest: Contest,
  accountId: string,
  points: number,
  scoredAtUs: number,
  atUs: number,
  judged: JudgedScore,
): ContestRejection | undefined {
  const { rules, round, roundEndsAtUs, members, suddenDeathSides } = contest;
  if (rules === undefined) return 'CONTEST_NOT_FOUND';
  const closed = rejectionInRound(contest, round);
  if (closed !== undefined) return closed;
  if (roundEndsAtUs !== 0 && atUs >= roundEndsAtUs) return 'CONTEST_ROUND_CLOSED';
  const member = members.numberOf(accountId);
  if (member === -1) return 'CONTEST_MEMBER_NOT_FOUND';
  const side = members.sides[member] as number;
  const isRegular = isRegularRound(contest);
  if (!isRegular && !suddenDeathSides.includes(side)) return 'CONTEST_SIDE_OUT';
  const { operator, maximumPointsPerScore, maximumPointsPerMemberAndRound: limit } = rules;
  if (operator === 'LATEST' && scoredAtUs === 0) return 'CONTEST_SCORED_AT_MISSING';
  if (points > maximumPointsPerScore) return 'CONTEST_POINTS_LIMIT_EXCEEDED';
  const before = members.roundPoints[member] as number;
  const roundPoints = pointsAfter(operator, before, members.scoredAtUs[member] as number, points, scoredAtUs);
  // The score itself, not what stands: so the order of scores changes nothing where they do not add up.
  if (limit !== 0 && (operator === 'INCREMENT' ? roundPoints : points) > limit) return 'CONTEST_ROUND_LIMIT_EXCEEDED';
  const sideRoundPoints = (contest.sideRoundPoints[side] as number) + roundPoints - before;
  if ((contest.sideTotals[side] as number) + sideRoundPoints > Number.MAX_SAFE_INTEGER) return 'CONTEST_POINTS_OVERFLOW';
  judged.member = member;
  judged.side = side;
  judged.roundPoints = roundPoints;
  judged.totalPoints = (members.totals[member] as number) + (isRegular ? roundPoints : 0);
  judged.sideRoundPoints = sideRoundPoints;
  return undefined;
}
