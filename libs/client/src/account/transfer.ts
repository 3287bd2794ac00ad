/** Transfers as callers write them, and what comes back. Amounts are bigint minor units of both accounts' unit. */
import type { SluiceError } from '../sluice-error';

export const TRANSFER_STATES = ['PENDING', 'SETTLED', 'REFUNDED'] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

export interface TransferInput {
  readonly fromAccountId: string;
  /** The target: another account. */
  readonly toAccountId: string;
  /** > 0, in minor units. */
  readonly amountMinor: bigint;
  readonly unit: string;
  /** The caller's id of this request, unique in the debited account for ever; made when not given. */
  readonly requestId?: string;
  readonly channel?: string;
  /** Business date at which it was initiated, YYYY-MM-DD. */
  readonly initiatedDate?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Key of the debited account, where its postings are signed: the request is signed with it before it leaves. */
  readonly signingKey?: Uint8Array;
}

/** An accepted transfer. */
export interface TransferResult {
  readonly requestId: string;
  readonly fromAccountId: string;
  readonly toAccountId: string;
  /** The balance of the debited account after the debit, in minor units. */
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** Number of the debit's entry. */
  readonly entryNumber: bigint;
  /** When it was answered first: PENDING or SETTLED. `getTransfer` says how it stands now. */
  readonly state: TransferState;
  /** True: this request was answered before, and this is the first answer again. */
  readonly repeated: boolean;
  /** Covers the debit; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}

/** One item of a batch: its result, or why it was refused. */
export type TransferOutcome =
  | { readonly requestId: string; readonly fromAccountId: string; readonly result: TransferResult; readonly error?: undefined }
  | { readonly requestId: string; readonly fromAccountId: string; readonly result?: undefined; readonly error: SluiceError };

/** A transfer as the read store has it. */
export interface Transfer {
  readonly requestId: string;
  readonly fromAccountId: string;
  readonly toAccountId: string;
  readonly amountMinor: bigint;
  readonly unit: string;
  readonly state: TransferState;
  /** REFUNDED: why the target refused it, like "TARGET_CLOSED"; empty otherwise. */
  readonly rejection: string;
  /** TARGET_REFUSED: the reason of the target's capability, like "CONTEST_ROUND_CLOSED"; empty otherwise. */
  readonly targetReason: string;
  readonly createdAtUs: number;
  /** Undefined while it is PENDING. */
  readonly settledAtUs: number | undefined;
  readonly partition: number;
  readonly sequence: bigint;
}

/** At least one of them. */
export interface TransferFilter {
  readonly fromAccountId?: string;
  readonly toAccountId?: string;
  readonly state?: TransferState;
}
