import { partitionOfKey } from '@sluice/domain';

/** Account ids, so many in each partition; those of a partition do not stand side by side. */
export function spreadAccounts(partitions: number, each: number): string[] {
  const found = Array.from({ length: partitions }, () => [] as string[]);
  for (let index = 0; found.some(({ length }) => length < each); index += 1) {
    const account = `account-${index}`;
    const accounts = found[partitionOfKey(Buffer.from(account), partitions)];
    if (accounts !== undefined && accounts.length < each) accounts.push(account);
  }
  return Array.from({ length: each }, (_, round) => found.map((accounts) => accounts[round] ?? '')).flat();
}
