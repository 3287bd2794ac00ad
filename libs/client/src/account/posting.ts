/**
 * Postings as callers write them, and what comes back. Amounts are bigint minor units of the account's unit.
 */
import type { SluiceError } from '../sluice-error';

export const POSTING_TYPES = ['CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'] as const;
export type PostingType = (typeof POSTING_TYPES)[number];

export interface PostingInput {
  readonly accountId: string;
  readonly type: PostingType;
  /** > 0, in minor units. */
  readonly amountMinor: bigint;
  readonly unit: string;
  /** The caller's id of this request, unique per account for ever; made when not given. */
  readonly requestId?: string;
  /** The hold that a CAPTURE or a RELEASE is about. */
  readonly holdId?: string;
  /** CAPTURE: give what is left of the hold back. */
  readonly final?: boolean;
  /** HOLD: when what is left of it is released by itself. */
  readonly expiresAt?: Date;
  /** HOLD: the same as milliseconds from when it is recorded; at most ten years. Not with `expiresAt`. */
  readonly expiresAfterMs?: number;
  readonly counterparty?: string;
  readonly channel?: string;
  /** Business date at which it was initiated, YYYY-MM-DD. */
  readonly initiatedDate?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Key of the account, where its postings are signed: the request is signed with it before it leaves. */
  readonly signingKey?: Uint8Array;
}

/** An accepted posting. */
export interface PostingResult {
  readonly requestId: string;
  readonly accountId: string;
  /** The balance after this posting, in minor units. */
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  /** Number of its entry in the account. */
  readonly entryNumber: bigint;
  /** True: this request was answered before, and this is the first answer again. */
  readonly repeated: boolean;
  /** Covers this posting; a query that carries it answers from data at least this new. */
  readonly positionToken: string;
}

/** One item of a batch: its result, or why it was refused. */
export type PostingOutcome =
  | { readonly requestId: string; readonly accountId: string; readonly result: PostingResult; readonly error?: undefined }
  | { readonly requestId: string; readonly accountId: string; readonly result?: undefined; readonly error: SluiceError };
