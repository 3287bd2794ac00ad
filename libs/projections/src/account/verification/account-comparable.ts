/** An account as the log makes it and as the read store has it, in one form, field by field. */
import { FIRST_DATE } from '@sluice/domain/day';
import type { AccountSnapshot } from '../account-reader';
import type { LedgerDays } from './ledger-days';
import type { LedgerAccount } from './ledger-fold';

type Comparable = readonly (readonly [what: string, value: string])[];

/** What the log says of the account, in the form that it is compared in. */
export function comparableOfLedger(account: LedgerAccount): Comparable {
  return comparable({ ...account, recordCount: account.digest.count, holds: account.holds ?? NO_HOLDS, day: dayOfLedger(account.days) });
}

/** What the read store says of it. */
export function comparableOfSnapshot({ account, profile, holds }: AccountSnapshot): Comparable {
  return comparable({ ...profile, ...account, holds: holds?.holds ?? NO_HOLDS, day: dayOfSnapshot(account.day) });
}

/** What events say of an account's day. */
type ComparedDay = Pick<LedgerDays, 'lastDayBalanceMinor' | 'updatedAtUs' | 'balanceDate' | 'openDate' | 'earlier'> & { readonly lastDayDate: number };

/** Undefined: no event names the account. */
function dayOfLedger(days: LedgerDays | undefined): ComparedDay | undefined {
  return days?.lastDayDate === undefined ? undefined : { ...days, lastDayDate: days.lastDayDate };
}

function dayOfSnapshot(day: AccountSnapshot['account']['day']): ComparedDay | undefined {
  if (day === undefined) return undefined;
  const { date, balanceMinor, before, updatedAtUs, balanceDate, openDate } = day;
  return { lastDayDate: date, lastDayBalanceMinor: balanceMinor, updatedAtUs, balanceDate, openDate, earlier: before };
}

function dayFields(day: ComparedDay | undefined): Comparable {
  if (day === undefined) return [['last-day date', 'none']];
  const { lastDayDate, lastDayBalanceMinor, updatedAtUs, balanceDate, openDate, earlier } = day;
  // From the beginning: since it was opened, or dates were set.
  const since = earlier === undefined || earlier.date <= FIRST_DATE ? 'the beginning' : String(earlier.date);
  return [
    ['last-day date', String(lastDayDate)],
    ['last-day balance', String(lastDayBalanceMinor)],
    ['last day updated at', String(updatedAtUs)],
    ['balance date', String(balanceDate ?? 'none')],
    ['open date', String(openDate ?? 'none')],
    ['closed the dates before with', earlier === undefined ? 'unknown' : `${earlier.balanceMinor} since ${since}`],
  ];
}

const NO_HOLDS: ReadonlyMap<string, bigint> = new Map();

interface Compared extends Omit<LedgerAccount, 'digest' | 'fault' | 'holds' | 'days'> {
  readonly day: ComparedDay | undefined;
  readonly recordCount: number;
  readonly holds: ReadonlyMap<string, bigint>;
}

function comparable(account: Compared): Comparable {
  const { limits } = account;
  return [
    ['balance', String(account.balanceMinor)],
    ['held', String(account.heldMinor)],
    ['version', String(account.version)],
    ['entry count', String(account.entryCount)],
    ['rejection count', String(account.rejectionCount)],
    ['record count', String(account.recordCount)],
    ['balance updated at', String(account.balanceUpdatedAtUs)],
    ['unit', account.unit],
    ['branch', account.branchId],
    ['product', account.product],
    ['status', account.status],
    ['overdraft', String(limits.overdraftMinor)],
    ['maximum balance', String(limits.maximumBalanceMinor ?? 'none')],
    ['maximum posting', String(limits.maximumPostingMinor ?? 'none')],
    ['allowed types', limits.allowedTypes.join(',')],
    ['signing key', account.signingKeyId],
    ['linked account', account.linkedAccountId],
    ['opened at', String(account.openedAtUs)],
    ['opened at sequence', String(account.openedSequence)],
    ['opened at date', String(account.openedDate ?? 'none')],
    ['holds', [...account.holds].map(([holdId, remainingMinor]) => `${holdId}=${remainingMinor}`).join(' ')],
    ...dayFields(account.day),
  ];
}

/** What differs, for people. */
export function differences(log: Comparable, read: Comparable): string[] {
  return log.flatMap(([what, value], index) => {
    const found = read[index]?.[1];
    return found === value ? [] : [`${what}: the log says ${value}, the read store ${found}`];
  });
}
