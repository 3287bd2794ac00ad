/** Trial balances, reports and proofs of a date as users of the library see them. Sums may leave 64 bits. */
import type { BatchRun } from './batch-run';
import type { ContraLine } from './business-day';

/** The accounts of one product in one unit. */
export interface ProductBalance {
  /** May be empty. */
  readonly product: string;
  readonly unit: string;
  /** Balances at the end of the date before. */
  readonly openingMinor: bigint;
  /** What postings of the date took. */
  readonly debitMinor: bigint;
  /** What they added. */
  readonly creditMinor: bigint;
  /** Balances at the end of the date. */
  readonly closingMinor: bigint;
  readonly accounts: number;
  /** Interest accrued and not booked, in millionths of a minor unit. */
  readonly accruedMicro: bigint;
}

/** Postings against one contra line: the line is debited with what accounts were credited with, and the other way round. */
export interface LineBalance {
  /** Product of the accounts. */
  readonly product: string;
  readonly unit: string;
  readonly line: ContraLine | undefined;
  /** Its name at the branch. */
  readonly name: string;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
  readonly postings: bigint;
}

export interface TrialBalance {
  readonly branchId: string;
  readonly date: string;
  readonly products: readonly ProductBalance[];
  readonly lines: readonly LineBalance[];
  /** Whether, for every unit, opening balances and the contra lines add up to the closing balances. */
  readonly balanced: boolean;
  /** No date of the branch was totalled before: opening balances are what closing balances and contra lines make of them, and prove nothing. */
  readonly openingDerived: boolean;
}

/** What an end of day did. */
export interface DayReport {
  readonly run: BatchRun;
  readonly trialBalance: TrialBalance;
  /** Accounts of the branch. */
  readonly accounts: number;
  readonly interestCreditedMinor: bigint;
  readonly interestChargedMinor: bigint;
  /** Terms that ended or were renewed. */
  readonly matured: number;
}

/** Comma separated with a head line (RFC 4180), or a JSON object a line. */
export const EXPORT_FORMATS = ['CSV', 'JSON_LINES'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The day proof: closing balance of the date before + what was posted at the date = closing balance of the date, for every account, from the log. */
export interface DayProof {
  /** Accounts that were proven. */
  readonly accounts: number;
  /** Postings of the date that were added up. */
  readonly postings: bigint;
  /** Accounts whose proof fails, at most 100; `failureCount` counts them all. */
  readonly failures: readonly DayProofFailure[];
  readonly failureCount: number;
  readonly sums: readonly DayProofSum[];
  /** When the log was read. */
  readonly verifiedAt: Date | undefined;
}

export interface DayProofFailure {
  readonly accountId: string;
  readonly openingMinor: bigint;
  readonly postedMinor: bigint;
  readonly closingMinor: bigint;
}

/** The proof of all accounts of a unit. */
export interface DayProofSum {
  readonly unit: string;
  readonly openingMinor: bigint;
  readonly postedMinor: bigint;
  readonly closingMinor: bigint;
}
