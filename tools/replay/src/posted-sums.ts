/** What was posted to accounts, by date: of the file, and of the entries that a server has. Where closing balances are right, equal sums are the day proof of every account and date. */
import type { Entry } from '@sluice/client';
import type { BankTransaction } from './bank-transaction';

export class PostedSums {
  private readonly byAccount = new Map<string, Map<string, bigint>>();

  add(date: string, { accountId, amountMinor }: BankTransaction): void {
    const byDate = this.byAccount.get(accountId) ?? new Map<string, bigint>();
    this.byAccount.set(accountId, byDate);
    byDate.set(date, (byDate.get(date) ?? 0n) + amountMinor);
  }

  /** @param entries all of the account; those without a business date came before the first one. */
  differences(accountId: string, entries: readonly Pick<Entry, 'businessDate' | 'type' | 'amountMinor'>[]): string[] {
    const found = new Map<string, bigint>();
    for (const { businessDate, type, amountMinor } of entries)
      if (businessDate !== '') found.set(businessDate, (found.get(businessDate) ?? 0n) + (type === 'DEBIT' ? -amountMinor : amountMinor));
    const expected = this.byAccount.get(accountId) ?? new Map<string, bigint>();
    const dates = [...new Set([...found.keys(), ...expected.keys()])].sort();
    return dates.flatMap((date) => {
      const [sum, said] = [found.get(date) ?? 0n, expected.get(date) ?? 0n];
      return sum === said ? [] : [`account ${accountId}: the entries of ${date} add up to ${sum}, the file says ${said}`];
    });
  }
}
