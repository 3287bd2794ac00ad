/** What a replay of tasks says in the end, and with which exit code. */
import type { ReplaySummary } from './replay-summary';
import type { TaskReplayReport } from './task-replay';
import { shownDifferences } from './shown-differences';

export function summarizeTaskReplay(report: TaskReplayReport): ReplaySummary {
  const { tasks, succeeded, timedOut, nearLimit, mismatches, late, lost, doubled, triedAgain } = report;
  const lines = [
    ...shownDifferences('mismatch', mismatches),
    ...shownDifferences('late', late),
    ...shownDifferences('lost', lost),
    ...shownDifferences('doubled', doubled),
  ];
  if (triedAgain > 0) lines.push(`${triedAgain} tasks ran out of time because they were cut off by a kill, and were tried again`);
  if (late.length > 0) lines.push(`${late.length} tasks timed out because the machine was late: by their workers' own clocks they ran until near their limits`);
  const differences = `${mismatches.length} mismatches, ${lost.length} lost, ${doubled.length} doubled`;
  lines.push(`${tasks} tasks: ${succeeded} succeeded, ${timedOut} timed out, ${nearLimit} near the limit; ${differences}`);
  return { lines, exitCode: mismatches.length + lost.length + doubled.length === 0 ? 0 : 1 };
}
