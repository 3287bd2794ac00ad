/** A contest: sides of members, rounds in which they score, winners. What stands, and what happens to it. */
import { ContestMembers } from './contest-members';
import { nextPhase, type ContestPhase, type ContestStep } from './contest-phase';
import { rewardsOf } from './contest-reward';
import type { ContestRules, NewSide } from './contest-rules';

export interface Contest {
  readonly contestId: string;
  phase: ContestPhase;
  /** Undefined: the contest was never created. */
  rules: ContestRules | undefined;
  sideIds: string[];
  /** By side. */
  sideMemberCounts: number[];
  /** Empty when the contest is over. */
  members: ContestMembers;
  /** The round that runs or was ended last: 1, 2, 3 …; 0: none was started. */
  round: number;
  /** 0: a request ends it. */
  roundEndsAtUs: number;
  /** Sides between which the round decides; empty: it is a regular one. */
  suddenDeathSides: readonly number[];
  roundScoreCount: number;
  /** By side. */
  sideRoundPoints: number[];
  /** By side: points in the regular rounds that were reconciled. */
  sideTotals: number[];
  /** By side: regular rounds that it won. */
  roundsWon: number[];
  /** Sides that won. */
  winners: readonly number[];
  /** Undefined: nothing was asked of a fund. */
  fund: ContestFund | undefined;
  /** By number of the member, while the contest is REWARDING: what it gets. */
  rewards: BigInt64Array;
  /** Submitted scores that are neither recorded nor refused. */
  unfinishedTasks: number;
}

/**
 * How the money of a contest stands.
 *
 *   ASKED ──▶ HELD ──▶ SETTLING ──▶ SETTLED
 *     └──▶ REFUSED, and ASKED again by another start
 *
 * SETTLING: every reward has its verdict, or the contest is cancelled, and the fund is being told what it has again.
 */
export type FundState = 'ASKED' | 'REFUSED' | 'HELD' | 'SETTLING' | 'SETTLED';

export interface ContestFund {
  state: FundState;
  /** The largest payout: asked of the fund, then held. */
  readonly amountMinor: bigint;
  /** How often it was asked: 1, 2, 3 … */
  readonly attempt: number;
  /** The next reward is looked for from this member on. */
  nextMember: number;
  /** Rewards that are owed and have no verdict. */
  openRewards: number;
  /** What winners got. */
  paidMinor: bigint;
}

/** What a gift is beside its score. */
export interface Gift {
  readonly giverAccountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
}

/** A score as it was submitted: a change task is to record it. */
export interface SubmittedScore {
  readonly requestId: string;
  readonly accountId: string;
  /** 1 to MAXIMUM_POINTS. */
  readonly points: number;
  /** 0: not said. */
  readonly scoredAtUs: number;
}

/** A score that was recorded, with what stands after it. */
export interface RecordedScore {
  readonly requestId: string;
  readonly accountId: string;
  readonly member: number;
  readonly side: number;
  readonly points: number;
  /** 0: not said. */
  readonly scoredAtUs: number;
  readonly roundPoints: number;
  readonly totalPoints: number;
  readonly sideRoundPoints: number;
  /** Undefined: it is no gift. */
  readonly gift?: Gift | undefined;
  /** True: it was submitted, and its change task ends with it. */
  readonly submitted?: boolean | undefined;
}

/** A reward of a member. */
export interface Reward {
  readonly member: number;
  readonly accountId: string;
  readonly amountMinor: bigint;
}

export interface OwedReward extends Reward {
  readonly side: number;
}

export interface SettledReward extends Reward {
  /** Why its account refused it; empty: it is paid. */
  readonly reason: string;
}

/** The sums of a round, made from the log. */
export interface RoundSum {
  /** By side. */
  readonly sidePoints: readonly number[];
  readonly scoreCount: number;
  /** Sequence of the newest commit of the contest that was read. */
  readonly sequence: number;
}

/** What the read store had of the sides when a round was reconciled. */
export interface ReadTotals {
  /** By side: points in the round. */
  readonly sidePoints: readonly number[];
  /** By side: points in all regular rounds. */
  readonly sideTotals: readonly number[];
  /** Up to where it had the partition. */
  readonly sequence: number;
}

/** Undefined: the read store was not asked; `notCompared` says why, for people. */
export interface ReadComparison {
  readonly read: ReadTotals | undefined;
  readonly notCompared: string;
}

