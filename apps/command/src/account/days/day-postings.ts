/** Postings that the jobs of a day make. */
import type { Account } from '@sluice/domain/account';
import { textOfDate, type CalendarDate } from '@sluice/domain/day';
import { accountpb } from '@sluice/protocol/account';
import { engineMadeId } from '../engine-made-id';

const { POSTING_TYPE_CREDIT, POSTING_TYPE_DEBIT } = accountpb.PostingType;

/**
 * Interest of a date.
 *
 * @param amountMinor negative: the account is charged.
 */
export function interestPosting({ accountId, unit }: Pick<Account, 'accountId' | 'unit'>, date: CalendarDate, amountMinor: bigint): accountpb.Posting {
  return accountpb.Posting.fromPartial({
    requestId: `interest/${textOfDate(date)}`,
    accountId,
    unit,
    type: amountMinor < 0n ? POSTING_TYPE_DEBIT : POSTING_TYPE_CREDIT,
    amountMinor: amountMinor < 0n ? -amountMinor : amountMinor,
    initiatedDate: textOfDate(date),
    interest: true,
  });
}

/**
 * The debit of the transfer that pays an account out whose term ended. It is a transfer like those of callers, and has an id that none of theirs has. An account that is paid out twice at
 * a date, because the linked account refused the amount, has two ids.
 */
export function payoutPosting({ accountId, unit, linkedAccountId, entryCount }: Account, date: CalendarDate, amountMinor: bigint): accountpb.Posting {
  return accountpb.Posting.fromPartial({
    requestId: engineMadeId(`term/${textOfDate(date)}/${entryCount}`),
    accountId,
    unit,
    type: POSTING_TYPE_DEBIT,
    amountMinor,
    toAccountId: linkedAccountId,
    initiatedDate: textOfDate(date),
  });
}
