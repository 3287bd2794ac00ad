/** The reasons that only contests give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const contestReasons = {
  CONTEST_NOT_FOUND: reason('NOT_FOUND', 'There is no such contest.', 'Check the id.'),
  CONTEST_EXISTS: reason('ALREADY_EXISTS', 'There is a contest with this id already, created by another request.', 'Use another id.'),
  CONTEST_STARTED: reason('FAILED_PRECONDITION', 'The contest was started already.', 'Nothing to do.'),
  CONTEST_NOT_STARTED: reason('FAILED_PRECONDITION', 'The contest was not started yet.', 'Start it, then send a new request.'),
  CONTEST_FINISHED: reason('FAILED_PRECONDITION', 'The contest has its winners, or was cancelled.', 'Nothing to do.'),
  CONTEST_ROUND_CLOSED: reason(
    'FAILED_PRECONDITION',
    'The round is over, or is not the one that runs; between two rounds no scores are taken.',
    'For the next round, send a new request when it runs.',
  ),
  CONTEST_JOIN_CLOSED: reason('FAILED_PRECONDITION', 'Members cannot join any more, or never could.', 'Nothing to do; see `join_until_us` of the rules.'),
  CONTEST_SIDE_NOT_FOUND: reason('NOT_FOUND', 'The contest has no such side.', 'Check `side_id`.'),
  CONTEST_SIDE_FULL: reason(
    'FAILED_PRECONDITION',
    'The side, or the contest, would have more members than it may have.',
    'Add fewer members, with a new request.',
  ),
  CONTEST_MEMBER_EXISTS: reason('ALREADY_EXISTS', 'One of the accounts is a member of a side already.', 'Leave it out, with a new request.'),
  CONTEST_MEMBER_NOT_FOUND: reason('NOT_FOUND', 'The account is no member of the contest.', 'Check the account, or let it join.'),
  CONTEST_TOO_FEW_MEMBERS: reason('FAILED_PRECONDITION', 'A side has fewer members than it needs at the start.', 'Let members join, then send a new request.'),
  CONTEST_SIDE_OUT: reason('FAILED_PRECONDITION', 'The round decides between other sides: it is a sudden death.', 'Nothing to do.'),
  CONTEST_SCORED_AT_MISSING: reason('INVALID_ARGUMENT', 'The newest score stands in this contest, and `scored_at_us` is not set.', 'Set `scored_at_us`.'),
  CONTEST_POINTS_LIMIT_EXCEEDED: reason('FAILED_PRECONDITION', 'The points are above the limit for one score.', 'Send fewer points, with a new request.'),
  CONTEST_ROUND_LIMIT_EXCEEDED: reason(
    'FAILED_PRECONDITION',
    'The member would have more points in the round than the rules allow.',
    'Send fewer points, with a new request.',
  ),
  CONTEST_POINTS_OVERFLOW: reason('OUT_OF_RANGE', 'The points of the side would leave the range of whole numbers up to 2^53 - 1.', 'Send fewer points.'),
  CONTEST_TASKS_FULL: reason(
    'RESOURCE_EXHAUSTED',
    'The contest has 10,000 submitted scores that are neither recorded nor refused.',
    'Send the request again later, with the same id; or use `Score`, which answers when the score is durable.',
  ),
  CONTEST_GIFT_INVALID: reason(
    'INVALID_ARGUMENT',
    'A transfer to the contest is not a gift that it can read. It is refunded.',
    'Send gifts by `Gift` and `GiftBatch`.',
  ),
  CONTEST_SUMS_DIFFER: reason(
    'FAILED_PRECONDITION',
    'The points of a round are not those that its scores in the log make. Callers do not see it: no winner is named, and the process logs it as an error.',
    'Report it with the contest and its partition.',
  ),
} as const satisfies Readonly<Record<string, ReasonDefinition>>;
