/** The sums of a round, made from its scores alone, in any order: what the points that the contest keeps are compared with. */
import type { ScoreOperator } from './contest-rules';
import { pointsAfter } from './score-operator';

interface MemberSum {
  readonly side: number;
  points: number;
  atUs: number;
}

export class RoundSums {
  private readonly members = new Map<number, MemberSum>();
  scoreCount = 0;

  constructor(private readonly operator: ScoreOperator) {}

  /** @param side number of the member's side. @param scoredAtUs 0: not said. */
  add(member: number, side: number, points: number, scoredAtUs: number): void {
    this.scoreCount += 1;
    const sum = this.members.get(member);
    if (sum === undefined) {
      this.members.set(member, { side, points, atUs: scoredAtUs });
      return;
    }
    sum.points = pointsAfter(this.operator, sum.points, sum.atUs, points, scoredAtUs);
    sum.atUs = Math.max(sum.atUs, scoredAtUs);
  }

  /** By number of the side. */
  sidePoints(sideCount: number): number[] {
    const points = new Array<number>(sideCount).fill(0);
    for (const sum of this.members.values()) points[sum.side] = (points[sum.side] as number) + sum.points;
    return points;
  }
}
