/** Products as users of the library see them: the terms by which an end of day charges interest and ends terms. */

/** How the days of a period and of a year are counted. */
export const DAY_COUNTS = ['ACT_365', 'ACT_360', '30E_360'] as const;
export type DayCount = (typeof DAY_COUNTS)[number];

/** When accrued interest is booked. */
export const CAPITALISATIONS = ['DAILY', 'MONTHLY', 'QUARTERLY', 'YEARLY', 'AT_MATURITY'] as const;
export type Capitalisation = (typeof CAPITALISATIONS)[number];

/** The rate of the part of a balance from here to the next tier. */
export interface RateTier {
  readonly fromMinor: bigint;
  /** A year. */
  readonly basisPoints: number;
}

export interface ProductInput {
  /** Its code, as accounts name it. */
  readonly productId: string;
  /** For people. */
  readonly name?: string | undefined;
  /** Default: ACT_365. */
  readonly dayCount?: DayCount | undefined;
  /** The first begins at 0, each above the one before. Default: no interest. */
  readonly tiers?: readonly RateTier[] | undefined;
  /** What a negative balance is charged, in basis points a year. Default 0. */
  readonly debitBasisPoints?: number | undefined;
  /** Default: MONTHLY. */
  readonly capitalisation?: Capitalisation | undefined;
  /** Term products: the term in months, or in days. Default: it has no term. */
  readonly termMonths?: number | undefined;
  readonly termDays?: number | undefined;
  /** Term products: a new term begins at the end of one. Default: principal and interest go to the linked account. */
  readonly renews?: boolean | undefined;
}

export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly dayCount: DayCount | undefined;
  readonly tiers: readonly RateTier[];
  readonly debitBasisPoints: number;
  readonly capitalisation: Capitalisation | undefined;
  /** 0: none, or days. */
  readonly termMonths: number;
  /** 0: none, or months. */
  readonly termDays: number;
  readonly renews: boolean;
  /** Rises with every change. */
  readonly version: bigint;
}

/** The product right after a command. */
export interface ProductChanged {
  readonly requestId: string;
  readonly product: Product;
  /** True: this request was answered before, and this is the first answer again. */
  readonly repeated: boolean;
  /** Covers this command; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}
