/** What follows a reconciled round: another round, or winners. */
import { isRegularRound, winnerOfRound, type Contest } from './contest';
import { MAXIMUM_SUDDEN_DEATH_ROUNDS, type ContestRules } from './contest-rules';

export type AfterRound =
  | { readonly kind: 'round'; readonly suddenDeathSides: readonly number[] }
  /** Empty: nobody wins. */
  | { readonly kind: 'winners'; readonly winners: readonly number[] };

/** Asked while the points of the round are those of the contest's round, not yet of its totals. */
export function afterRound(contest: Contest, rules: ContestRules): AfterRound {
  const { round } = contest;
  if (round < rules.rounds) return { kind: 'round', suddenDeathSides: [] };
  const first = firstSides(contest, rules);
  if (first.length === 1) return { kind: 'winners', winners: first };
  switch (rules.tieRule) {
    case 'NONE':
      return { kind: 'winners', winners: [] };
    case 'SPLIT':
    case 'SHARED':
      return { kind: 'winners', winners: first };
    case 'SUDDEN_DEATH':
      if (round - rules.rounds >= MAXIMUM_SUDDEN_DEATH_ROUNDS) return { kind: 'winners', winners: [] };
      return { kind: 'round', suddenDeathSides: first };
    default:
      return rules.tieRule satisfies never;
  }
}

/** Points of each side in all regular rounds, with the one that is being reconciled. */
export function totalsWithRound(contest: Contest): number[] {
  const { sideTotals, sideRoundPoints } = contest;
  return sideTotals.map((total, side) => total + (isRegularRound(contest) ? (sideRoundPoints[side] as number) : 0));
}

function firstSides(contest: Contest, { winnerRule }: ContestRules): number[] {
  const { suddenDeathSides, sideRoundPoints, sideIds } = contest;
  if (!isRegularRound(contest)) return withMost(suddenDeathSides, sideRoundPoints);
  const all = sideIds.map((_id, side) => side);
  switch (winnerRule) {
    case 'CUMULATIVE':
      return withMost(all, totalsWithRound(contest));
    case 'ROUND':
      return withMost(all, roundsWonWithRound(contest));
    default:
      return winnerRule satisfies never;
  }
}

function roundsWonWithRound({ roundsWon, sideRoundPoints }: Contest): number[] {
  const winner = winnerOfRound(sideRoundPoints);
  return roundsWon.map((won, side) => won + (side === winner ? 1 : 0));
}

function withMost(sides: readonly number[], points: readonly number[]): number[] {
  const most = Math.max(...sides.map((side) => points[side] as number));
  return sides.filter((side) => points[side] === most);
}
