/** Reads watched accounts that have changed: first the rows that say so, then the accounts as a whole. */
import { ACCOUNTS, readAccountsOnce, type AccountSnapshot } from '@sluice/projections/account';
import type { ReadChanged, Seen } from '../shared-watches';

export const readChangedAccounts: ReadChanged<AccountSnapshot> = async (copy, known) => {
  const accountIds = [...known.keys()];
  const rows = await copy.getMany(ACCOUNTS.name, accountIds);
  const changed = accountIds.filter((accountId, index) => {
    const sequence = rows[index]?.sequence;
    return sequence !== undefined && sequence !== known.get(accountId);
  });
  const found = new Map<string, Seen<AccountSnapshot>>();
  // An account whose rows are torn is left out.
  for (const snapshot of changed.length === 0 ? [] : (await readAccountsOnce(copy, changed, true)).snapshots) {
    if (snapshot !== undefined) found.set(snapshot.account.accountId, { state: snapshot, sequence: snapshot.account.sequence });
  }
  return found;
};
