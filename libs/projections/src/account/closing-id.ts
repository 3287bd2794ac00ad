/** Keys of closing balances: those of a partition stand together, and those of an account in the order of their dates. */
import { textOfDate, type CalendarDate } from '@sluice/domain/day';
import { sortableNumber } from '../sortable-number';

/** Behind every key that begins with the text before it. */
const END = '~';

/** The length of the account id keeps two ids apart. */
const prefixOf = (partition: number, accountId: string): string => `${sortableNumber(partition)}/${accountId.length}:${accountId}/`;

export function closingId(partition: number, accountId: string, date: CalendarDate): string {
  return prefixOf(partition, accountId) + textOfDate(date);
}

/** Keys of the account at dates up to this one. */
export function closingsUntil(partition: number, accountId: string, date: CalendarDate): { readonly from: string; readonly before: string } {
  return { from: prefixOf(partition, accountId), before: closingId(partition, accountId, date) + END };
}

/** Keys of the partition. */
export function closingsOfPartition(partition: number): { readonly from: string; readonly before: string } {
  return { from: `${sortableNumber(partition)}/`, before: `${sortableNumber(partition)}/${END}` };
}
