/** Rules of a contest: set when it is created, and never changed. */
import { MAXIMUM_REWARD_MINOR, type ContestReward } from './contest-reward';

/** What a score does to the points that a member has in the round. */
export type ScoreOperator = 'INCREMENT' | 'BEST' | 'LATEST';
/** CUMULATIVE: most points in all regular rounds. ROUND: most regular rounds won. */
export type WinnerRule = 'CUMULATIVE' | 'ROUND';
/** What happens when several sides are first. */
export type TieRule = 'NONE' | 'SPLIT' | 'SHARED' | 'SUDDEN_DEATH';

export interface ContestRules {
  /** Regular rounds. */
  readonly rounds: number;
  /** 0: a round runs until a request ends it. */
  readonly roundDurationMs: number;
  /** Members may join before this time, microseconds; 0: never. */
  readonly joinUntilUs: number;
  /** Members that every side needs at the start. */
  readonly minimumMembersPerSide: number;
  readonly maximumMembersPerSide: number;
  readonly maximumPointsPerScore: number;
  /** 0: no limit. */
  readonly maximumPointsPerMemberAndRound: number;
  readonly operator: ScoreOperator;
  readonly winnerRule: WinnerRule;
  readonly tieRule: TieRule;
  /** How long the reconciliation of a round waits for the projection at most. */
  readonly reconcileWaitMs: number;
  /** Undefined: the winners get nothing. */
  readonly reward?: ContestReward | undefined;
}

/** A side as it is created. */
export interface NewSide {
  readonly sideId: string;
  readonly accountIds: readonly string[];
}

export const MINIMUM_SIDES = 2;
export const MAXIMUM_SIDES = 64;
export const MAXIMUM_MEMBERS = 20_000;
export const MAXIMUM_ROUNDS = 100;
/** After so many rounds of sudden death without a decision nobody wins. */
export const MAXIMUM_SUDDEN_DEATH_ROUNDS = 20;
export const MAXIMUM_ROUND_DURATION_MS = 31 * 24 * 3_600_000;
export const MAXIMUM_RECONCILE_WAIT_MS = 60_000;
export const MAXIMUM_POINTS = 1_000_000_000_000;

/** What is wrong with the rules, and where. Undefined: nothing. */
export interface RulesProblem {
  readonly field: string;
  readonly problem: string;
}

/** Checks the shape of rules: what is refused here is refused whatever state anything is in. */
export function problemOfRules(rules: ContestRules): RulesProblem | undefined {
  const { minimumMembersPerSide, maximumMembersPerSide } = rules;
  return (
    outOfRange('rounds', rules.rounds, 1, MAXIMUM_ROUNDS) ??
    outOfRange('round_duration_ms', rules.roundDurationMs, 0, MAXIMUM_ROUND_DURATION_MS) ??
    outOfRange('join_until_us', rules.joinUntilUs, 0, Number.MAX_SAFE_INTEGER) ??
    outOfRange('minimum_members_per_side', minimumMembersPerSide, 1, MAXIMUM_MEMBERS) ??
    outOfRange('maximum_members_per_side', maximumMembersPerSide, minimumMembersPerSide, MAXIMUM_MEMBERS) ??
    outOfRange('maximum_points_per_score', rules.maximumPointsPerScore, 1, MAXIMUM_POINTS) ??
    outOfRange('maximum_points_per_member_and_round', rules.maximumPointsPerMemberAndRound, 0, Number.MAX_SAFE_INTEGER) ??
    outOfRange('reconcile_wait_ms', rules.reconcileWaitMs, 0, MAXIMUM_RECONCILE_WAIT_MS) ??
    (rules.reward && outOfRange('reward.amount_minor', rules.reward.amountMinor, 1n, MAXIMUM_REWARD_MINOR))
  );
}

/** Checks the sides of a new contest: how many, ids and accounts that are there twice, more members than the rules allow. */
export function problemOfSides(sides: readonly NewSide[], { maximumMembersPerSide }: ContestRules): RulesProblem | undefined {
  if (sides.length < MINIMUM_SIDES || sides.length > MAXIMUM_SIDES) {
    return { field: 'sides', problem: `has ${sides.length} sides; it must have ${MINIMUM_SIDES} to ${MAXIMUM_SIDES}` };
  }
  const sideIds = new Set<string>();
  const accounts = new Set<string>();
  for (const [at, { sideId, accountIds }] of sides.entries()) {
    const field = `sides[${at}]`;
    if (sideIds.has(sideId)) return { field, problem: `has the id "${sideId}", which another side has` };
    sideIds.add(sideId);
    if (accountIds.length > maximumMembersPerSide) return { field, problem: `has ${accountIds.length} members; the rules allow ${maximumMembersPerSide}` };
    for (const accountId of accountIds) {
      if (accounts.has(accountId)) return { field, problem: `has the account "${accountId}", which is a member already` };
      accounts.add(accountId);
    }
  }
  if (accounts.size > MAXIMUM_MEMBERS) return { field: 'sides', problem: `has ${accounts.size} members; a contest has at most ${MAXIMUM_MEMBERS}` };
  return undefined;
}

function outOfRange<Value extends number | bigint>(field: string, value: Value, least: Value, most: Value): RulesProblem | undefined {
  return value >= least && value <= most ? undefined : { field: `rules.${field}`, problem: `is ${value}; it must be ${least} to ${most}` };
}
