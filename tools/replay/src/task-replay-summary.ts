/** What a replay of tasks says in the end, and with which exit code. */
import type { ReplaySummary } from './replay-summary';
import type { TaskReplayReport } from './task-replay';

/** Differences of a kind that are shown; the others are counted. */
const MAXIMUM_SHOWN = 20;

export function summarizeTaskReplay(report: TaskReplayReport): ReplaySummary {
  const { tasks, succeeded, timedOut, nearLimit, mismatches, late, lost, doubled, triedAgain } = report;
  const lines = [...shown('mismatch', mismatches), ...shown('late', late), ...shown('lost', lost), ...shown('doubled', doubled)];
  if (triedAgain > 0) lines.push(`${triedAgain} tasks ran out of time because they were cut off by a kill, and were tried again`);
  if (late.length > 0) lines.push(`${late.length} tasks timed out because the machine was late: by their workers' own clocks they ran until near their limits`);
  const differences = `${mismatches.length} mismatches, ${lost.length} lost, ${doubled.length} doubled`;
  lines.push(`${tasks} tasks: ${succeeded} succeeded, ${timedOut} timed out, ${nearLimit} near the limit; ${differences}`);
  return { lines, exitCode: mismatches.length + lost.length + doubled.length === 0 ? 0 : 1 };
}

function shown(kind: string, differences: readonly string[]): string[] {
  const lines = differences.slice(0, MAXIMUM_SHOWN).map((text) => `${kind}: ${text}`);
  return differences.length > lines.length ? [...lines, `… and ${differences.length - lines.length} more`] : lines;
}
