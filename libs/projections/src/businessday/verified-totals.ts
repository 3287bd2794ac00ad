/** What rows of totals must say: sums by product, unit and line, added up as numbers. */
import type { FieldValue } from '@sluice/ports';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { rowKind } from '../row-verification';
import { DAY_TOTALS, TOTALS_AGGREGATE } from './collections';
import { branchOf, readOneOf, runKey } from './verified-events';

const { Job } = businessdaypb;

interface Sums {
  readonly amounts: [debitOrBalance: bigint, creditOrAccrued: bigint];
  count: number;
}

/** What the accounting job of a date added up: sums by product, unit and line. */
interface VerifiedTotals {
  readonly begun: businessdaypb.RunBegun;
  readonly accounting: number;
  accountedAtUs: number;
  readonly sums: Map<string, Sums>;
  readonly earlier: { readonly atUs: number; readonly balances: string };
}

const IS_BALANCE = /,0\]$/;

function listed(sums: ReadonlyMap<string, Sums>, wanted: (key: string) => boolean): string {
  const lines = [...sums].filter(([key]) => wanted(key)).map(([key, { amounts, count }]) => `${key} ${amounts.join()} ${count}`);
  return lines.sort().join('; ');
}

const balancesOf = (sums: ReadonlyMap<string, Sums>): string => listed(sums, (key) => IS_BALANCE.test(key));
const linesOf = (sums: ReadonlyMap<string, Sums>): string => listed(sums, (key) => !IS_BALANCE.test(key));

function beginTotals(begun: businessdaypb.RunBegun, before: VerifiedTotals | undefined): VerifiedTotals {
  const accounting = begun.steps.findIndex(({ job }) => job === Job.JOB_ACCOUNTING);
  const wasAccounted = before !== undefined && before.accountedAtUs > 0;
  const earlier = wasAccounted ? { atUs: before.accountedAtUs, balances: balancesOf(before.sums) } : (before?.earlier ?? { atUs: 0, balances: '' });
  return { begun, accounting, accountedAtUs: 0, sums: new Map(), earlier };
}

function takeIntoTotals(totals: VerifiedTotals, { done }: businessdaypb.StepAdvanced): VerifiedTotals {
  for (const { product, unit, line, debitMinor, creditMinor, balanceMinor, accruedMicro, count } of done?.totals ?? []) {
    const key = JSON.stringify([product, unit, line]);
    const sums: Sums = totals.sums.get(key) ?? { amounts: [0n, 0n], count: 0 };
    const [first, second] = line === 0 ? [balanceMinor, accruedMicro] : [debitMinor, creditMinor];
    sums.amounts[0] += BigInt(first);
    sums.amounts[1] += BigInt(second);
    sums.count += Number(count);
    totals.sums.set(key, sums);
  }
  return totals;
}

interface StoredSum {
  readonly product: string;
  readonly unit: string;
  readonly line?: number;
  readonly [field: string]: unknown;
}

function storedSums(text: FieldValue | undefined): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const one of JSON.parse(text as string) as StoredSum[]) {
    const fields = one.line === undefined ? (['balanceMinor', 'accruedMicro', 'accounts'] as const) : (['debitMinor', 'creditMinor', 'postings'] as const);
    const amounts: Sums['amounts'] = [BigInt(one[fields[0]] as string), BigInt(one[fields[1]] as string)];
    sums.set(JSON.stringify([one.product, one.unit, one.line ?? 0]), { amounts, count: one[fields[2]] as number });
  }
  return sums;
}

export const verifiedTotalsRows = rowKind<VerifiedTotals>({
  aggregate: TOTALS_AGGREGATE,
  collection: DAY_TOTALS,
  partitionKey: branchOf,
  counted: 'day totals',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const begun = businessDayEvents.readOnly('RunBegun', event, commit);
      if (begun !== undefined) change(runKey(begun), (before) => beginTotals(begun, before));
      const message = readOneOf(['StepAdvanced', 'StepEnded'], event, commit);
      if (message === undefined) continue;
      change(runKey(message), (totals) => {
        if (totals === undefined) throw new Error(`${runKey(message)} has events before it began`);
        if (message.step !== totals.accounting) return totals;
        if ('partition' in message) return takeIntoTotals(totals, message);
        return { ...totals, accountedAtUs: commit.committedAtUs };
      });
    }
  },
  row: ({ begun, accounting, accountedAtUs, sums, earlier }) => ({
    branch_id: begun.branchId,
    date: begun.date,
    accounting_step: accounting,
    accounted_at_us: accountedAtUs,
    balances: balancesOf(sums),
    lines: linesOf(sums),
    earlier_at_us: earlier.atUs,
    earlier_balances: earlier.balances,
  }),
  stored: (row) => ({
    ...row,
    balances: balancesOf(storedSums(row.balances)),
    lines: linesOf(storedSums(row.lines)),
    earlier_balances: balancesOf(storedSums(row.earlier_balances)),
  }),
});