export type ContestEvent =
  | { readonly kind: 'created'; readonly rules: ContestRules; readonly sides: readonly NewSide[]; readonly title: string }
  | { readonly kind: 'joined'; readonly side: number; readonly firstMember: number; readonly accountIds: readonly string[] }
  | { readonly kind: 'roundStarted'; readonly round: number; readonly endsAtUs: number; readonly suddenDeathSides: readonly number[] }
  | { readonly kind: 'scored'; readonly round: number; readonly scores: readonly RecordedScore[] }
  | { readonly kind: 'scoreSubmitted'; readonly score: SubmittedScore }
  | { readonly kind: 'scoreRefused'; readonly requestId: string; readonly accountId: string; readonly reason: string }
  | { readonly kind: 'roundEnded'; readonly round: number; readonly sidePoints: readonly number[]; readonly scoreCount: number }
  | ({ readonly kind: 'roundReconciled'; readonly round: number; readonly log: RoundSum; readonly logTotals: readonly number[] } & ReadComparison)
  | { readonly kind: 'winnersNamed'; readonly round: number; readonly winners: readonly number[]; readonly totals: readonly number[] }
  | { readonly kind: 'cancelled'; readonly note: string }
  | { readonly kind: 'fundAsked'; readonly fundAccountId: string; readonly unit: string; readonly amountMinor: bigint; readonly attempt: number }
  | { readonly kind: 'fundHeld'; readonly amountMinor: bigint }
  | { readonly kind: 'fundRefused'; readonly reason: string }
  | { readonly kind: 'rewardsOwed'; readonly round: number; readonly rewards: readonly OwedReward[]; readonly nextMember: number }
  | { readonly kind: 'rewardsSettled'; readonly rewards: readonly SettledReward[] }
  | { readonly kind: 'fundSettled'; readonly heldMinor: bigint; readonly paidMinor: bigint; readonly returnedMinor: bigint };

const NO_REWARDS = new BigInt64Array(0);

export function newContest(contestId: string): Contest {
  return {
    contestId,
    phase: 'NONE',
    rules: undefined,
    sideIds: [],
    sideMemberCounts: [],
    members: new ContestMembers(),
    round: 0,
    roundEndsAtUs: 0,
    suddenDeathSides: [],
    roundScoreCount: 0,
    sideRoundPoints: [],
    sideTotals: [],
    roundsWon: [],
    winners: [],
    fund: undefined,
    rewards: NO_REWARDS,
    unfinishedTasks: 0,
  };
}

export function isRegularRound({ suddenDeathSides }: Contest): boolean {
  return suddenDeathSides.length === 0;
}

/** The one side with the most points in the round; -1: several have them. */
export function winnerOfRound(sidePoints: readonly number[]): number {
  const most = Math.max(...sidePoints);
  const first = sidePoints.indexOf(most);
  return sidePoints.indexOf(most, first + 1) === -1 ? first : -1;
}

/** Changes the contest in place. Throws for an event that cannot follow. */
export function evolveContest(contest: Contest, event: ContestEvent): Contest {
  switch (event.kind) {
    case 'created':
      return created(contest, event);
    case 'joined':
      step(contest, 'JOIN');
      for (const accountId of event.accountIds) addMember(contest, accountId, event.side);
      return contest;
    case 'roundStarted':
      return roundStarted(contest, event);
    case 'scored':
      step(contest, 'SCORE');
      for (const score of event.scores) scored(contest, score);
      return contest;
    case 'scoreSubmitted':
      contest.unfinishedTasks += 1;
      return contest;
    case 'scoreRefused':
      return taskEnded(contest);
    case 'roundEnded':
      step(contest, 'END_ROUND');
      return contest;
    case 'roundReconciled':
      return roundReconciled(contest);
    case 'winnersNamed':
      return winnersNamed(contest, event.winners);
    case 'cancelled':
      step(contest, 'CANCEL');
      if (contest.fund?.state === 'HELD') contest.fund.state = 'SETTLING';
      return withoutMembers(contest);
    case 'fundAsked':
      step(contest, 'ASK_FUND');
      contest.fund = { state: 'ASKED', amountMinor: event.amountMinor, attempt: event.attempt, nextMember: 0, openRewards: 0, paidMinor: 0n };
      return contest;
    case 'fundHeld':
      // The round starts in the same commit. A contest that was cancelled meanwhile gives it back.
      fundOf(contest, 'ASKED').state = contest.phase === 'CANCELLED' ? 'SETTLING' : 'HELD';
      return contest;
    case 'fundRefused':
      fundOf(contest, 'ASKED').state = 'REFUSED';
      if (contest.phase !== 'CANCELLED') step(contest, 'FUND_REFUSED');
      return contest;
    case 'rewardsOwed':
      return rewardsOwed(contest, event);
    case 'rewardsSettled':
      return rewardsSettled(contest, event.rewards);
    case 'fundSettled':
      return fundSettled(contest);
    default:
      return event satisfies never;
  }
}

function step(contest: Contest, name: ContestStep): void {
  const next = nextPhase(contest.phase, name);
  if (next === undefined) throw new Error(`${name} cannot happen to a contest that is ${contest.phase}`);
  contest.phase = next;
}

/** It is over: it decides nothing by them any more. */
function withoutMembers(contest: Contest): Contest {
  contest.members = new ContestMembers();
  contest.sideMemberCounts.fill(0);
  return contest;
}

function created(contest: Contest, { rules, sides }: Extract<ContestEvent, { kind: 'created' }>): Contest {
  step(contest, 'CREATE');
  const zeros = (): number[] => sides.map(() => 0);
  Object.assign(contest, { rules, sideIds: sides.map(({ sideId }) => sideId) });
  Object.assign(contest, { sideMemberCounts: zeros(), sideRoundPoints: zeros(), sideTotals: zeros(), roundsWon: zeros() });
  for (const [side, { accountIds }] of sides.entries()) for (const accountId of accountIds) addMember(contest, accountId, side);
  return contest;
}

