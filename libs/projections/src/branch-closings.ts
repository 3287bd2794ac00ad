/**
 * For reports of a branch, whatever capability makes them: `readBranchClosings` pages through what its accounts closed a business date with. Import it from
 * '@sluice/projections'; where the next page goes on is `next`, which goes into `after` (row-page-token.ts of the query service makes a token of it).
 *
 * It stands outside of the folders of capabilities, because the accounts are read by the reports of another one.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { ReadCopy, RowPosition } from '@sluice/ports';
import { readAccounts } from './account/account-reader';
import { closingBalanceAt } from './account/closing-reader';
import { ACCOUNT_PROFILES } from './account/collections';
import { segmentLoader } from './account/segment-loader';
import type { PauseBetweenReads } from './torn-read';

/** What an account closed a date with. */
export interface AccountClosing {
  readonly accountId: string;
  readonly product: string;
  readonly unit: string;
  readonly balanceMinor: bigint;
}

export interface BranchClosings {
  /** By account id. Accounts that were not open then are left out. */
  readonly closings: readonly AccountClosing[];
  /** Accounts that the date has not ended for, or whose partition does not know of the branch's dates yet: the caller asked too early. */
  readonly notClosed: readonly string[];
  /** Where the next page begins; undefined: this was the last one. */
  readonly next: RowPosition | undefined;
}

export interface BranchClosingsQuery {
  readonly branchId: string;
  readonly date: CalendarDate;
  /** `next` of the page before. */
  readonly after?: RowPosition;
  /** Accounts that the page looks at, at most. */
  readonly limit: number;
}

/** Look-ups that are under way at the same time. */
const LOOK_UPS = 32;

/** The rows that a page is read from; also what a place is checked against. */
export const branchAccountsQuery = (
  branchId: string,
): { readonly collection: string; readonly index: string; readonly equals: { readonly branch_id: string } } => ({
  collection: ACCOUNT_PROFILES.name,
  index: 'by_branch',
  equals: { branch_id: branchId },
});

/** @param pause as for `readAccounts`. */
export async function readBranchClosings(
  copy: ReadCopy,
  { branchId, date, after, limit }: BranchClosingsQuery,
  pause?: PauseBetweenReads,
): Promise<BranchClosings> {
  const page = await copy.find({ ...branchAccountsQuery(branchId), ...(after !== undefined && { after }), limit });
  const accountIds = page.rows.map((row) => row[ACCOUNT_PROFILES.key] as string);
  const snapshots = accountIds.length === 0 ? [] : await readAccounts(copy, accountIds, false, pause);
  const closings: AccountClosing[] = [];
  const notClosed: string[] = [];
  for (let from = 0; from < snapshots.length; from += LOOK_UPS) {
    const some = snapshots.slice(from, from + LOOK_UPS).filter((snapshot) => snapshot !== undefined);
    const found = await Promise.all(some.map((snapshot) => closingBalanceAt(copy, snapshot, date, segmentLoader(copy))));
    some.forEach(({ account: { accountId }, profile: { product, unit } }, at) => {
      const closing = found[at];
      if (closing?.kind === 'closed') closings.push({ accountId, product, unit, balanceMinor: closing.balanceMinor });
      else if (closing?.kind !== 'ACCOUNT_NOT_OPEN_THEN') notClosed.push(accountId);
    });
  }
  return { closings, notClosed, next: page.next };
}
