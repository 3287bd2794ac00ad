/** Totals of a date, and those that were added up before them. */
import { runIdOf } from '@sluice/domain/businessday';
import type { CalendarDate } from '@sluice/domain/day';
import type { ReadCopy } from '@sluice/ports';
import { DAY_TOTALS } from './collections';
import { type BalanceTotal, type DayTotalsState, dayTotalsStateOf } from './day-totals-rows';

/** Undefined: the accounting job of the date has not ended. */
export async function readDayTotals(copy: ReadCopy, branchId: string, date: CalendarDate): Promise<DayTotalsState | undefined> {
  const row = await copy.get(DAY_TOTALS.name, runIdOf(branchId, date));
  return row === undefined || row.accounted_at_us === 0 ? undefined : dayTotalsStateOf(row);
}

/**
 * The closing balances that were added up last before these: opening balances of the date. Not those of the date before: dates may have been set by hand.
 *
 * @returns undefined: nothing was.
 */
export async function readOpeningBalances(copy: ReadCopy, { branchId, accountedAtUs }: DayTotalsState): Promise<readonly BalanceTotal[] | undefined> {
  const before = { collection: DAY_TOTALS.name, equals: { branch_id: branchId }, range: { from: 1, before: accountedAtUs }, limit: 1 };
  const newest = async (index: string) => (await copy.find({ ...before, index, direction: 'descending' })).rows.map(dayTotalsStateOf)[0];
  const [accounted, replaced] = [await newest('by_branch'), await newest('by_earlier')];
  return (replaced?.earlierAtUs ?? 0) > (accounted?.accountedAtUs ?? 0) ? replaced?.earlierBalances : accounted?.balances;
}
