/**
 * The last-day balance of an account as it is now: what events said of the account itself, what they said of all accounts of its branch, whichever is newer.
 * A sweep names only accounts that a date left with another balance, and dates that are set by hand name no account at all.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { AccountBranchDays, SetDates } from './account-branch-days';
import type { AccountSnapshot } from './account-reader';
import type { ClosedWith, StatedDay } from './stated-day';

export interface LastDay {
  readonly date: CalendarDate;
  readonly balanceMinor: bigint;
  readonly updatedAtUs: number;
}

/** Undefined: its branch has no business dates. */
export function lastDayOf(snapshot: Pick<AccountSnapshot, 'account' | 'profile' | 'branchDays'>): LastDay | undefined {
  const { account, profile, branchDays } = snapshot;
  const stated = statedDayInForce(account.day, branchDays);
  if (stated === undefined && branchDays === undefined) return undefined;
  const rolledDate = branchDays?.rolledDate ?? Number.NEGATIVE_INFINITY;
  // Since dates were set nothing was booked on an account that no event names: it has the balance that it had then.
  const unchangedSinceUs = Math.max(profile.openedAtUs, newestOf(branchDays)?.committedAtUs ?? 0);
  if (stated === undefined) return { date: rolledDate, balanceMinor: account.balanceMinor, updatedAtUs: unchangedSinceUs };
  const { date, balanceMinor, updatedAtUs } = stated;
  return { date: Math.max(date, rolledDate), balanceMinor, updatedAtUs: updatedAtUs === 0 ? unchangedSinceUs : updatedAtUs };
}

/** What was said of the account since dates were set; undefined: nothing. */
export function statedDayInForce(day: StatedDay | undefined, branchDays: AccountBranchDays | undefined): StatedDay | undefined {
  const set = newestOf(branchDays);
  if (day === undefined || set === undefined) return day;
  return day.sequence > set.sequence || (day.sequence === set.sequence && day.behindSetDates) ? day : undefined;
}

/** Whether what was closed holds still: no dates were set since that begin at it or before. */
export function stillHolds({ date, sequence }: Pick<ClosedWith, 'date' | 'sequence'>, { setDates }: AccountBranchDays): boolean {
  return !setDates.some((set) => set.sequence > sequence && set.from <= date);
}

function newestOf(branchDays: AccountBranchDays | undefined): SetDates | undefined {
  return branchDays?.setDates.at(-1);
}