function addMember({ members, sideMemberCounts }: Contest, accountId: string, side: number): void {
  members.add({ accountId, side, total: 0, roundPoints: 0, scoredAtUs: 0 });
  sideMemberCounts[side] = (sideMemberCounts[side] as number) + 1;
}

function roundStarted(contest: Contest, { round, endsAtUs, suddenDeathSides }: Extract<ContestEvent, { kind: 'roundStarted' }>): Contest {
  step(contest, contest.phase === 'RECONCILING' ? 'ROUND_RECONCILED' : 'START');
  Object.assign(contest, { round, roundEndsAtUs: endsAtUs, suddenDeathSides, roundScoreCount: 0 });
  contest.members.beginRound();
  contest.sideRoundPoints.fill(0);
  return contest;
}

function scored(contest: Contest, { member, side, scoredAtUs, roundPoints, sideRoundPoints, submitted }: RecordedScore): void {
  if (submitted === true) taskEnded(contest);
  countScore(contest, member, side, scoredAtUs, roundPoints, sideRoundPoints);
}

/** A score was recorded in the round that runs. The points are those after it. */
export function countScore(contest: Contest, member: number, side: number, scoredAtUs: number, roundPoints: number, sideRoundPoints: number): void {
  const { members } = contest;
  members.roundPoints[member] = roundPoints;
  members.scoredAtUs[member] = Math.max(members.scoredAtUs[member] as number, scoredAtUs);
  contest.sideRoundPoints[side] = sideRoundPoints;
  contest.roundScoreCount += 1;
}

/** Also of a contest that is over. */
function taskEnded(contest: Contest): Contest {
  contest.unfinishedTasks -= 1;
  if (contest.unfinishedTasks < 0) throw new Error(`contest ${contest.contestId}: more change tasks have ended than were taken`);
  return contest;
}

/** The points of the round count; the phase changes with what follows in the same commit. */
function roundReconciled(contest: Contest): Contest {
  if (contest.phase !== 'RECONCILING') throw new Error(`a round of a contest that is ${contest.phase} cannot be reconciled`);
  if (!isRegularRound(contest)) return contest;
  contest.members.addRoundToTotals();
  const { sideTotals, sideRoundPoints, roundsWon } = contest;
  for (const [side, points] of sideRoundPoints.entries()) sideTotals[side] = (sideTotals[side] as number) + points;
  const winner = winnerOfRound(sideRoundPoints);
  if (winner !== -1) roundsWon[winner] = (roundsWon[winner] as number) + 1;
  return contest;
}

/** Throws if the money stands otherwise: the log contradicts itself. */
export function fundOf({ contestId, fund }: Contest, state: FundState): ContestFund {
  if (fund?.state !== state) throw new Error(`contest ${contestId}: its fund should be ${state}, and is ${fund?.state ?? 'not asked'}`);
  return fund;
}

function winnersNamed(contest: Contest, winners: readonly number[]): Contest {
  const { rules, fund, members } = contest;
  contest.winners = winners;
  if (fund === undefined || rules?.reward === undefined) {
    step(contest, 'WINNERS_NAMED');
    return withoutMembers(contest);
  }
  step(contest, 'BEGIN_REWARDS');
  contest.rewards = rewardsOf(rules.reward, rules.tieRule, winners, members);
  return contest;
}

/** The first member from this one on that gets something; as many as there are members: none. */
export function nextRewarded(rewards: BigInt64Array, from: number): number {
  let member = from;
  while (member < rewards.length && rewards[member] === 0n) member += 1;
  return member;
}

/** Whether every reward is owed and has its verdict. */
function isRewarded({ fund, rewards }: Contest): boolean {
  return fund !== undefined && fund.openRewards === 0 && fund.nextMember === rewards.length;
}

function rewardsOwed(contest: Contest, { rewards, nextMember }: Extract<ContestEvent, { kind: 'rewardsOwed' }>): Contest {
  const fund = fundOf(contest, 'HELD');
  fund.openRewards += rewards.length;
  fund.nextMember = nextMember;
  if (isRewarded(contest)) fund.state = 'SETTLING';
  return contest;
}

function rewardsSettled(contest: Contest, rewards: readonly SettledReward[]): Contest {
  const fund = fundOf(contest, 'HELD');
  for (const { amountMinor, reason } of rewards) if (reason === '') fund.paidMinor += amountMinor;
  fund.openRewards -= rewards.length;
  if (fund.openRewards < 0) throw new Error(`contest ${contest.contestId}: more rewards are settled than are owed`);
  if (isRewarded(contest)) fund.state = 'SETTLING';
  return contest;
}

function fundSettled(contest: Contest): Contest {
  fundOf(contest, 'SETTLING').state = 'SETTLED';
  if (contest.phase !== 'CANCELLED') step(contest, 'REWARDS_SETTLED');
  contest.rewards = NO_REWARDS;
  return withoutMembers(contest);
}
