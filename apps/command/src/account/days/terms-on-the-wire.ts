/** Terms of products from their messages to what the domain decides by. */
import type { TermRules } from '@sluice/domain/account';
import { faultOfTerms, type DayCount, type InterestTerms } from '@sluice/domain/day';
import { logpb } from '@sluice/protocol';

export interface TermsOfProduct {
  /** Undefined: the product bears no interest. */
  readonly interest: InterestTerms | undefined;
  /** What has accrued is booked at this date. */
  readonly capitalise: boolean;
  /** Undefined: accounts of the product have no term. */
  readonly term: TermRules | undefined;
}

const DAY_COUNTS: ReadonlyMap<logpb.DayCount, DayCount> = new Map([
  [logpb.DayCount.DAY_COUNT_ACT_365, 'ACT_365'],
  [logpb.DayCount.DAY_COUNT_ACT_360, 'ACT_360'],
  [logpb.DayCount.DAY_COUNT_30E_360, '30E_360'],
]);

/** By product; a text: which terms cannot be applied, and why. */
export function termsByProduct(terms: readonly logpb.ProductTerms[]): ReadonlyMap<string, TermsOfProduct> | string {
  const byProduct = new Map<string, TermsOfProduct>();
  for (const each of terms) {
    const interest = interestTermsOf(each);
    if (typeof interest === 'string') return `the terms of product ${each.productId} cannot be applied: ${interest}`;
    const { termMonths: months, termDays: days, renews, capitalise } = each;
    if (months < 0 || days < 0) return `the terms of product ${each.productId} cannot be applied: a term is negative`;
    byProduct.set(each.productId, { interest, capitalise, term: months === 0 && days === 0 ? undefined : { months, days, renews } });
  }
  return byProduct;
}

function interestTermsOf({ dayCount, tiers, debitBasisPoints }: logpb.ProductTerms): InterestTerms | string | undefined {
  if (tiers.length === 0) return undefined;
  const convention = DAY_COUNTS.get(dayCount);
  if (convention === undefined) return 'the day count is unknown';
  const terms = { dayCount: convention, tiers, debitBasisPoints };
  return faultOfTerms(terms) ?? terms;
}
