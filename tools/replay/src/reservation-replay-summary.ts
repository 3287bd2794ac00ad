/** What a replay of reservations says in the end, and with which exit code. */
import type { ReplaySummary } from './replay-summary';
import type { ReservationReplayReport } from './reservation-replay';
import { shownDifferences } from './shown-differences';

export function summarizeReservationReplay(report: ReservationReplayReport): ReplaySummary {
  const { reservations, completed, cancelled, expired, associates, alone, early, resources, mismatches, lost } = report;
  const lines = [...shownDifferences('mismatch', mismatches), ...shownDifferences('lost', lost)];
  lines.push(`${completed} completed, ${cancelled} cancelled, ${expired} expired; ${resources} resources have exactly the places taken that were kept`);
  lines.push(`${associates} associated: ${alone} by the identity alone, ${early} sent before their reserve`);
  lines.push(`${reservations} reservations, ${mismatches.length} mismatches, ${lost.length} lost`);
  return { lines, exitCode: mismatches.length + lost.length === 0 ? 0 : 1 };
}
