/**
 * TotalAccounts: a step of the job that adds up the closing balances of a date by product and unit. With the last step comes what was posted at dates up to this one, by contra line; the
 * partition forgets it then. The branch adds the steps of all partitions up: what the closing balances rose by since the date before is what was posted.
 */
import type { Turn } from '@sluice/engine';
import type { logpb } from '@sluice/protocol';
import { record } from './day-commands';
import { DayStep } from './day-step';
import type { JobAccounts } from './job-accounts';
import type { AccountClass } from './movements';

/** A sum in a verdict. */
const TOTAL_BYTES = 256;

interface Sum extends Pick<AccountClass, 'product' | 'unit'> {
  balanceMinor: bigint;
  accruedMicro: bigint;
  count: number;
}

/** Returns the encoded verdict. */
export function totalAccounts(accounts: JobAccounts, turn: Turn, asked: logpb.TotalAccounts): Uint8Array {
  const { branchId, date } = asked;
  const { days } = accounts;
  /** By the number of the class. */
  const sums = new Map<number, Sum>();
  const totals: logpb.DayTotal[] = [];
  const step = new DayStep(days, asked, turn);
  step.over((ordinal) => {
    const classNumber = days.classNumberAt(ordinal);
    if (!sums.has(classNumber)) step.takeRoom(TOTAL_BYTES);
    const sum = sumOf(sums, classNumber, days.classAt(ordinal));
    sum.balanceMinor += days.closingBalance(ordinal, date);
    sum.accruedMicro += days.columns.accrued[ordinal] as bigint;
    sum.count += 1;
  });
  for (const { product, unit, balanceMinor, accruedMicro, count } of sums.values()) {
    totals.push({ ...EMPTY, product, unit, balanceMinor: String(balanceMinor), accruedMicro: String(accruedMicro), count: BigInt(count) });
  }
  const branch = days.branch(branchId);
  if (step.complete && branch !== undefined) {
    for (const { accounts, line, debitMinor, creditMinor, count } of branch.movements.until(date)) {
      const { product, unit } = accounts;
      totals.push({ ...EMPTY, product, unit, line, debitMinor: String(debitMinor), creditMinor: String(creditMinor), count: BigInt(count) });
    }
    branch.totalled(date);
    record(turn, 'BranchDayTotalled', { branchId, date });
  }
  return step.verdict(totals);
}

const EMPTY = { line: 0, debitMinor: '', creditMinor: '', balanceMinor: '', accruedMicro: '' } as const;

function sumOf(sums: Map<number, Sum>, classNumber: number, { product, unit }: AccountClass): Sum {
  let sum = sums.get(classNumber);
  if (sum === undefined) {
    sum = { product, unit, balanceMinor: 0n, accruedMicro: 0n, count: 0 };
    sums.set(classNumber, sum);
  }
  return sum;
}
