/**
 * Reads accounts as one: the row that changes with every posting, the profile, and where asked the holds. The three rows are
 * read one after the other; the first says which of the others belong to it, and where they do not, all are read again.
 */
import type { ReadCopy } from '@sluice/ports';
import { type AccountState, accountStateOf, type HoldsState, holdsStateOf, type ProfileState, profileStateOf } from './account-state';
import { ACCOUNT_HOLDS, ACCOUNT_PROFILES, ACCOUNTS } from './collections';

export interface AccountSnapshot {
  readonly account: AccountState;
  readonly profile: ProfileState;
  /** Undefined: not asked for, or there never were any. */
  readonly holds: HoldsState | undefined;
}

/** Times that rows of two moments are read again. A crash may leave them so until the next write; then the newer ones count. */
const MAXIMUM_READS = 5;

/** In the order of the ids; undefined where there is no such account. */
export async function readAccounts(copy: ReadCopy, accountIds: readonly string[], withHolds: boolean): Promise<(AccountSnapshot | undefined)[]> {
  const snapshots = await readOnce(copy, accountIds, withHolds);
  for (let reads = 1; reads < MAXIMUM_READS; reads += 1) {
    const torn = snapshots.flatMap((snapshot, index) => (snapshot !== undefined && isTorn(snapshot, withHolds) ? [index] : []));
    if (torn.length === 0) break;
    const again = await readOnce(
      copy,
      torn.map((index) => accountIds[index] as string),
      withHolds,
    );
    torn.forEach((index, at) => {
      snapshots[index] = again[at];
    });
  }
  return snapshots;
}

export async function readAccount(copy: ReadCopy, accountId: string, withHolds: boolean): Promise<AccountSnapshot | undefined> {
  const [snapshot] = await readAccounts(copy, [accountId], withHolds);
  return snapshot;
}

async function readOnce(copy: ReadCopy, accountIds: readonly string[], withHolds: boolean): Promise<(AccountSnapshot | undefined)[]> {
  const accounts = (await copy.getMany(ACCOUNTS.name, accountIds)).map((row) => row && accountStateOf(row));
  const profiles = await copy.getMany(ACCOUNT_PROFILES.name, accountIds);
  const holders = withHolds ? accounts.flatMap((account) => (account !== undefined && account.holdsSequence > 0 ? [account.accountId] : [])) : [];
  const holds = holders.length === 0 ? [] : await copy.getMany(ACCOUNT_HOLDS.name, holders);
  const holdsOf = new Map(holders.map((accountId, index) => [accountId, holds[index]]));
  return accounts.map((account, index) => {
    const profile = profiles[index];
    if (account === undefined || profile === undefined) return undefined;
    const held = holdsOf.get(account.accountId);
    return { account, profile: profileStateOf(profile), holds: held && holdsStateOf(held) };
  });
}

function isTorn({ account, profile, holds }: AccountSnapshot, withHolds: boolean): boolean {
  return account.profileSequence !== profile.sequence || (withHolds && account.holdsSequence !== (holds?.sequence ?? 0));
}
