/**
 * Change tasks of a contest: scores that are submitted, and recorded later by the command of a timer.
 *
 *   submitted ──executed──▶ recorded, or refused for good
 *       └──between two rounds──▶ waiting ──executed again after a pause──▶ …
 *
 * The timer of a task is its only trace beside the count in the contest. It fires once and is set again in the commit in which it fires, so a score
 * is recorded once.
 */
import type { Contest, ContestEvent, SubmittedScore } from './contest';
import { accepted, rejected, type ContestDecision, type ContestRejection, type ScoreTask } from './contest-decision';
import type { ContestRules } from './contest-rules';

/** Change tasks of a contest that have not ended. */
export const MAXIMUM_UNFINISHED_TASKS = 10_000;
/**
 * Between two executions of a task: after the first one, then twice as long each time, up to the longest. Each execution leaves a record in the log, so tasks that wait for a
 * reconciliation which does not end must not come often. A task waits at most about as long as it has waited already.
 */
const FIRST_PAUSE_US = 1_000_000;
const LONGEST_PAUSE_US = 300_000_000;
/** Doublings beyond it change nothing. */
const MOST_DOUBLINGS = 9;

/** Unique in the contest, as request ids are. */
export function scoreTaskId(requestId: string): string {
  return `score/${requestId}`;
}

/** Of a contest that runs: its phase is checked before. */
export function takeTask({ unfinishedTasks }: Contest, { operator }: ContestRules, submitted: SubmittedScore, atUs: number): ContestDecision {
  const { requestId, accountId, points, scoredAtUs } = submitted;
  if (operator === 'LATEST' && scoredAtUs === 0) return rejected('CONTEST_SCORED_AT_MISSING');
  if (unfinishedTasks >= MAXIMUM_UNFINISHED_TASKS) return rejected('CONTEST_TASKS_FULL');
  const score = { requestId, accountId, points, scoredAtUs };
  return { ...accepted([{ kind: 'scoreSubmitted', score }]), dueTask: { task: { ...score, submittedAtUs: atUs, attempts: 0, reason: '' }, dueAtUs: atUs } };
}

/** What becomes of a task by the decision on its score. */
export function afterExecution(task: ScoreTask, decision: ContestDecision, atUs: number): ContestDecision {
  if (decision.accepted) return { ...decision, events: decision.events.map(endingTask) };
  const { rejection: reason } = decision;
  const { requestId, accountId, points, scoredAtUs, submittedAtUs, attempts } = task;
  if (!mayPassLater(reason)) return accepted([{ kind: 'scoreRefused', requestId, accountId, reason }]);
  const waiting = { requestId, accountId, points, scoredAtUs, submittedAtUs, attempts: attempts + 1, reason };
  return { ...accepted([]), dueTask: { task: waiting, dueAtUs: atUs + pauseUs(attempts) } };
}

/** @param attempts executions before this one. */
function pauseUs(attempts: number): number {
  return Math.min(FIRST_PAUSE_US * 2 ** Math.min(attempts, MOST_DOUBLINGS), LONGEST_PAUSE_US);
}

/** Whether a score that is refused for this may be taken later: the contest is between two rounds. */
function mayPassLater(rejection: ContestRejection): boolean {
  return rejection === 'CONTEST_ROUND_CLOSED';
}

function endingTask(event: ContestEvent): ContestEvent {
  return event.kind === 'scored' ? { ...event, scores: event.scores.map((score) => ({ ...score, submitted: true })) } : event;
}
