/**
 * Accounts and entries as callers see them. Times are microseconds since
 * 1970-01-01T00:00:00Z as safe integers: `new Date(us / 1000)` is near enough for people, the number itself is exact.
 */
import type { PostingType } from './posting';

export type AccountStatus = 'OPEN' | 'FROZEN' | 'CLOSED';

export interface AccountLimits {
  /** How far the balance may go below zero, in minor units; default 0. */
  readonly overdraftMinor?: bigint;
  readonly maximumBalanceMinor?: bigint;
  readonly maximumPostingMinor?: bigint;
  /** Absent or empty: all. */
  readonly allowedTypes?: readonly PostingType[];
}

export interface AccountOpening {
  readonly accountId: string;
  /** Currency or asset code; never changes. */
  readonly unit: string;
  /** Made when not given. */
  readonly requestId?: string;
  readonly branchId?: string;
  readonly product?: string;
  /** Account of a term product: the account that gets principal and interest when the term ends. */
  readonly linkedAccountId?: string;
  readonly limits?: AccountLimits;
  /** Key that signs this account's postings, 16 to 64 bytes. */
  readonly signingKey?: Uint8Array;
}

/** What changes; what is absent stays. */
export interface AccountChange {
  readonly accountId: string;
  readonly requestId?: string;
  /** All limits anew. */
  readonly limits?: AccountLimits;
  readonly product?: string;
  /** Account of a term product: the account that gets principal and interest when the term ends; empty: none. */
  readonly linkedAccountId?: string;
  /** Empty: postings are no longer signed. */
  readonly signingKey?: Uint8Array;
}

/** Freeze, unfreeze, close. */
export interface StatusChange {
  readonly accountId: string;
  readonly requestId?: string;
  /** Why, for people. */
  readonly note?: string;
}

/** The account right after a command, as its writer knows it. */
export interface CommandResult {
  readonly requestId: string;
  readonly accountId: string;
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  readonly status: AccountStatus;
  readonly version: bigint;
  readonly repeated: boolean;
  readonly positionToken: string;
  readonly signingKeyId: string;
}

export interface Hold {
  readonly holdId: string;
  readonly remainingMinor: bigint;
  /** When what is left is released by itself; undefined: it does not expire. */
  readonly expiresAtUs: number | undefined;
}

/** An account as the read store has it. */
export interface Account {
  readonly accountId: string;
  readonly unit: string;
  readonly branchId: string;
  readonly product: string;
  readonly status: AccountStatus;
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  /** balance - held + overdraft. */
  readonly availableMinor: bigint;
  readonly limits: AccountLimits;
  readonly signingKeyId: string;
  readonly version: bigint;
  readonly entryCount: bigint;
  readonly rejectionCount: bigint;
  readonly openedAtUs: number;
  readonly balanceUpdatedAtUs: number;
  /** Balance at the end of the last-day date. */
  readonly lastDayBalanceMinor: bigint;
  /** The newest business date that has ended for the account, YYYY-MM-DD; empty: its branch has no business dates. */
  readonly lastDayDate: string;
  /** When the last-day balance became what it is; 0: there is none. */
  readonly lastDayUpdatedAtUs: number;
  /** Business date of the newest posting, YYYY-MM-DD; empty: none was dated. */
  readonly balanceDate: string;
  /** Account that gets principal and interest when a term of this one ends; empty: none. */
  readonly linkedAccountId: string;
  readonly partition: number;
  /** Up to 100, oldest first; only `get` fills it. */
  readonly holds: readonly Hold[];
  readonly sequence: bigint;
}

/** Why an entry is there: a caller's posting, a side of a transfer, a hold that expired, or funds of another capability. */
export type EntryOrigin =
  | 'POSTING'
  | 'TRANSFER_DEBIT'
  | 'TRANSFER_CREDIT'
  | 'TRANSFER_REFUND'
  | 'HOLD_EXPIRY'
  | 'FUNDS_TAKEN'
  | 'FUNDS_RETURNED'
  | 'FUNDS_HELD'
  | 'FUNDS_RELEASED'
  /** Interest, booked by an end of day. */
  | 'INTEREST';

export interface Entry {
  /** 1, 2, 3 … in its account; 0 for a refusal. */
  readonly entryNumber: bigint;
  readonly requestId: string;
  readonly accountId: string;
  readonly type: PostingType;
  readonly amountMinor: bigint;
  readonly unit: string;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly holdId: string;
  readonly counterparty: string;
  readonly channel: string;
  /** Business date at which it was initiated, YYYY-MM-DD. Where the branch has no business dates: what the caller wrote. */
  readonly initiatedDate: string;
  /** Business date at which it is booked, YYYY-MM-DD. Later than `initiatedDate` where that day had been sealed before it came; empty where the branch has no business dates. */
  readonly businessDate: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly committedAtUs: number;
  readonly partition: number;
  readonly sequence: bigint;
  /** Why it was refused, like "INSUFFICIENT_FUNDS"; empty for an accepted posting. */
  readonly rejection: string;
  readonly origin: EntryOrigin;
  /** Both sides of a transfer; empty for other entries. */
  readonly fromAccountId: string;
  readonly toAccountId: string;
}

/** Of a business date only the balance is known: the rest is 0. */
export interface BalanceAt {
  readonly accountId: string;
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  readonly unit: string;
  /** Number of the last entry then; 0: none yet. */
  readonly entryNumber: bigint;
  readonly committedAtUs: number;
  readonly sequence: bigint;
}
