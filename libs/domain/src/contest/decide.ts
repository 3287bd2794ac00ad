/**
 * What a contest decides. The checks of a score stand in this order: contest exists → it was started → it is not over → its round takes scores →
 * member → the side plays → time of the score → points per score → points per member and round → range.
 */
import type { Contest, ContestEvent, ReadComparison, RecordedScore, RoundSum } from './contest';
import { isRegularRound } from './contest';
import { MAXIMUM_MEMBERS, type ContestRules, type NewSide } from './contest-rules';
import { pointsAfter } from './score-operator';
import { afterRound, totalsWithRound } from './winners';

const US_PER_MS = 1_000;
/** How long the comparison with the log may take before it is begun again. */
const RECONCILE_AGAIN_US = 5_000_000;

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
  | 'CONTEST_SUMS_DIFFER';

/** Others are recorded: the request has this answer for ever. */
const NOT_RECORDED: ReadonlySet<ContestRejection> = new Set<ContestRejection>([
  'CONTEST_NOT_FOUND',
  'CONTEST_SIDE_NOT_FOUND',
  'CONTEST_MEMBER_NOT_FOUND',
  'CONTEST_SCORED_AT_MISSING',
  'CONTEST_SUMS_DIFFER',
]);

export interface ScoreOrder {
  readonly requestId: string;
  readonly accountId: string;
  /** 1 to MAXIMUM_POINTS. */
  readonly points: number;
  /** 0: not said. */
  readonly scoredAtUs: number;
}

export type ContestCommand =
  | { readonly kind: 'create'; readonly rules: ContestRules; readonly sides: readonly NewSide[]; readonly title: string }
  /** The accounts are there once each. */
  | { readonly kind: 'join'; readonly sideId: string; readonly accountIds: readonly string[] }
  | { readonly kind: 'start' }
  | ({ readonly kind: 'score' } & ScoreOrder)
  | { readonly kind: 'endRound'; readonly round: number }
  | { readonly kind: 'cancel'; readonly note: string }
  /** The time of the round is over. */
  | { readonly kind: 'endRoundInTime'; readonly round: number }
  /** The round is to be summed from the log now. */
  | { readonly kind: 'beginReconciliation'; readonly round: number }
  /** It was. */
  | ({ readonly kind: 'reconcile'; readonly round: number; readonly log: RoundSum } & ReadComparison);

/** A command that the contest asks of itself at a time: the end of the round, or its reconciliation. At most one is set. */
export type ContestTimer =
  | { readonly kind: 'set'; readonly command: 'endRoundInTime' | 'beginReconciliation'; readonly round: number; readonly dueAtUs: number }
  | { readonly kind: 'cancel' };

export type ContestDecision =
  | { readonly accepted: true; readonly events: readonly ContestEvent[]; readonly timer?: ContestTimer }
  | { readonly accepted: false; readonly rejection: ContestRejection; readonly recorded: boolean };

/** @param atUs commit time, microseconds. */
export function decideContest(contest: Contest, command: ContestCommand, atUs: number): ContestDecision {
  const { rules } = contest;
  if (command.kind === 'create') {
    if (rules !== undefined) return rejected('CONTEST_EXISTS');
    const { sides, title } = command;
    return accepted([{ kind: 'created', rules: command.rules, sides, title }]);
  }
  if (rules === undefined) return rejected('CONTEST_NOT_FOUND');
  switch (command.kind) {
    case 'join':
      return decideJoin(contest, rules, command, atUs);
    case 'start':
      return decideStart(contest, rules, atUs);
    case 'score':
      return decideScore(contest, rules, command, atUs);
    case 'endRound':
      return rejectionInRound(contest, command.round) ?? endRound(contest, atUs);
    case 'cancel':
      return isOver(contest) ? rejected('CONTEST_FINISHED') : accepted([{ kind: 'cancelled', note: command.note }], { kind: 'cancel' });
    case 'endRoundInTime': {
      const isDue = contest.phase === 'RUNNING' && contest.round === command.round && atUs >= contest.roundEndsAtUs;
      return isDue ? endRound(contest, atUs) : accepted([]);
    }
    case 'beginReconciliation':
      if (!isReconciling(contest, command.round)) return accepted([]);
      return accepted([], { kind: 'set', command: 'beginReconciliation', round: command.round, dueAtUs: atUs + RECONCILE_AGAIN_US });
    case 'reconcile':
      return decideReconcile(contest, rules, command, atUs);
    default:
      return command satisfies never;
  }
}

/** Whether the round has ended and is not compared with the log yet. */
export function isReconciling({ phase, round }: Contest, asked: number): boolean {
  return phase === 'RECONCILING' && round === asked;
}

function decideJoin(contest: Contest, rules: ContestRules, { sideId, accountIds }: Extract<ContestCommand, { kind: 'join' }>, atUs: number): ContestDecision {
  const { members, sideIds, sideMemberCounts } = contest;
  if (isOver(contest)) return rejected('CONTEST_FINISHED');
  if (atUs >= rules.joinUntilUs) return rejected('CONTEST_JOIN_CLOSED');
  const side = sideIds.indexOf(sideId);
  if (side === -1) return rejected('CONTEST_SIDE_NOT_FOUND');
  if (accountIds.some((accountId) => members.numberOf(accountId) !== -1)) return rejected('CONTEST_MEMBER_EXISTS');
  const sideCount = (sideMemberCounts[side] as number) + accountIds.length;
  if (sideCount > rules.maximumMembersPerSide || members.count + accountIds.length > MAXIMUM_MEMBERS) return rejected('CONTEST_SIDE_FULL');
  return accepted([{ kind: 'joined', side, firstMember: members.count, accountIds }]);
}

