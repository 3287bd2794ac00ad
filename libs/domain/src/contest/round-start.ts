/** The beginning of a round. */
import type { ContestEvent } from './contest';
import { accepted, type ContestAcceptance } from './contest-decision';
import type { ContestRules } from './contest-rules';

const US_PER_MS = 1_000;

/** @param before events that lead to it, in the same commit. */
export function startRound(
  before: readonly ContestEvent[],
  { roundDurationMs }: ContestRules,
  round: number,
  suddenDeathSides: readonly number[],
  atUs: number,
): ContestAcceptance {
  const endsAtUs = roundDurationMs === 0 ? 0 : atUs + roundDurationMs * US_PER_MS;
  const events: ContestEvent[] = [...before, { kind: 'roundStarted', round, endsAtUs, suddenDeathSides }];
  return accepted(events, endsAtUs === 0 ? { kind: 'cancel' } : { kind: 'set', command: 'endRoundInTime', round, dueAtUs: endsAtUs });
}
