/** What a replay of business days says in the end, and with which exit code. */
import type { DayReplayReport } from './day-replay';
import type { ReplaySummary } from './replay-summary';
import { shownDifferences } from './shown-differences';

export function summarizeDayReplay(report: DayReplayReport): ReplaySummary {
  const { days, branches, accounts, postings, repeats, transfers, closings, entries, proofs, stragglers, refused, again, longestMs, kills, mismatches } =
    report;
  const lines = shownDifferences('mismatch', mismatches);
  if (repeats > 0) lines.push(`${repeats} of the postings were there already, from an earlier run`);
  const killed = Object.entries(kills).map(([step, count]) => `${count} at ${step}`);
  if (killed.length > 0) lines.push(`the server was killed: ${killed.join(', ')}`);
  // Beside those that the client library makes again by itself.
  if (again > 0) lines.push(`${again} calls were made again with the same request ids`);
  lines.push(`${postings} postings, ${transfers} transfers through the cuts, ${stragglers} of them behind the seal; ${refused} refused`);
  lines.push(`longest answer: ${longestMs.throughCut} ms through a cut, ${longestMs.other} ms otherwise`);
  lines.push(`${closings} closing balances and ${entries} entries compared, ${proofs} day proofs from the log hold`);
  lines.push(`${days} days, ${branches} branches, ${accounts} accounts, ${mismatches.length} mismatches`);
  return { lines, exitCode: mismatches.length === 0 ? 0 : 1 };
}
