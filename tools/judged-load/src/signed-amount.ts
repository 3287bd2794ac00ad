import { accountpb } from '@sluice/protocol/account';

/** What a credit or a debit does to the balance, in minor units. */
export function signedAmountMinor({ type, amountMinor }: Pick<accountpb.Posting, 'type' | 'amountMinor'>): bigint {
  return type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -amountMinor : amountMinor;
}
