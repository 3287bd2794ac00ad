/** Rules of a contest and its phases, between messages and the domain. */
import type { ContestPhase, ContestReward, ContestRules, FundState, RewardKind, ScoreOperator, TieRule, WinnerRule } from '@sluice/domain/contest';
import { MAXIMUM_MEMBERS, MAXIMUM_POINTS, problemOfRules } from '@sluice/domain/contest';
import { MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { contestpb } from '@sluice/protocol/contest';
import { checkText, invalidRequest } from '@sluice/service';

const OPERATORS: Readonly<Record<ScoreOperator, contestpb.ScoreOperator>> = {
  INCREMENT: contestpb.ScoreOperator.SCORE_OPERATOR_INCREMENT,
  BEST: contestpb.ScoreOperator.SCORE_OPERATOR_BEST,
  LATEST: contestpb.ScoreOperator.SCORE_OPERATOR_LATEST,
};
const WINNER_RULES: Readonly<Record<WinnerRule, contestpb.WinnerRule>> = {
  CUMULATIVE: contestpb.WinnerRule.WINNER_RULE_CUMULATIVE,
  ROUND: contestpb.WinnerRule.WINNER_RULE_ROUND,
};
const TIE_RULES: Readonly<Record<TieRule, contestpb.TieRule>> = {
  NONE: contestpb.TieRule.TIE_RULE_NONE,
  SPLIT: contestpb.TieRule.TIE_RULE_SPLIT,
  SHARED: contestpb.TieRule.TIE_RULE_SHARED,
  SUDDEN_DEATH: contestpb.TieRule.TIE_RULE_SUDDEN_DEATH,
};
const REWARD_KINDS: Readonly<Record<RewardKind, contestpb.RewardKind>> = {
  FIXED: contestpb.RewardKind.REWARD_KIND_FIXED,
  POT: contestpb.RewardKind.REWARD_KIND_POT,
  CONTRIBUTION: contestpb.RewardKind.REWARD_KIND_CONTRIBUTION,
};
const FUND_STATES: Readonly<Record<FundState, contestpb.FundState>> = {
  ASKED: contestpb.FundState.FUND_STATE_ASKED,
  REFUSED: contestpb.FundState.FUND_STATE_REFUSED,
  HELD: contestpb.FundState.FUND_STATE_HELD,
  SETTLING: contestpb.FundState.FUND_STATE_SETTLING,
  SETTLED: contestpb.FundState.FUND_STATE_SETTLED,
};
const PHASES: Readonly<Record<ContestPhase, contestpb.ContestPhase>> = {
  NONE: contestpb.ContestPhase.CONTEST_PHASE_UNSPECIFIED,
  CREATED: contestpb.ContestPhase.CONTEST_PHASE_CREATED,
  RUNNING: contestpb.ContestPhase.CONTEST_PHASE_RUNNING,
  RECONCILING: contestpb.ContestPhase.CONTEST_PHASE_RECONCILING,
  ENDED: contestpb.ContestPhase.CONTEST_PHASE_ENDED,
  CANCELLED: contestpb.ContestPhase.CONTEST_PHASE_CANCELLED,
  STARTING: contestpb.ContestPhase.CONTEST_PHASE_STARTING,
  REWARDING: contestpb.ContestPhase.CONTEST_PHASE_REWARDING,
};
const MAXIMUM_UNIT_BYTES = 16;

export const phaseToProto = (phase: ContestPhase): contestpb.ContestPhase => PHASES[phase];

export function phaseFromProto(phase: contestpb.ContestPhase): ContestPhase {
  return named('phase', PHASES, phase);
}

export const fundStateToProto = (state: FundState): contestpb.FundState => FUND_STATES[state];

export function fundStateFromProto(state: contestpb.FundState): FundState {
  return named('state of the fund', FUND_STATES, state);
}

/** The rules that a request asks for, with the defaults of what it leaves open. Throws INVALID_REQUEST. */
export function rulesOfRequest(asked: contestpb.ContestRules | undefined): ContestRules {
  const rules = asked ?? contestpb.ContestRules.fromPartial({});
  const made: ContestRules = {
    rounds: rules.rounds || 1,
    roundDurationMs: Number(rules.roundDurationMs),
    joinUntilUs: Number(rules.joinUntilUs),
    minimumMembersPerSide: rules.minimumMembersPerSide || 1,
    maximumMembersPerSide: rules.maximumMembersPerSide || MAXIMUM_MEMBERS,
    maximumPointsPerScore: Number(rules.maximumPointsPerScore) || MAXIMUM_POINTS,
    maximumPointsPerMemberAndRound: Number(rules.maximumPointsPerMemberAndRound),
    operator: nameAsked(rules.operator, 'operator', OPERATORS, 'INCREMENT'),
    winnerRule: nameAsked(rules.winnerRule, 'winner_rule', WINNER_RULES, 'CUMULATIVE'),
    tieRule: nameAsked(rules.tieRule, 'tie_rule', TIE_RULES, 'NONE'),
    reconcileWaitMs: Number(rules.reconcileWaitMs),
    ...rewardOfRequest(rules.reward),
  };
  const problem = problemOfRules(made);
  if (problem !== undefined) throw invalidRequest(problem.field, problem.problem);
  return made;
}

function rewardOfRequest(reward: contestpb.ContestReward | undefined): { readonly reward?: ContestReward } {
  if (reward === undefined) return {};
  const { fundAccountId, unit, amountMinor } = reward;
  checkText(fundAccountId, 'rules.reward.fund_account_id', 1, MAXIMUM_ID_BYTES);
  checkText(unit, 'rules.reward.unit', 1, MAXIMUM_UNIT_BYTES);
  return { reward: { fundAccountId, unit, amountMinor, kind: nameAsked(reward.kind, 'reward.kind', REWARD_KINDS, 'FIXED') } };
}

export function rulesToProto(rules: ContestRules): contestpb.ContestRules {
  return {
    rounds: rules.rounds,
    roundDurationMs: BigInt(rules.roundDurationMs),
    joinUntilUs: BigInt(rules.joinUntilUs),
    minimumMembersPerSide: rules.minimumMembersPerSide,
    maximumMembersPerSide: rules.maximumMembersPerSide,
    maximumPointsPerScore: BigInt(rules.maximumPointsPerScore),
    maximumPointsPerMemberAndRound: BigInt(rules.maximumPointsPerMemberAndRound),
    operator: OPERATORS[rules.operator],
    winnerRule: WINNER_RULES[rules.winnerRule],
    tieRule: TIE_RULES[rules.tieRule],
    reconcileWaitMs: BigInt(rules.reconcileWaitMs),
    reward: rules.reward && { ...rules.reward, kind: REWARD_KINDS[rules.reward.kind] },
  };
}

/** Rules that were recorded. Throws for a name that this version does not know. */
export function rulesFromProto(rules: contestpb.ContestRules): ContestRules {
  return {
    rounds: rules.rounds,
    roundDurationMs: Number(rules.roundDurationMs),
    joinUntilUs: Number(rules.joinUntilUs),
    minimumMembersPerSide: rules.minimumMembersPerSide,
    maximumMembersPerSide: rules.maximumMembersPerSide,
    maximumPointsPerScore: Number(rules.maximumPointsPerScore),
    maximumPointsPerMemberAndRound: Number(rules.maximumPointsPerMemberAndRound),
    operator: named('operator', OPERATORS, rules.operator),
    winnerRule: named('winner rule', WINNER_RULES, rules.winnerRule),
    tieRule: named('tie rule', TIE_RULES, rules.tieRule),
    reconcileWaitMs: Number(rules.reconcileWaitMs),
    ...(rules.reward === undefined ? undefined : { reward: { ...rules.reward, kind: named('kind of reward', REWARD_KINDS, rules.reward.kind) } }),
  };
}

function nameOf<Name extends string, Value>(names: Readonly<Record<Name, Value>>, value: Value): Name | undefined {
  return (Object.keys(names) as Name[]).find((name) => names[name] === value);
}

function named<Name extends string, Value>(what: string, names: Readonly<Record<Name, Value>>, value: Value): Name {
  const name = nameOf(names, value);
  if (name === undefined) throw new Error(`the ${what} ${String(value)} of a contest is not known to this version of Sluice`);
  return name;
}

function nameAsked<Name extends string, Value extends number>(value: Value, field: string, names: Readonly<Record<Name, Value>>, byDefault: Name): Name {
  if (value === 0) return byDefault;
  const name = nameOf(names, value);
  if (name === undefined) throw invalidRequest(`rules.${field}`, `is ${value}, which is not known`);
  return name;
}
