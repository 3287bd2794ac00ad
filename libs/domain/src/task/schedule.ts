/** A schedule: which of its runs that are due submit a task. When runs are due is computed outside (cron, time zones) and comes in as data. */

export type OverlapRule = 'SKIP' | 'BUFFER' | 'ALLOW';
export type CatchUpRule = 'NONE' | 'LATEST' | 'ALL';

/** A run that is later than this was missed: the catch-up rule says what becomes of it. */
export const MISSED_AFTER_US = 10_000_000;
/** Missed runs that are submitted at most. */
export const MAXIMUM_CATCH_UP_RUNS = 1_000;

export interface Schedule {
  readonly name: string;
  readonly overlap: OverlapRule;
  readonly catchUp: CatchUpRule;
  paused: boolean;
  /** Microseconds, the earliest first; empty: there are none any more. */
  nextRunsUs: readonly number[];
  /** Number of the task of the newest run; 0: none. */
  lastNumber: number;
  /** A run waits until the task of the run before has ended. */
  buffered: boolean;
}

export interface RunDecision {
  /** Due times of the runs that submit a task, the oldest first. */
  readonly submit: readonly number[];
  readonly skipped: number;
  readonly buffered: boolean;
}

/**
 * @param dueUs runs that are due, the oldest first.
 * @param left further runs that were due before these and are not in the list.
 * @param lastIsLive whether the task of the newest run has not ended.
 */
export function decideRuns({ overlap, catchUp, buffered }: Schedule, dueUs: readonly number[], left: number, lastIsLive: boolean, nowUs: number): RunDecision {
  const missed = dueUs.filter((runUs) => runUs < nowUs - MISSED_AFTER_US);
  const onTime = dueUs.slice(missed.length);
  const caughtUp = caughtUpOf(catchUp, missed);
  const wanted = [...caughtUp, ...onTime];
  const skipped = left + dueUs.length - wanted.length;
  if (overlap === 'ALLOW') return { submit: wanted, skipped, buffered: false };
  // A run that waits goes first; its turn has come if nothing is under way.
  const queue = buffered ? [dueUs[0] ?? nowUs, ...wanted] : wanted;
  const submit = lastIsLive ? [] : queue.slice(0, 1);
  const rest = queue.length - submit.length;
  const waits = overlap === 'BUFFER' && rest > 0;
  return { submit, skipped: skipped + rest - (waits ? 1 : 0), buffered: waits };
}

function caughtUpOf(rule: CatchUpRule, missed: readonly number[]): readonly number[] {
  switch (rule) {
    case 'NONE':
      return [];
    case 'LATEST':
      return missed.slice(-1);
    case 'ALL':
      return missed.slice(-MAXIMUM_CATCH_UP_RUNS);
    default:
      return rule satisfies never;
  }
}
