/** Interest by the formula on decimal numbers: no carried remainders, no bigint. What the domain accrues is compared with it. */
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { DAY_COUNTS, type InterestTerms } from '../day';

export const Exact = Decimal.clone({ precision: 200 });

/** In minor units. */
export function interestByFormula({ dayCount, tiers, debitBasisPoints }: InterestTerms, balanceMinor: bigint, days: number): Decimal {
  const year = dayCount === 'ACT_365' ? 365 : 360;
  const share = (minor: Decimal, basisPoints: number): Decimal => minor.times(basisPoints).div(10_000).times(days).div(year);
  const balance = new Exact(balanceMinor.toString());
  if (balance.isNegative()) return share(balance, debitBasisPoints);
  return tiers.reduce((sum, { fromMinor, basisPoints }, at) => {
    const end = tiers[at + 1] === undefined ? balance : Exact.min(balance, tiers[at + 1]?.fromMinor.toString() as string);
    return sum.plus(share(Exact.max(0, end.minus(fromMinor.toString())), basisPoints));
  }, new Exact(0));
}

const basisPoints = fc.integer({ min: 0, max: 100_000 });
export const interestTerms: fc.Arbitrary<InterestTerms> = fc.record({
  dayCount: fc.constantFrom(...DAY_COUNTS),
  tiers: fc
    .tuple(fc.uniqueArray(fc.bigInt(1n, 10n ** 14n), { maxLength: 5 }), fc.array(basisPoints, { minLength: 6, maxLength: 6 }))
    .map(([starts, rates]) => [0n, ...starts.sort((a, b) => (a < b ? -1 : 1))].map((fromMinor, at) => ({ fromMinor, basisPoints: rates[at] as number }))),
  debitBasisPoints: basisPoints,
});
