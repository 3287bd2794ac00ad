/** Closing balances as the read store has them, up to the commits that the accounts are compared at. */
import { LAST_DATE } from '@sluice/domain/day';
import type { ReadCopy } from '@sluice/ports';
import { rowsOf } from '../../row-pages';
import type { PauseBetweenReads } from '../../torn-read';
import { type AccountSnapshot, readAccount } from '../account-reader';
import { closingsOfPartition, closingsUntil } from '../closing-id';
import { CLOSING_BALANCES } from '../collections';
import { ClosingDigest } from './ledger-days';

export interface ScannedClosings {
  readonly digest: ClosingDigest;
  /** Some were written behind the commit that the account is compared at: what they were before is not known. */
  moved: boolean;
}

/**
 * The closing balances of all accounts of a partition, digested.
 *
 * @param boundOf at which sequence the account is compared; 0: not at all.
 */
export async function scanClosings(
  copy: ReadCopy,
  partition: number,
  boundOf: (accountId: string) => number,
  signal: AbortSignal,
): Promise<Map<string, ScannedClosings>> {
  const accounts = new Map<string, ScannedClosings>();
  for await (const page of rowsOf(copy, { collection: CLOSING_BALANCES.name, range: closingsOfPartition(partition) })) {
    signal.throwIfAborted();
    for (const row of page) {
      const accountId = row.account_id as string;
      let scanned = accounts.get(accountId);
      if (scanned === undefined) {
        scanned = { digest: new ClosingDigest(), moved: false };
        accounts.set(accountId, scanned);
      }
      if ((row.sequence as number) > boundOf(accountId)) scanned.moved = true;
      else scanned.digest.add(row.date as number, row.balance_minor as bigint);
    }
  }
  return accounts;
}

/** An account, and its closing balances by date, of one moment. */
export async function readAccountWithClosings(
  copy: ReadCopy,
  partition: number,
  accountId: string,
  pause: PauseBetweenReads,
): Promise<{ readonly snapshot: AccountSnapshot | undefined; readonly closings: ReadonlyMap<number, bigint> }> {
  for (let reads = 1; ; reads += 1) {
    const snapshot = await readAccount(copy, accountId, true, pause);
    const closings = new Map<number, bigint>();
    let moved = false;
    for await (const page of rowsOf(copy, { collection: CLOSING_BALANCES.name, range: closingsUntil(partition, accountId, LAST_DATE) })) {
      for (const row of page) {
        closings.set(row.date as number, row.balance_minor as bigint);
        if ((row.sequence as number) > (snapshot?.account.sequence ?? 0)) moved = true;
      }
    }
    if (!moved || snapshot === undefined) return { snapshot, closings };
    await pause(reads, [accountId]);
  }
}
