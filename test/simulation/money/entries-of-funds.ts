/** What the entries of accounts say about the funds that other capabilities hold: what was held, released, captured, given back and paid. */
import { accountpb } from '@sluice/protocol/account';
import type { DecodedLog } from '../world/decoded-log';
import { acceptedPostings } from './accounted-funds';

/** "HOLD 30 wallet", sorted; by the counterparty, which is the aggregate that holds the funds. Of a payee: "PAID 30 hotel". */
export function readEntriesOfFunds(log: DecodedLog, payees: readonly string[]): (aggregate: string) => readonly string[] {
  const entries = new Map<string, string[]>();
  for (const { accountId, type, amountMinor, counterparty, funds } of log.partitions.flat().flatMap(acceptedPostings)) {
    const isPayment = !funds && payees.includes(accountId);
    if (!funds && !isPayment) continue;
    const what = isPayment ? 'PAID' : accountpb.PostingType[type].slice('POSTING_TYPE_'.length);
    entries.set(counterparty, [...(entries.get(counterparty) ?? []), `${what} ${amountMinor} ${accountId}`]);
  }
  return (aggregate) => [...(entries.get(aggregate) ?? [])].sort();
}
