/** What the load generator is told, and what it answers. */

export type AccountChoice =
  | { readonly kind: 'one'; readonly accountId: string }
  /** Each call in flight has its own of these, in turn. */
  | { readonly kind: 'each'; readonly accountIds: readonly string[] }
  /** A random one of accounts 0 to count - 1 for each posting; names as `numberedAccountId` makes them. */
  | { readonly kind: 'random'; readonly count: number };

/** Between which accounts money is moved. */
export type TransferChoice =
  /** To and fro: calls in flight take turns in the direction. */
  | { readonly kind: 'pair'; readonly accountIds: readonly [string, string] }
  /** From a random one of accounts 0 to count - 1 to another, for each transfer. */
  | { readonly kind: 'random'; readonly count: number };

export type Calls =
  | { readonly kind: 'transferBatches'; readonly batchSize: number; readonly between: TransferChoice }
  | { readonly kind: 'batches'; readonly batchSize: number; readonly account: AccountChoice }
  | { readonly kind: 'singles'; readonly account: AccountChoice }
  /** Each for a random one of members 0 to members - 1. */
  | { readonly kind: 'scoreBatches'; readonly batchSize: number; readonly contestId: string; readonly members: number }
  /** Each from a random one of accounts 0 to givers - 1, for a random member. */
  | { readonly kind: 'giftBatches'; readonly batchSize: number; readonly contestId: string; readonly members: number; readonly givers: number }
  /** A batch of reservations for random ones of identities 0 to identities - 1, then a batch of associate requests for them, in turn. */
  | { readonly kind: 'reservationBatches'; readonly batchSize: number; readonly identities: number }
  /** The same with one reservation and one associate request. */
  | { readonly kind: 'reservationSingles'; readonly identities: number }
  /** Reservations alone, of a resource; empty: of none. */
  | { readonly kind: 'reserveBatches'; readonly batchSize: number; readonly identities: number; readonly resourceId: string }
  | { readonly kind: 'taskSingles'; readonly queue: string; readonly type: string }
  /** Signed before the clock starts, because signing is the caller's work; the run ends when they are used up. */
  | { readonly kind: 'signedBatches'; readonly batchSize: number; readonly accountId: string; readonly signingKey: Uint8Array; readonly prepared: number }
  | { readonly kind: 'getAccount'; readonly accountId: string }
  | { readonly kind: 'listEntries'; readonly accountId: string; readonly pageSize: number }
  /** Around the account; from the first one on if it is empty. */
  | { readonly kind: 'getStandings'; readonly contestId: string; readonly accountId: string; readonly pageSize: number };

export interface LoadOrder {
  /** HOST:PORT; several are used in turn, connection by connection. */
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Calls that wait for their answers at any moment, over all connections. */
  readonly inFlight: number;
  /** What happens in it is not measured (but counted as acknowledged). */
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** The load ends after so many calls, if the window did not end before; undefined: the window alone decides. */
  readonly maximumCalls?: number;
  readonly calls: Calls;
}

export interface LoadAnswer {
  /** Postings accepted (reads answered) in the measured window. */
  readonly accepted: number;
  readonly windowMs: number;
  /** Postings acknowledged since the order came, warm-up and run-out included. */
  readonly acknowledged: number;
  /** Postings that were answered with a refusal. */
  readonly refused: number;
  /** Calls that failed: nobody knows whether they were done. */
  readonly failed: number;
  /** What the first failure or refusal said. */
  readonly complaint: string | undefined;
  /** Of the calls that ended in the window, packed. */
  readonly latency: string;
}

const NUMBERED_PREFIX = 'bench-account-';
export const ACCOUNT_DIGITS = 7;

/** Accounts made in bulk have names of one length, so that a name can be changed in place in an encoded request. */
export function numberedAccountId(index: number): string {
  return NUMBERED_PREFIX + String(index).padStart(ACCOUNT_DIGITS, '0');
}
