import { accountpb } from '@sluice/protocol/account';
import type { AccountsOfPartitions } from './accounts-of-partitions';

/** Closing balances as a read store has them: a row where an event says so. An account of which no event says anything closes with what it had when its branch had no dates. */
export function closingRows(accounts: AccountsOfPartitions): { closing(accountId: string, date: number): bigint } {
  const rows = new Map<string, Map<number, bigint>>();
  const beforeDates = new Map<string, bigint>();
  const put = (accountId: string, date: number, balanceMinor: bigint): void => {
    rows.set(accountId, (rows.get(accountId) ?? new Map<number, bigint>()).set(date, balanceMinor));
  };
  for (const { type, payload } of accounts.commits.flat().flatMap(({ events }) => events)) {
    if (type === 'account.PostingsRecorded') {
      for (const { accountId, businessDate, lastDayDate, lastDayBalanceMinor, balanceAfterMinor, acceptedCount } of postingsIn(payload)) {
        if (businessDate === undefined) beforeDates.set(accountId, balanceAfterMinor);
        else if (acceptedCount > 0) put(accountId, lastDayDate, lastDayBalanceMinor);
      }
    } else if (type === 'account.AccountsRolled') {
      const { date, accounts: rolled } = accountpb.AccountsRolled.decode(payload);
      for (const { accountId, balanceMinor } of rolled) put(accountId, date, balanceMinor);
    }
  }
  return {
    closing(accountId, date) {
      const ofAccount = [...(rows.get(accountId) ?? [])].filter(([at]) => at <= date);
      const [, balanceMinor] = ofAccount.toSorted(([left], [right]) => right - left)[0] ?? [];
      return balanceMinor ?? beforeDates.get(accountId) ?? 0n;
    },
  };
}

function postingsIn(payload: Uint8Array): readonly accountpb.AccountPostings[] {
  return accountpb.PostingsRecorded.decode(payload).accounts;
}
