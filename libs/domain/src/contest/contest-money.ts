/**
 * The money of a contest: the largest payout is taken from the fund at the start, each winner is paid out of it, and what is left goes back.
 *
 *   start ──▶ takeFunds ──given──▶ the first round … winners ──▶ payFunds, a thousand at a time ──every verdict──▶ settleFunds ──▶ the end
 *                └──refused──▶ not started                cancelled ──────────────────────────────────────────▶ settleFunds
 *
 * Each is a delivery: applied once, and its verdict comes back here.
 */
import { fundOf, nextRewarded, type Contest, type ContestEvent, type ContestFund, type OwedReward } from './contest';
import { accepted, type ContestAcceptance, type MoneyOrder } from './contest-decision';
import { largestPayout, type ContestReward } from './contest-reward';
import { MAXIMUM_MEMBERS, type ContestRules } from './contest-rules';
import { startRound } from './round-start';

/** Rewards that are owed by one commit. */
export const REWARDS_PER_STEP = 1_000;

/** A verdict on what was asked of an account. */
export type SettledMoney =
  /** Empty: the fund gave it. */
  | { readonly kind: 'takeFunds'; readonly reason: string }
  /** Empty: it is paid. */
  | { readonly kind: 'payFunds'; readonly accountId: string; readonly amountMinor: bigint; readonly reason: string }
  | { readonly kind: 'settleFunds'; readonly returnedMinor: bigint };

export function askFund(contest: Contest, rules: ContestRules, reward: ContestReward, atUs: number): ContestAcceptance {
  const amountMinor = largestPayout(reward, rules.tieRule, ...capacities(contest, rules, atUs));
  const attempt = (contest.fund?.attempt ?? 0) + 1;
  const { fundAccountId, unit } = reward;
  return { ...accepted([{ kind: 'fundAsked', fundAccountId, unit, amountMinor, attempt }]), money: [{ kind: 'takeFunds', amountMinor, attempt }] };
}

/** Members that each side may have at the end, and that all of them may have together. */
function capacities({ sideMemberCounts, members }: Contest, { joinUntilUs, maximumMembersPerSide }: ContestRules, atUs: number): [number[], number] {
  if (atUs >= joinUntilUs) return [sideMemberCounts, members.count];
  const room = MAXIMUM_MEMBERS - members.count;
  return [sideMemberCounts.map((count) => Math.min(count + room, maximumMembersPerSide)), MAXIMUM_MEMBERS];
}

export function settleFund({ amountMinor }: ContestFund, returnedMinor: bigint): MoneyOrder {
  return { kind: 'settleFunds', amountMinor, returnedMinor };
}

/** Owes the next rewards, and sets the timer of those behind them. Where nothing is to be paid the fund gets everything back. */
export function payRewards(contest: Contest, atUs: number): ContestAcceptance {
  const { phase, fund, rewards, round } = contest;
  if (phase !== 'REWARDING' || fund?.state !== 'HELD' || fund.nextMember === rewards.length) return accepted([]);
  const owed: OwedReward[] = [];
  let member = nextRewarded(rewards, fund.nextMember);
  for (; member < rewards.length && owed.length < REWARDS_PER_STEP; member = nextRewarded(rewards, member + 1)) owed.push(owedReward(contest, member));
  const event: ContestEvent = { kind: 'rewardsOwed', round, rewards: owed, nextMember: member };
  const money = owed.map(({ accountId, amountMinor }): MoneyOrder => ({ kind: 'payFunds', accountId, amountMinor }));
  if (member < rewards.length) return { ...accepted([event], { kind: 'set', command: 'payRewards', round, dueAtUs: atUs }), money };
  const isNothing = owed.length === 0 && fund.openRewards === 0;
  return { ...accepted([event]), money: isNothing ? [settleFund(fund, fund.amountMinor - fund.paidMinor)] : money };
}

function owedReward({ members, rewards }: Contest, member: number): OwedReward {
  return { member, accountId: members.accountIds[member] as string, side: members.sides[member] as number, amountMinor: rewards[member] as bigint };
}

/** What follows from the verdict of an account. */
export function decideSettled(contest: Contest, settled: SettledMoney, atUs: number): ContestAcceptance {
  switch (settled.kind) {
    case 'takeFunds':
      return settled.reason === '' ? fundGave(contest, atUs) : accepted([{ kind: 'fundRefused', reason: settled.reason }]);
    case 'payFunds':
      return rewardSettled(contest, settled);
    case 'settleFunds': {
      const { amountMinor: heldMinor } = fundOf(contest, 'SETTLING');
      const { returnedMinor } = settled;
      return accepted([{ kind: 'fundSettled', heldMinor, paidMinor: heldMinor - returnedMinor, returnedMinor }]);
    }
    default:
      return settled satisfies never;
  }
}

function fundGave(contest: Contest, atUs: number): ContestAcceptance {
  const fund = fundOf(contest, 'ASKED');
  const held: ContestEvent = { kind: 'fundHeld', amountMinor: fund.amountMinor };
  if (contest.phase === 'CANCELLED') return { ...accepted([held]), money: [settleFund(fund, fund.amountMinor)] };
  if (contest.rules === undefined) throw new Error(`contest ${contest.contestId} has a fund and no rules`);
  return startRound([held], contest.rules, 1, [], atUs);
}

function rewardSettled(contest: Contest, { accountId, amountMinor, reason }: Extract<SettledMoney, { kind: 'payFunds' }>): ContestAcceptance {
  const fund = fundOf(contest, 'HELD');
  const member = contest.members.numberOf(accountId);
  if (member === -1) throw new Error(`contest ${contest.contestId}: the reward of ${accountId}, who is no member, has a verdict`);
  const settled = accepted([{ kind: 'rewardsSettled', rewards: [{ member, accountId, amountMinor, reason }] }]);
  const isLast = fund.openRewards === 1 && fund.nextMember === contest.rewards.length;
  const paidMinor = fund.paidMinor + (reason === '' ? amountMinor : 0n);
  return isLast ? { ...settled, money: [settleFund(fund, fund.amountMinor - paidMinor)] } : settled;
}
