/** What a contest answers: events with what follows from them, or a rejection. */
import type { ContestEvent, SubmittedScore } from './contest';

export type ContestRejection =
  | 'CONTEST_NOT_FOUND'
  | 'CONTEST_EXISTS'
  | 'CONTEST_STARTED'
  | 'CONTEST_NOT_STARTED'
  | 'CONTEST_FINISHED'
  | 'CONTEST_ROUND_CLOSED'
  | 'CONTEST_JOIN_CLOSED'
  | 'CONTEST_SIDE_NOT_FOUND'
  | 'CONTEST_SIDE_FULL'
  | 'CONTEST_MEMBER_EXISTS'
  | 'CONTEST_MEMBER_NOT_FOUND'
  | 'CONTEST_TOO_FEW_MEMBERS'
  | 'CONTEST_SIDE_OUT'
  | 'CONTEST_SCORED_AT_MISSING'
  | 'CONTEST_POINTS_LIMIT_EXCEEDED'
  | 'CONTEST_ROUND_LIMIT_EXCEEDED'
  | 'CONTEST_POINTS_OVERFLOW'
  | 'CONTEST_TASKS_FULL'
  | 'CONTEST_SUMS_DIFFER'
  | 'CONTEST_GIFT_INVALID';

/** Others are recorded: the request has this answer for ever. */
const NOT_RECORDED: ReadonlySet<ContestRejection> = new Set<ContestRejection>([
  'CONTEST_NOT_FOUND',
  'CONTEST_SIDE_NOT_FOUND',
  'CONTEST_MEMBER_NOT_FOUND',
  'CONTEST_SCORED_AT_MISSING',
  'CONTEST_TASKS_FULL',
  'CONTEST_SUMS_DIFFER',
]);

/** A command that the contest asks of itself at a time: the end of the round, its reconciliation, or the next rewards. At most one is set. */
export type ContestTimer =
  | { readonly kind: 'set'; readonly command: 'endRoundInTime' | 'beginReconciliation' | 'payRewards'; readonly round: number; readonly dueAtUs: number }
  | { readonly kind: 'cancel' };

/** What is asked of an account. */
export type MoneyOrder =
  /** The fund is asked for the largest payout. */
  | { readonly kind: 'takeFunds'; readonly amountMinor: bigint; readonly attempt: number }
  /** A reward. */
  | { readonly kind: 'payFunds'; readonly accountId: string; readonly amountMinor: bigint }
  /** The fund is told what it has again of the amount that was held. */
  | { readonly kind: 'settleFunds'; readonly amountMinor: bigint; readonly returnedMinor: bigint };

/** A submitted score that waits to be recorded. */
export interface ScoreTask extends SubmittedScore {
  readonly submittedAtUs: number;
  /** How often it was executed. */
  readonly attempts: number;
  /** Why the last execution recorded nothing; empty: there was none. */
  readonly reason: string;
}

/** A change task is to be executed at that time. */
export interface DueScoreTask {
  readonly task: ScoreTask;
  readonly dueAtUs: number;
}

export interface ContestAcceptance {
  readonly accepted: true;
  readonly events: readonly ContestEvent[];
  readonly timer?: ContestTimer;
  readonly dueTask?: DueScoreTask;
  /** What is asked of accounts. */
  readonly money?: readonly MoneyOrder[];
}

export type ContestDecision = ContestAcceptance | { readonly accepted: false; readonly rejection: ContestRejection; readonly recorded: boolean };

export function accepted(events: readonly ContestEvent[], timer?: ContestTimer): ContestAcceptance {
  return { accepted: true, events, ...(timer === undefined ? undefined : { timer }) };
}

export function rejected(rejection: ContestRejection): ContestDecision {
  return { accepted: false, rejection, recorded: isRecorded(rejection) };
}

/** Whether the request has this answer for ever. */
export function isRecorded(rejection: ContestRejection): boolean {
  return !NOT_RECORDED.has(rejection);
}
