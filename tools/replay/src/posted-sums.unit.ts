import type { BankTransaction } from './bank-transaction';
import { PostedSums } from './posted-sums';

const row = (accountId: string, amountMinor: bigint): BankTransaction => ({
  ...{ line: 2, date: '1993-01-01', transactionId: '1', branchId: '55', balanceAfterMinor: 0n, kind: '' },
  accountId,
  amountMinor,
});
const entry = (businessDate: string, type: 'CREDIT' | 'DEBIT', amountMinor: bigint) => ({ businessDate, type, amountMinor });

const posted = new PostedSums();
posted.add('1993-01-01', row('a', 100n));
posted.add('1993-01-01', row('a', -30n));
posted.add('1993-01-03', row('a', 0n));
posted.add('1993-01-02', row('b', 5n));

test.each<[what: string, accountId: string, entries: ReturnType<typeof entry>[], differences: string[]]>([
  ['of their dates', 'a', [entry('', 'CREDIT', 7n), entry('1993-01-01', 'CREDIT', 100n), entry('1993-01-01', 'DEBIT', 30n)], []],
  ['of another date', 'b', [entry('1993-01-03', 'CREDIT', 5n)], ['1993-01-02 add up to 0, the file says 5', '1993-01-03 add up to 5, the file says 0']],
  ['of an account without transactions', 'c', [], []],
  ['that are missing', 'b', [], ['1993-01-02 add up to 0, the file says 5']],
])('entries %s', (_what, accountId, entries, differences) => {
  expect(posted.differences(accountId, entries)).toEqual(differences.map((text) => `account ${accountId}: the entries of ${text}`));
});
