/**
 * Reads accounts as one: the row that changes with every posting, the profile, and where asked the holds. The three rows are
 * read one after the other; the first says which of the others belong to it. Where they do not, all are read again; rows of two
 * moments are never given out.
 */
import type { ReadCopy } from '@sluice/ports';
import { type PauseBetweenReads, readAgainAtOnce } from '../torn-read';
import { type AccountState, accountStateOf, type HoldsState, holdsStateOf, type ProfileState, profileStateOf } from './account-state';
import { ACCOUNT_HOLDS, ACCOUNT_PROFILES, ACCOUNTS } from './collections';

export interface AccountSnapshot {
  readonly account: AccountState;
  readonly profile: ProfileState;
  /** Undefined: not asked for, or there never were any. */
  readonly holds: HoldsState | undefined;
}

/** In the order of the ids; undefined where there is no such account. Every account is whole; throws what `pause` throws where one is not. */
export async function readAccounts(
  copy: ReadCopy,
  accountIds: readonly string[],
  withHolds: boolean,
  pause: PauseBetweenReads = readAgainAtOnce,
): Promise<(AccountSnapshot | undefined)[]> {
  const { snapshots, torn: firstTorn } = await readAccountsOnce(copy, accountIds, withHolds);
  let torn = firstTorn;
  for (let reads = 1; torn.length > 0; reads += 1) {
    const ids = torn.map((index) => accountIds[index] as string);
    await pause(reads, ids);
    const again = await readAccountsOnce(copy, ids, withHolds);
    const before = torn;
    before.forEach((index, at) => {
      snapshots[index] = again.snapshots[at];
    });
    torn = again.torn.map((at) => before[at] as number);
  }
  return snapshots;
}

export async function readAccount(
  copy: ReadCopy,
  accountId: string,
  withHolds: boolean,
  pause: PauseBetweenReads = readAgainAtOnce,
): Promise<AccountSnapshot | undefined> {
  const [snapshot] = await readAccounts(copy, [accountId], withHolds, pause);
  return snapshot;
}

export interface AccountReading {
  /** In the order of the ids; undefined where there is no such account, or its rows are torn. */
  readonly snapshots: (AccountSnapshot | undefined)[];
  /** Indexes of the accounts whose rows are of two moments. */
  readonly torn: number[];
}

/** Reads each account once. */
export async function readAccountsOnce(copy: ReadCopy, accountIds: readonly string[], withHolds: boolean): Promise<AccountReading> {
  const snapshots = await readRows(copy, accountIds, withHolds);
  const torn: number[] = [];
  snapshots.forEach((snapshot, index) => {
    if (snapshot === undefined || !isTorn(snapshot, withHolds)) return;
    torn.push(index);
    snapshots[index] = undefined;
  });
  return { snapshots, torn };
}

async function readRows(copy: ReadCopy, accountIds: readonly string[], withHolds: boolean): Promise<(AccountSnapshot | undefined)[]> {
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
