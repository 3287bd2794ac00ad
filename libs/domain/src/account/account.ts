/**
 * Account: the aggregate behind a wallet, a score keeper's fund, a bank account.
 *
 *   state      CREDIT  DEBIT  HOLD  CAPTURE  RELEASE  update  freeze   unfreeze  close
 *   (none)     -       -      -     -        -        -       -        -         -        (open: OPEN)
 *   OPEN       yes     yes    yes   yes      yes      yes     FROZEN   -         CLOSED (balance 0, no holds)
 *   FROZEN     yes     -      -     -        yes      yes     -        OPEN      CLOSED (balance 0, no holds)
 *   CLOSED     -       -      -     -        -        -       -        -         -
 *
 * A transfer is a DEBIT at one account and a CREDIT at another (transfer.ts); an account with transfers in transit cannot be closed.
 * A hold may expire (hold-expiry.ts), and another capability may hold funds (whole-hold.ts).
 *
 * Amounts are bigint minor units of the account's unit, within int64.
 */
export type AccountStatus = 'OPEN' | 'FROZEN' | 'CLOSED';

export const POSTING_TYPES = ['CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'] as const;
export type PostingType = (typeof POSTING_TYPES)[number];

/** Why an account refuses; the names are those of `sluice.account.v1.Rejection` and of docs/errors.md. */
export type Rejection =
  | 'ACCOUNT_NOT_FOUND'
  | 'SIGNATURE_INVALID'
  | 'AMOUNT_NOT_POSITIVE'
  | 'UNIT_MISMATCH'
  | 'ACCOUNT_FROZEN'
  | 'ACCOUNT_CLOSED'
  | 'TYPE_NOT_ALLOWED'
  | 'POSTING_LIMIT_EXCEEDED'
  | 'INSUFFICIENT_FUNDS'
  | 'HOLD_NOT_FOUND'
  | 'HOLD_EXCEEDED'
  | 'TOO_MANY_HOLDS'
  | 'MAXIMUM_BALANCE_EXCEEDED'
  | 'AMOUNT_OVERFLOW'
  | 'ACCOUNT_EXISTS'
  | 'BALANCE_NOT_ZERO'
  | 'HOLDS_OPEN'
  | 'ALREADY_FROZEN'
  | 'NOT_FROZEN'
  | 'BATCH_ABORTED'
  | 'TRANSFERS_PENDING'
  | TargetRejection;

/** Why the target of a transfer refuses its credit. */
export type TargetRejection =
  | 'TARGET_NOT_FOUND'
  | 'TARGET_UNIT_MISMATCH'
  | 'TARGET_CLOSED'
  | 'TARGET_TYPE_NOT_ALLOWED'
  | 'TARGET_POSTING_LIMIT_EXCEEDED'
  | 'TARGET_MAXIMUM_BALANCE_EXCEEDED'
  | 'TARGET_AMOUNT_OVERFLOW'
  /** The target is of another capability, and has reasons of its own. */
  | 'TARGET_REFUSED';

/** These do not depend on what the account's state lets happen, or there is no account to record them at. */
export const UNRECORDED_REJECTIONS: ReadonlySet<Rejection> = new Set(['ACCOUNT_NOT_FOUND', 'SIGNATURE_INVALID', 'AMOUNT_NOT_POSITIVE']);

export interface AccountLimits {
  /** How far the balance may go below zero; >= 0. */
  readonly overdraftMinor: bigint;
  /** Highest balance that a CREDIT may lead to. */
  readonly maximumBalanceMinor?: bigint;
  /** Highest amount of one posting. */
  readonly maximumPostingMinor?: bigint;
  /** Empty: all. */
  readonly allowedTypes: readonly PostingType[];
}

export const NO_LIMITS: AccountLimits = Object.freeze({ overdraftMinor: 0n, allowedTypes: Object.freeze([]) });

/** Open holds that one account may have: bounds its memory and its snapshot. */
export const MAXIMUM_OPEN_HOLDS = 10_000;

export const INT64_MAX = 9_223_372_036_854_775_807n;
export const INT64_MIN = -9_223_372_036_854_775_808n;

export interface Account {
  readonly accountId: string;
  readonly unit: string;
  readonly branchId: string;
  product: string;
  status: AccountStatus;
  limits: AccountLimits;
  /** Empty: postings are not signed. */
  signingKeyId: string;
  /** The account that gets principal and interest when a term ends; empty: none. */
  linkedAccountId: string;
  balanceMinor: bigint;
  heldMinor: bigint;
  /** Hold id to what is left of it (> 0), oldest first. */
  readonly holds: Map<string, bigint>;
  /** Hold id to when it expires, microseconds; only holds that do. */
  readonly holdExpiries: Map<string, number>;
  /** Sum of the outgoing transfers that have no verdict yet: debited here, and not yet credited or refused at their targets. */
  inTransitMinor: bigint;
  /** Accepted postings so far. */
  entryCount: number;
  /** Recorded refusals of postings so far; a refused change of the account is not one. */
  rejectionCount: number;
  /** 1 when opened; + 1 with every accepted posting and every change. */
  version: number;
  readonly openedAtUs: number;
  balanceUpdatedAtUs: number;
}

/** What may be taken: balance - held + overdraft, as far as int64 can say it. */
export function availableMinor(account: Account): bigint {
  const available = account.balanceMinor - account.heldMinor + account.limits.overdraftMinor;
  return available > INT64_MAX ? INT64_MAX : available;
}
