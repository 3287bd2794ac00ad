/** What a contest decides. */
import type { Contest, ContestEvent, Gift, ReadComparison, RecordedScore, RoundSum, SubmittedScore } from './contest';
import { accepted, rejected, type ContestDecision, type ContestRejection, type ScoreTask } from './contest-decision';
import { askFund, payRewards, settleFund } from './contest-money';
import { MAXIMUM_MEMBERS, type ContestRules, type NewSide } from './contest-rules';
import { JudgedScore, judgeScore } from './judge-score';
import { isOver, rejectionInRound, rejectionOutsideRounds } from './round-rejections';
import { startRound } from './round-start';
import { afterExecution, takeTask } from './score-task';
import { afterRound, totalsWithRound } from './winners';

/** How long the comparison with the log may take before it is begun again. */
const RECONCILE_AGAIN_US = 5_000_000;

export interface ScoreOrder extends SubmittedScore {
  /** Undefined: it is no gift. */
  readonly gift?: Gift | undefined;
}

export type ContestCommand =
  | { readonly kind: 'create'; readonly rules: ContestRules; readonly sides: readonly NewSide[]; readonly title: string }
  /** The accounts are there once each. */
  | { readonly kind: 'join'; readonly sideId: string; readonly accountIds: readonly string[] }
  | { readonly kind: 'start' }
  | ({ readonly kind: 'score' } & ScoreOrder)
  | ({ readonly kind: 'submitScore' } & SubmittedScore)
  /** The time of a change task has come. */
  | ({ readonly kind: 'executeScore' } & ScoreTask)
  | { readonly kind: 'endRound'; readonly round: number }
  | { readonly kind: 'cancel'; readonly note: string }
  /** The time of the round is over. */
  | { readonly kind: 'endRoundInTime'; readonly round: number }
  /** The round is to be summed from the log now. */
  | { readonly kind: 'beginReconciliation'; readonly round: number }
  /** It was. */
  | ({ readonly kind: 'reconcile'; readonly round: number; readonly log: RoundSum } & ReadComparison)
  /** The next rewards are to be owed. */
  | { readonly kind: 'payRewards' }
  /** A transfer to the contest that is no gift. */
  | { readonly kind: 'invalidGift' };

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
      return decideScore(contest, command, atUs);
    case 'submitScore':
      return rejectedFor(rejectionOutsideRounds(contest)) ?? takeTask(contest, rules, command, atUs);
    case 'executeScore':
      return afterExecution(command, decideScore(contest, command, atUs), atUs);
    case 'endRound':
      return rejectedFor(rejectionInRound(contest, command.round)) ?? endRound(contest, atUs);
    case 'cancel':
      return decideCancel(contest, command.note);
    case 'endRoundInTime': {
      const isDue = contest.phase === 'RUNNING' && contest.round === command.round && atUs >= contest.roundEndsAtUs;
      return isDue ? endRound(contest, atUs) : accepted([]);
    }
    case 'beginReconciliation':
      if (!isReconciling(contest, command.round)) return accepted([]);
      return accepted([], { kind: 'set', command: 'beginReconciliation', round: command.round, dueAtUs: atUs + RECONCILE_AGAIN_US });
    case 'reconcile':
      return decideReconcile(contest, rules, command, atUs);
    case 'payRewards':
      return payRewards(contest, atUs);
    case 'invalidGift':
      return rejected('CONTEST_GIFT_INVALID');
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
  return rules.reward === undefined ? startRound([], rules, 1, [], atUs) : askFund(contest, rules, rules.reward, atUs);
}

function decideCancel(contest: Contest, note: string): ContestDecision {
  if (isOver(contest)) return rejected('CONTEST_FINISHED');
  const cancelled = accepted([{ kind: 'cancelled', note }], { kind: 'cancel' });
  return contest.fund?.state === 'HELD' ? { ...cancelled, money: [settleFund(contest.fund, contest.fund.amountMinor)] } : cancelled;
}

function decideScore(contest: Contest, { requestId, accountId, points, scoredAtUs, gift }: ScoreOrder, atUs: number): ContestDecision {
  const judged = new JudgedScore();
  const rejection = judgeScore(contest, accountId, points, scoredAtUs, atUs, judged);
  if (rejection !== undefined) return rejected(rejection);
  const { member, side, roundPoints, totalPoints, sideRoundPoints } = judged;
  const recorded: RecordedScore = { requestId, accountId, member, side, points, scoredAtUs, roundPoints, totalPoints, sideRoundPoints };
  const score = gift === undefined ? recorded : { ...recorded, gift };
  return accepted([{ kind: 'scored', round: contest.round, scores: [score] }]);
}

function rejectedFor(rejection: ContestRejection | undefined): ContestDecision | undefined {
  return rejection === undefined ? undefined : rejected(rejection);
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
      return nameWinners(contest, reconciled, after.winners, logTotals, atUs);
    default:
      return after satisfies never;
  }
}

/** Whoever has won, the round that is being reconciled still stands in the points of the round. */
function nameWinners(contest: Contest, reconciled: ContestEvent, winners: readonly number[], totals: readonly number[], atUs: number): ContestDecision {
  const { round, fund } = contest;
  const named = accepted([reconciled, { kind: 'winnersNamed', round, winners, totals }], { kind: 'cancel' });
  if (fund?.state !== 'HELD') return named;
  return { ...named, timer: { kind: 'set', command: 'payRewards', round, dueAtUs: atUs } };
}
