/**
 * What the winners of a contest get: the largest payout, which the fund gives at the start, and the shares of the members.
 *
 *   FIXED          a winning side gets the amount for each of its members
 *   POT            a winning side gets the amount, its members equal parts of it
 *   CONTRIBUTION   a winning side gets the amount, its members parts by their points in all regular rounds
 *
 * Where several sides win, each gets that under SHARED. Under SPLIT the amount is divided by their number first: a unit that is left over goes to the first
 * sides in the order of their creation for POT and CONTRIBUTION, and stays in the fund for FIXED.
 *
 * All amounts are whole units: what the parts of a side leave over goes to its members, one unit each, so that a side gets its amount to the unit.
 */
import type { ContestMembers } from './contest-members';
import type { TieRule } from './contest-rules';

export type RewardKind = 'FIXED' | 'POT' | 'CONTRIBUTION';

export interface ContestReward {
  /** The account that pays. */
  readonly fundAccountId: string;
  readonly unit: string;
  readonly kind: RewardKind;
  /** FIXED: of each member; else of a side. */
  readonly amountMinor: bigint;
}

/** So large that twenty thousand of them are within int64. */
export const MAXIMUM_REWARD_MINOR = 100_000_000_000_000n;

/**
 * What the winners may get at most, whoever wins.
 *
 * @param sideCapacities by side: members that it may have at the end. @param capacity members that all sides together may have.
 */
export function largestPayout({ kind, amountMinor }: ContestReward, tieRule: TieRule, sideCapacities: readonly number[], capacity: number): bigint {
  const isShared = tieRule === 'SHARED';
  if (kind !== 'FIXED') return amountMinor * BigInt(isShared ? sideCapacities.length : 1);
  const together = sideCapacities.reduce((sum, members) => sum + members, 0);
  return amountMinor * BigInt(isShared ? Math.min(together, capacity) : Math.max(...sideCapacities));
}

/** By number of the member: what it gets; 0 where its side did not win, or where nothing is left for it. */
export function rewardsOf(reward: ContestReward, tieRule: TieRule, winners: readonly number[], members: ContestMembers): BigInt64Array {
  const rewards = new BigInt64Array(members.count);
  const sides = membersBySide(winners, members);
  for (const [position, side] of winners.entries()) {
    const ofSide = sides.get(side) as number[];
    const amountMinor = amountOfSide(reward, tieRule, winners.length, position, ofSide.length);
    if (ofSide.length === 0) continue;
    const points = ofSide.map((member) => (reward.kind === 'CONTRIBUTION' ? (members.totals[member] as number) : 0));
    for (const [at, share] of sharesOf(amountMinor, points).entries()) rewards[ofSide[at] as number] = share;
  }
  return rewards;
}

function membersBySide(winners: readonly number[], members: ContestMembers): Map<number, number[]> {
  const sides = new Map<number, number[]>(winners.map((side) => [side, []]));
  for (let member = 0; member < members.count; member += 1) sides.get(members.sides[member] as number)?.push(member);
  return sides;
}

/** @param position of the side among the winners. */
function amountOfSide({ kind, amountMinor }: ContestReward, tieRule: TieRule, winnerCount: number, position: number, memberCount: number): bigint {
  const parts = BigInt(tieRule === 'SPLIT' ? winnerCount : 1);
  if (kind === 'FIXED') return (amountMinor * BigInt(memberCount)) / parts;
  return amountMinor / parts + (BigInt(position) < amountMinor % parts ? 1n : 0n);
}

/**
 * Parts of the amount by points, rounded down; what is left over goes, one unit each, to the largest fractions, of equal ones to the first. Without
 * any points the parts are equal. The parts add up to the amount.
 */
export function sharesOf(amountMinor: bigint, points: readonly number[]): bigint[] {
  const hasPoints = points.some((ofMember) => ofMember > 0);
  const weights = points.map((ofMember) => (hasPoints ? BigInt(ofMember) : 1n));
  const together = weights.reduce((sum, weight) => sum + weight, 0n);
  const shares = weights.map((weight) => (amountMinor * weight) / together);
  const left = amountMinor - shares.reduce((sum, share) => sum + share, 0n);
  const byFraction = weights.map((weight, at) => ({ at, fraction: (amountMinor * weight) % together }));
  // The sort keeps the order of equal fractions.
  byFraction.sort((one, other) => (one.fraction === other.fraction ? 0 : one.fraction > other.fraction ? -1 : 1));
  for (const { at } of byFraction.slice(0, Number(left))) shares[at] = (shares[at] as bigint) + 1n;
  return shares;
}
