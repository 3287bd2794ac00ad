/**
 * Interest on the balance of a day: exact until it is rounded once. What a day earns is accrued in millionths of a minor unit, with what is left of the division carried into the
 * next day, so that a year accrues to the millionth what the formula gives for the year. Capitalising turns what has accrued into whole minor units, rounded half-even, and
 * carries the difference on.
 */
import { daysBetween, daysOfYear, type DayCount } from './day-count';
import type { CalendarDate } from './calendar-date';

/** The rate of the part of a balance that is above the tier's beginning, up to the beginning of the next tier. */
export interface InterestTier {
  /** Minor units, 0 of the first tier; rising. */
  readonly fromMinor: bigint;
  /** Per year. */
  readonly basisPoints: number;
}

export interface InterestTerms {
  readonly dayCount: DayCount;
  /** At least one. */
  readonly tiers: readonly InterestTier[];
  /** What a negative balance is charged, per year. */
  readonly debitBasisPoints: number;
}

/** What has accrued and was not capitalised; negative: the customer owes it. */
export interface AccruedInterest {
  /** Millionths of a minor unit. */
  readonly microMinor: bigint;
  /** What the division of the days so far left, in 1/(days of the year × 10,000) of a millionth; less than one millionth, of either sign. */
  readonly remainder: bigint;
}

export const NOTHING_ACCRUED: AccruedInterest = { microMinor: 0n, remainder: 0n };

/** 1,000 % a year. */
export const MAXIMUM_BASIS_POINTS = 100_000;
export const MAXIMUM_TIERS = 20;

const BASIS_POINTS_OF_ONE = 10_000n;
export const MICRO = 1_000_000n;

export type InterestTermsFault = 'NO_TIERS' | 'TOO_MANY_TIERS' | 'FIRST_TIER_NOT_ZERO' | 'TIERS_NOT_RISING' | 'RATE_OUT_OF_RANGE';

/** Undefined: the terms can be applied. */
export function faultOfTerms({ tiers, debitBasisPoints }: InterestTerms): InterestTermsFault | undefined {
  const [first] = tiers;
  if (first === undefined) return 'NO_TIERS';
  if (tiers.length > MAXIMUM_TIERS) return 'TOO_MANY_TIERS';
  if (first.fromMinor !== 0n) return 'FIRST_TIER_NOT_ZERO';
  for (let at = 1; at < tiers.length; at += 1)
    if ((tiers[at] as InterestTier).fromMinor <= (tiers[at - 1] as InterestTier).fromMinor) return 'TIERS_NOT_RISING';
  if (!isRate(debitBasisPoints) || !tiers.every(({ basisPoints }) => isRate(basisPoints))) return 'RATE_OUT_OF_RANGE';
  return undefined;
}

function isRate(basisPoints: number): boolean {
  return Number.isInteger(basisPoints) && basisPoints >= 0 && basisPoints <= MAXIMUM_BASIS_POINTS;
}

/**
 * What has accrued after a balance stood from one date (included) to another (excluded). The terms have no fault.
 *
 * @param balanceMinor at the end of each of these days; negative: charged at the debit rate.
 */
export function accrue(accrued: AccruedInterest, terms: InterestTerms, balanceMinor: bigint, from: CalendarDate, to: CalendarDate): AccruedInterest {
  const days = daysBetween(terms.dayCount, from, to);
  const divisor = BigInt(daysOfYear(terms.dayCount)) * BASIS_POINTS_OF_ONE;
  const dividend = accrued.remainder + minorTimesBasisPoints(terms, balanceMinor) * BigInt(days) * MICRO;
  return { microMinor: accrued.microMinor + dividend / divisor, remainder: dividend % divisor };
}

function minorTimesBasisPoints({ tiers, debitBasisPoints }: InterestTerms, balanceMinor: bigint): bigint {
  if (balanceMinor < 0n) return balanceMinor * BigInt(debitBasisPoints);
  let sum = 0n;
  for (let at = 0; at < tiers.length; at += 1) {
    const { fromMinor, basisPoints } = tiers[at] as InterestTier;
    if (balanceMinor <= fromMinor) break;
    const end = tiers[at + 1]?.fromMinor ?? balanceMinor;
    sum += ((balanceMinor < end ? balanceMinor : end) - fromMinor) * BigInt(basisPoints);
  }
  return sum;
}

export interface CapitalisedInterest {
  /** Whole minor units to be booked; negative: to be charged. */
  readonly amountMinor: bigint;
  readonly accrued: AccruedInterest;
}

/** Turns what has accrued into whole minor units, half-even. What rounding added or left stays accrued. */
export function capitalise({ microMinor, remainder }: AccruedInterest): CapitalisedInterest {
  const amountMinor = halfEven(microMinor, remainder);
  return { amountMinor, accrued: { microMinor: microMinor - amountMinor * MICRO, remainder } };
}

/** @param remainder its sign decides where the millionths alone are just half of a minor unit. */
function halfEven(microMinor: bigint, remainder: bigint): bigint {
  const floor = microMinor >= 0n ? microMinor / MICRO : -((-microMinor + MICRO - 1n) / MICRO);
  const above = microMinor - floor * MICRO;
  const half = MICRO / 2n;
  if (above === half && remainder !== 0n) return remainder > 0n ? floor + 1n : floor;
  if (above === half) return floor % 2n === 0n ? floor : floor + 1n;
  return above > half ? floor + 1n : floor;
}
