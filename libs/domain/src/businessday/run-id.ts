/** Ids of runs and of their steps: the branch, a slash and the date; then a slash, the number of the step and its kind. */
import { type CalendarDate, dateFromText, textOfDate } from '../day';

const DATE_LENGTH = 'YYYY-MM-DD'.length;

export function runIdOf(branchId: string, date: CalendarDate): string {
  return `${branchId}/${textOfDate(date)}`;
}

/** The branch of a run; undefined: it is no id of a run. Branches may have slashes in their ids. */
export function branchOfRunId(runId: string): string | undefined {
  const slash = runId.length - DATE_LENGTH - 1;
  if (slash < 1 || runId[slash] !== '/' || dateFromText(runId.slice(slash + 1)) === undefined) return undefined;
  return runId.slice(0, slash);
}

/** @param kind like STAGE_ONE. */
export function stepIdOf(runId: string, step: number, kind: string): string {
  return `${runId}/${String(step).padStart(2, '0')}-${kind.toLowerCase().replaceAll('_', '-')}`;
}
