/** Products: the terms by which an end of day charges interest and ends terms of accounts. */
import { yearMonthDay, type CalendarDate, type InterestTerms, type InterestTier } from '../day';

export const CAPITALISATIONS = ['DAILY', 'MONTHLY', 'QUARTERLY', 'YEARLY', 'AT_MATURITY'] as const;
/** When accrued interest is booked. */
export type Capitalisation = (typeof CAPITALISATIONS)[number];

/** Whole: what a request leaves out has its default. */
export interface Product extends InterestTerms {
  readonly productId: string;
  readonly name: string;
  readonly capitalisation: Capitalisation;
  /** Both 0: accounts of the product have no term. */
  readonly termMonths: number;
  readonly termDays: number;
  readonly renews: boolean;
  /** Rises with every change. */
  readonly version: number;
}

/** Terms of a product as the jobs of one date use them. */
export interface ProductTerms extends InterestTerms {
  readonly productId: string;
  /** Accrued interest is booked at the date. */
  readonly capitalise: boolean;
  readonly termMonths: number;
  readonly termDays: number;
  readonly renews: boolean;
}

const NO_INTEREST_ON_CREDIT: readonly InterestTier[] = [{ fromMinor: 0n, basisPoints: 0 }];

export function termsOn(product: Product, date: CalendarDate, nextDate: CalendarDate): ProductTerms {
  const { productId, dayCount, tiers, debitBasisPoints, capitalisation, termMonths, termDays, renews } = product;
  // Accounts take terms without tiers as those of a product that bears no interest.
  const charged = tiers.length === 0 && debitBasisPoints > 0 ? NO_INTEREST_ON_CREDIT : tiers;
  const capitalise = isCapitalised(capitalisation, date, nextDate);
  return { productId, dayCount, tiers: charged, debitBasisPoints, capitalise, termMonths, termDays, renews };
}

/** Whether accrued interest is booked at the date: at the last business date of the period, which is where the next one is in another period. */
export function isCapitalised(capitalisation: Capitalisation, date: CalendarDate, nextDate: CalendarDate): boolean {
  const [ended, begun] = [yearMonthDay(date), yearMonthDay(nextDate)];
  const isOtherYear = ended.year !== begun.year;
  switch (capitalisation) {
    case 'DAILY':
      return true;
    case 'MONTHLY':
      return isOtherYear || ended.month !== begun.month;
    case 'QUARTERLY':
      return isOtherYear || quarterOf(ended.month) !== quarterOf(begun.month);
    case 'YEARLY':
      return isOtherYear;
    case 'AT_MATURITY':
      return false;
    default:
      return capitalisation satisfies never;
  }
}

function quarterOf(month: number): number {
  return Math.floor((month - 1) / 3);
}

export function bearsInterest({ tiers }: ProductTerms): boolean {
  return tiers.length > 0;
}

export function hasTerm({ termMonths, termDays }: Pick<ProductTerms, 'termMonths' | 'termDays'>): boolean {
  return termMonths > 0 || termDays > 0;
}
