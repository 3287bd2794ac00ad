/** What a contest that takes no scores answers. */
import type { Contest } from './contest';
import type { ContestRejection } from './contest-decision';

/** Undefined: the round runs. */
export function rejectionInRound(contest: Contest, round: number): ContestRejection | undefined {
  const isRunning = contest.phase === 'RUNNING' && contest.round === round;
  return rejectionOutsideRounds(contest) ?? (isRunning ? undefined : 'CONTEST_ROUND_CLOSED');
}

/** Undefined: the contest has started and is not over. */
export function rejectionOutsideRounds(contest: Contest): ContestRejection | undefined {
  if (contest.phase === 'CREATED' || contest.phase === 'STARTING') return 'CONTEST_NOT_STARTED';
  return isOver(contest) ? 'CONTEST_FINISHED' : undefined;
}

export function isOver({ phase }: Contest): boolean {
  return phase === 'REWARDING' || phase === 'ENDED' || phase === 'CANCELLED';
}