function decideStart(contest: Contest, rules: ContestRules, atUs: number): ContestDecision {
  if (isOver(contest)) return rejected('CONTEST_FINISHED');
  if (contest.phase !== 'CREATED') return rejected('CONTEST_STARTED');
  if (contest.sideMemberCounts.some((count) => count < rules.minimumMembersPerSide)) return rejected('CONTEST_TOO_FEW_MEMBERS');
  return startRound([], rules, 1, [], atUs);
}

function startRound(
  before: readonly ContestEvent[],
  { roundDurationMs }: ContestRules,
  round: number,
  suddenDeathSides: readonly number[],
  atUs: number,
): ContestDecision {
  const endsAtUs = roundDurationMs === 0 ? 0 : atUs + roundDurationMs * US_PER_MS;
  const events: ContestEvent[] = [...before, { kind: 'roundStarted', round, endsAtUs, suddenDeathSides }];
  return accepted(events, endsAtUs === 0 ? { kind: 'cancel' } : { kind: 'set', command: 'endRoundInTime', round, dueAtUs: endsAtUs });
}

function decideScore(contest: Contest, rules: ContestRules, order: ScoreOrder, atUs: number): ContestDecision {
  const { round, roundEndsAtUs, members, suddenDeathSides } = contest;
  const rejection = rejectionInRound(contest, round);
  if (rejection !== undefined) return rejection;
  if (roundEndsAtUs !== 0 && atUs >= roundEndsAtUs) return rejected('CONTEST_ROUND_CLOSED');
  const { accountId, points, scoredAtUs } = order;
  const member = members.numberOf(accountId);
  if (member === -1) return rejected('CONTEST_MEMBER_NOT_FOUND');
  const side = members.sides[member] as number;
  if (!isRegularRound(contest) && !suddenDeathSides.includes(side)) return rejected('CONTEST_SIDE_OUT');
  const { operator, maximumPointsPerScore, maximumPointsPerMemberAndRound: limit } = rules;
  if (operator === 'LATEST' && scoredAtUs === 0) return rejected('CONTEST_SCORED_AT_MISSING');
  if (points > maximumPointsPerScore) return rejected('CONTEST_POINTS_LIMIT_EXCEEDED');
  const before = members.roundPoints[member] as number;
  const roundPoints = pointsAfter(operator, before, members.scoredAtUs[member] as number, points, scoredAtUs);
  // The score itself, not what stands: so the order of scores changes nothing where they do not add up.
  if (limit !== 0 && (operator === 'INCREMENT' ? roundPoints : points) > limit) return rejected('CONTEST_ROUND_LIMIT_EXCEEDED');
  const sideRoundPoints = (contest.sideRoundPoints[side] as number) + roundPoints - before;
  if ((contest.sideTotals[side] as number) + sideRoundPoints > Number.MAX_SAFE_INTEGER) return rejected('CONTEST_POINTS_OVERFLOW');
  const { requestId } = order;
  const totalPoints = (members.totals[member] as number) + (isRegularRound(contest) ? roundPoints : 0);
  const score: RecordedScore = { requestId, accountId, member, side, points, scoredAtUs, roundPoints, totalPoints, sideRoundPoints };
  return accepted([{ kind: 'scored', round, scores: [score] }]);
}

/** Undefined: the round runs. */
function rejectionInRound(contest: Contest, round: number): ContestDecision | undefined {
  if (contest.phase === 'CREATED') return rejected('CONTEST_NOT_STARTED');
  if (isOver(contest)) return rejected('CONTEST_FINISHED');
  return contest.phase === 'RUNNING' && contest.round === round ? undefined : rejected('CONTEST_ROUND_CLOSED');
}

function endRound({ round, sideRoundPoints, roundScoreCount }: Contest, atUs: number): ContestDecision {
  const ended: ContestEvent = { kind: 'roundEnded', round, sidePoints: [...sideRoundPoints], scoreCount: roundScoreCount };
  return accepted([ended], { kind: 'set', command: 'beginReconciliation', round, dueAtUs: atUs });
}

function decideReconcile(
  contest: Contest,
  rules: ContestRules,
  { round, log, read, notCompared }: Extract<ContestCommand, { kind: 'reconcile' }>,
  atUs: number,
): ContestDecision {
  if (!isReconciling(contest, round)) return { accepted: false, rejection: 'CONTEST_ROUND_CLOSED', recorded: false };
  const { sideRoundPoints, roundScoreCount } = contest;
  const isSame = log.scoreCount === roundScoreCount && sideRoundPoints.every((points, side) => points === log.sidePoints[side]);
  if (!isSame) return rejected('CONTEST_SUMS_DIFFER');
  const logTotals = totalsWithRound(contest);
  const reconciled: ContestEvent = { kind: 'roundReconciled', round, log, logTotals, read, notCompared };
  const after = afterRound(contest, rules);
  switch (after.kind) {
    case 'round':
      return startRound([reconciled], rules, round + 1, after.suddenDeathSides, atUs);
    case 'winners':
      return accepted([reconciled, { kind: 'winnersNamed', round, winners: after.winners, totals: logTotals }], { kind: 'cancel' });
    default:
      return after satisfies never;
  }
}

function isOver({ phase }: Contest): boolean {
  return phase === 'ENDED' || phase === 'CANCELLED';
}

function accepted(events: readonly ContestEvent[], timer?: ContestTimer): ContestDecision {
  return { accepted: true, events, ...(timer === undefined ? undefined : { timer }) };
}

function rejected(rejection: ContestRejection): ContestDecision {
  return { accepted: false, rejection, recorded: !NOT_RECORDED.has(rejection) };
}
