/** How contests stand, from the messages that travel. */
import { contestpb } from '@sluice/protocol/contest';
import type { RewardKind, ScoreOperator, TieRule, WinnerRule } from './contest';
import type {
  Contest,
  ContestMoney,
  ContestMoneyState,
  ContestPhase,
  ContestScore,
  SubmittedScore,
  SubmittedScoreState,
  MemberReward,
  MemberStanding,
  ReconciliationOutcome,
  RewardState,
  RoundReconciliation,
  RulesInForce,
  SideReconciliation,
  SideStanding,
} from './contest-state';
import { suffix } from '../enum-wire';
import { timeFromWire } from '../time-wire';
import { timeOfUs } from './contest-wire';

export function phaseToWire(phase: ContestPhase | undefined): contestpb.ContestPhase {
  return contestpb.ContestPhase[`CONTEST_PHASE_${phase ?? 'UNSPECIFIED'}`];
}

export function contestFromWire(contest: contestpb.Contest | undefined): Contest {
  if (contest === undefined) throw new Error('the answer has no contest');
  return {
    contestId: contest.contestId,
    title: contest.title,
    phase: suffix(contestpb.ContestPhase[contest.phase], 'CONTEST_PHASE_') as ContestPhase,
    rules: rulesFromWire(contest.rules ?? contestpb.ContestRules.fromPartial({})),
    sides: contest.sides.map(sideFromWire),
    round: contest.round,
    roundEndsAt: timeFromWire(contest.roundEndsAt),
    suddenDeathSideIds: contest.suddenDeathSideIds,
    winnerSideIds: contest.winnerSideIds,
    scoreCount: Number(contest.scoreCount),
    createdAt: timeFromWire(contest.createdAt),
    startedAt: timeFromWire(contest.startedAt),
    endedAt: timeFromWire(contest.endedAt),
    note: contest.note,
    money: contest.money && moneyFromWire(contest.money),
    sequence: contest.sequence,
  };
}

function moneyFromWire({ state, heldMinor, paidMinor, returnedMinor, reason }: contestpb.ContestMoney): ContestMoney {
  const name = suffix(contestpb.ContestMoneyState[state], 'CONTEST_MONEY_STATE_') as ContestMoneyState;
  return { state: name, heldMinor, paidMinor, returnedMinor, reason };
}

export function rewardFromWire({ state, owedAt, settledAt, ...reward }: contestpb.MemberReward): MemberReward {
  const { accountId, sideId, amountMinor, reason, sequence } = reward;
  const name = suffix(contestpb.RewardState[state], 'REWARD_STATE_') as RewardState;
  return { accountId, sideId, amountMinor, state: name, reason, owedAt: timeFromWire(owedAt), settledAt: timeFromWire(settledAt), sequence };
}

function rulesFromWire(rules: contestpb.ContestRules): RulesInForce {
  return {
    rounds: rules.rounds,
    roundDurationMs: Number(rules.roundDurationMs) || undefined,
    joinUntil: timeOfUs(rules.joinUntilUs),
    minimumMembersPerSide: rules.minimumMembersPerSide,
    maximumMembersPerSide: rules.maximumMembersPerSide,
    maximumPointsPerScore: Number(rules.maximumPointsPerScore),
    maximumPointsPerMemberAndRound: Number(rules.maximumPointsPerMemberAndRound) || undefined,
    operator: suffix(contestpb.ScoreOperator[rules.operator], 'SCORE_OPERATOR_') as ScoreOperator,
    winnerRule: suffix(contestpb.WinnerRule[rules.winnerRule], 'WINNER_RULE_') as WinnerRule,
    tieRule: suffix(contestpb.TieRule[rules.tieRule], 'TIE_RULE_') as TieRule,
    reconcileWaitMs: Number(rules.reconcileWaitMs),
    reward: rules.reward && { ...rules.reward, kind: suffix(contestpb.RewardKind[rules.reward.kind], 'REWARD_KIND_') as RewardKind },
  };
}

function sideFromWire({ sideId, memberCount, points, roundPoints, roundsWon }: contestpb.SideStanding): SideStanding {
  return { sideId, memberCount, points: Number(points), roundPoints: Number(roundPoints), roundsWon };
}

export function memberFromWire({ rank, accountId, sideId, points, roundPoints }: contestpb.MemberStanding): MemberStanding {
  return { rank, accountId, sideId, points: Number(points), roundPoints: Number(roundPoints) };
}

export function scoreFromWire(score: contestpb.ContestScore): ContestScore {
  const { requestId, accountId, sideId, round, points, scoredAt, recordedAt, roundPoints, totalPoints, sequence, giverAccountId, amountMinor, unit } = score;
  return {
    requestId,
    accountId,
    sideId,
    round,
    points: Number(points),
    scoredAt: timeFromWire(scoredAt),
    recordedAt: timeFromWire(recordedAt),
    roundPoints: Number(roundPoints),
    totalPoints: Number(totalPoints),
    gift: giverAccountId === '' ? undefined : { giverAccountId, amountMinor, unit },
    sequence,
  };
}

export function submittedScoreFromWire(score: contestpb.SubmittedScore): SubmittedScore {
  const { requestId, accountId, points, scoredAt, state, reason, round, submittedAt, endedAt, sequence } = score;
  return {
    requestId,
    accountId,
    points: Number(points),
    scoredAt: timeFromWire(scoredAt),
    state: suffix(contestpb.SubmittedScoreState[state], 'SUBMITTED_SCORE_STATE_') as SubmittedScoreState,
    reason,
    round,
    submittedAt: timeFromWire(submittedAt),
    endedAt: timeFromWire(endedAt),
    sequence,
  };
}

export function reconciliationFromWire(round: contestpb.RoundReconciliation): RoundReconciliation {
  return {
    round: round.round,
    suddenDeath: round.suddenDeath,
    startedAt: timeFromWire(round.startedAt),
    endedAt: timeFromWire(round.endedAt),
    reconciledAt: timeFromWire(round.reconciledAt),
    outcome: suffix(contestpb.ReconciliationOutcome[round.outcome], 'RECONCILIATION_OUTCOME_') as ReconciliationOutcome,
    scoreCount: Number(round.scoreCount),
    sides: round.sides.map(sideReconciliationFromWire),
    logSequence: round.logSequence,
    readSequence: round.readSequence,
    notCompared: round.notCompared,
  };
}

function sideReconciliationFromWire({ sideId, logPoints, logTotal, readPoints, readTotal }: contestpb.SideReconciliation): SideReconciliation {
  const numberOf = (points: bigint | undefined): number | undefined => (points === undefined ? undefined : Number(points));
  return { sideId, logPoints: Number(logPoints), logTotal: Number(logTotal), readPoints: numberOf(readPoints), readTotal: numberOf(readTotal) };
}
