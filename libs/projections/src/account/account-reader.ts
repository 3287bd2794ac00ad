/**
 * Reads accounts as one: the row that changes with every posting, the profile, the business dates of its branch, and where asked the holds. They are
 * read one after the other; the first row says which profile and which holds belong to it. Where they do not, all are read again; rows of two
 * moments are never given out. The dates of the branch are written behind the accounts, and read before them: an account is rolled as far as they say.
 */
import type { ReadCopy } from '@sluice/ports';
import { type PauseBetweenReads, readAgainAtOnce } from '../torn-read';
import { type AccountBranchDays, branchDayKey, branchDaysOf } from './account-branch-days';
import { type AccountState, accountStateOf, type HoldsState, holdsStateOf, type ProfileState, profileStateOf } from './account-state';
import { ACCOUNT_BRANCH_DAYS, ACCOUNT_HOLDS, ACCOUNT_PROFILES, ACCOUNTS } from './collections';

export interface AccountSnapshot {
  readonly account: AccountState;
  readonly profile: ProfileState;
  /** Undefined: its branch has no business dates. */
  readonly branchDays: AccountBranchDays | undefined;
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
  const profiles = (await copy.getMany(ACCOUNT_PROFILES.name, accountIds)).map((row) => row && profileStateOf(row));
  const branchDays = await readBranchDays(copy, profiles);
  const accounts = (await copy.getMany(ACCOUNTS.name, accountIds)).map((row) => row && accountStateOf(row));
  const holders = withHolds ? accounts.flatMap((account) => (account !== undefined && account.holdsSequence > 0 ? [account.accountId] : [])) : [];
  const holds = holders.length === 0 ? [] : await copy.getMany(ACCOUNT_HOLDS.name, holders);
  const holdsOf = new Map(holders.map((accountId, index) => [accountId, holds[index]]));
  return accounts.map((account, index) => {
    const profile = profiles[index];
    if (account === undefined || profile === undefined) return undefined;
    const held = holdsOf.get(account.accountId);
    return { account, profile, branchDays: branchDays.get(branchDayKeyOf(profile)), holds: held && holdsStateOf(held) };
  });
}

const branchDayKeyOf = ({ partition, branchId }: ProfileState): string => branchDayKey(partition, branchId);

/** The dates of the accounts' branches in their partitions, by key. */
async function readBranchDays(copy: ReadCopy, profiles: readonly (ProfileState | undefined)[]): Promise<Map<string, AccountBranchDays>> {
  const keys = new Set<string>();
  for (const profile of profiles) if (profile !== undefined && profile.branchId !== '') keys.add(branchDayKeyOf(profile));
  const found = new Map<string, AccountBranchDays>();
  if (keys.size === 0) return found;
  const asked = [...keys];
  const rows = await copy.getMany(ACCOUNT_BRANCH_DAYS.name, asked);
  asked.forEach((key, index) => {
    const row = rows[index];
    if (row !== undefined) found.set(key, branchDaysOf(row));
  });
  return found;
}

function isTorn({ account, profile, holds }: AccountSnapshot, withHolds: boolean): boolean {
  return account.profileSequence !== profile.sequence || (withHolds && account.holdsSequence !== (holds?.sequence ?? 0));
}
