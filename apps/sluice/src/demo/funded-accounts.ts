/** Accounts of a demo, with money in them. */
import type { AccountOpening, PostingInput, SluiceClient } from '@sluice/client';

export interface FundedAccount extends AccountOpening {
  /** What it is credited with, in minor units; 0: nothing. */
  readonly fundsMinor: bigint;
}

const POSTINGS_PER_CALL = 5_000;
const CALL = { deadlineMs: 60_000 };

/** Throws the first refusal. */
export async function openFunded(client: SluiceClient, accounts: readonly FundedAccount[]): Promise<void> {
  const openings = accounts.map(({ fundsMinor: _, ...opening }) => ({ requestId: 'open', ...opening }));
  throwFirst(await client.accounts.openMany(openings, CALL));
  const credits = accounts
    .filter(({ fundsMinor }) => fundsMinor > 0n)
    .map(
      ({ accountId, unit, fundsMinor }): PostingInput => ({ accountId, unit, amountMinor: fundsMinor, type: 'CREDIT', requestId: 'funds', channel: 'demo' }),
    );
  for (let start = 0; start < credits.length; start += POSTINGS_PER_CALL) {
    throwFirst(await client.accounts.postBatch(credits.slice(start, start + POSTINGS_PER_CALL), CALL));
  }
}

/** What the accounts have together, in minor units. */
export async function balanceOf(client: SluiceClient, accountIds: readonly string[]): Promise<bigint> {
  const found = await client.accounts.batchGet(accountIds, CALL);
  return accountIds.reduce((sum, accountId) => sum + (found.get(accountId)?.balanceMinor ?? 0n), 0n);
}

function throwFirst(outcomes: readonly { readonly error?: Error }[]): void {
  const failed = outcomes.find(({ error }) => error !== undefined);
  if (failed?.error !== undefined) throw failed.error;
}
