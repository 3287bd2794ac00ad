/**
 * Reads several accounts, those of each partition as of one moment: what one commit did to several of them is in all of them, or in none.
 *
 * A store without transactions writes the rows of a batch one after the other, and moves the partition's checkpoint when all of them are there. So
 * the checkpoint is read before the rows. It says that every row reflects at least that commit; a row that reflects no later one is the account as of
 * exactly that commit, and an account without a row was not opened then. Where a row is newer, a projector is writing: the accounts of that
 * partition are read again.
 */
import { partitionOfKey } from '@sluice/domain';
import type { ReadCopy } from '@sluice/ports';
import { type PauseBetweenReads, readAgainAtOnce } from '../torn-read';
import { type AccountSnapshot, readAccountsOnce } from './account-reader';

export interface AccountsScope {
  readonly copy: ReadCopy;
  /** Id of the projection that writes the rows. */
  readonly projection: string;
  /** Number of partitions of the log that the copy was made from. */
  readonly partitions: number;
}

/** In the order of the ids, without holds; undefined where there is no such account. Throws what `pause` throws where rows do not come to fit. */
export async function readAccountsOfOneMoment(
  scope: AccountsScope,
  accountIds: readonly string[],
  pause: PauseBetweenReads = readAgainAtOnce,
): Promise<(AccountSnapshot | undefined)[]> {
  const found = new Map<string, AccountSnapshot | undefined>();
  const missing = byPartition(accountIds, scope.partitions);
  for (let reads = 1; ; reads += 1) {
    await readOnce(scope, missing, found);
    if (missing.size === 0) return accountIds.map((accountId) => found.get(accountId));
    await pause(reads, [...missing.values()].flat());
  }
}

/** Moves the partitions whose accounts are of one moment from `missing` to `found`. */
async function readOnce({ copy, projection }: AccountsScope, missing: Map<number, string[]>, found: Map<string, AccountSnapshot | undefined>): Promise<void> {
  // Before the rows.
  const checkpoints = await copy.checkpoints();
  const accountIds = [...missing.values()].flat();
  const { snapshots, torn } = await readAccountsOnce(copy, accountIds, false);
  const read = new Map(accountIds.map((accountId, index) => [accountId, snapshots[index]]));
  const tornIds = new Set(torn.map((index) => accountIds[index]));
  for (const [partition, ofPartition] of missing) {
    const checkpoint = checkpoints.find((one) => one.partition === partition && one.projection === projection)?.sequence ?? 0;
    const isOld = (accountId: string): boolean => (read.get(accountId)?.account.sequence ?? 0) <= checkpoint;
    if (ofPartition.some((accountId) => tornIds.has(accountId))) continue;
    if (ofPartition.length > 1 && !ofPartition.every(isOld)) continue;
    for (const accountId of ofPartition) found.set(accountId, read.get(accountId));
    missing.delete(partition);
  }
}

function byPartition(accountIds: readonly string[], partitions: number): Map<number, string[]> {
  const grouped = new Map<number, string[]>();
  for (const accountId of new Set(accountIds)) {
    const partition = partitionOfKey(Buffer.from(accountId, 'utf8'), partitions);
    const ofPartition = grouped.get(partition);
    if (ofPartition === undefined) grouped.set(partition, [accountId]);
    else ofPartition.push(accountId);
  }
  return grouped;
}
