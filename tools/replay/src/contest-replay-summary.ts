/** What a replay of contests says in the end, and with which exit code. */
import type { ContestReplayReport } from './contest-replay';
import type { ReplaySummary } from './replay-summary';
import { shownDifferences } from './shown-differences';

export function summarizeContestReplay({ contests, scores, repeats, tampering, mismatches }: ContestReplayReport): ReplaySummary {
  const lines = shownDifferences('mismatch', mismatches);
  if (repeats > 0) lines.push(`${repeats} of the scores were there already, from an earlier run`);
  const tampered = tampering === undefined ? '' : ` ${tampering.spoilt} totals spoilt, ${tampering.repaired} repaired,`;
  lines.push(`${contests} contests, ${scores} scores,${tampered} ${mismatches.length} mismatches`);
  const whole = mismatches.length === 0 && tampering?.spoilt === tampering?.repaired;
  return { lines, exitCode: whole ? 0 : 1 };
}
