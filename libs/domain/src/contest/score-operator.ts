/** What a score does. The order in which the scores of a round come changes nothing about what the members have in the end. */
import type { ScoreOperator } from './contest-rules';

/** The points of a member in a round after a score. Times are microseconds; 0: there was no score yet. */
export function pointsAfter(operator: ScoreOperator, before: number, beforeAtUs: number, points: number, scoredAtUs: number): number {
  switch (operator) {
    case 'INCREMENT':
      return before + points;
    case 'BEST':
      return Math.max(before, points);
    case 'LATEST':
      if (scoredAtUs === beforeAtUs) return Math.max(before, points);
      return scoredAtUs > beforeAtUs ? points : before;
    default:
      return operator satisfies never;
  }
}
