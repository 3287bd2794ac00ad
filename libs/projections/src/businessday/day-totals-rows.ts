/**
 * Rows of what an end of day added up: closing balances and postings of its date, summed over the partitions. They stand apart from the run, which changes with every part of a step
 * and is watched.
 */
import { runIdOf } from '@sluice/domain/businessday';
import type { FieldValue, Row } from '@sluice/ports';
import type { EventHandlersOf, logpb } from '@sluice/protocol';
import { businessDayEvents, businessdaypb } from '@sluice/protocol/businessday';
import { changed, changesBy, evolveByStep, passOver, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { DAY_TOTALS, TOTALS_AGGREGATE } from './collections';

/** Amounts are decimal text: sums may leave int64. */
export interface BalanceTotal {
  readonly product: string;
  readonly unit: string;
  readonly balanceMinor: string;
  readonly accruedMicro: string;
  readonly accounts: number;
}

/** What postings against a contra line took from accounts of a product and unit, and added to them. */
export interface LineTotal {
  readonly product: string;
  readonly unit: string;
  readonly line: logpb.ContraLine;
  readonly debitMinor: string;
  readonly creditMinor: string;
  readonly postings: number;
}

export interface DayTotalsState {
  readonly branchId: string;
  readonly date: number;
  /** Number of the step that adds up; -1: the run has none. */
  readonly accountingStep: number;
  /** 0: it has not ended. */
  readonly accountedAtUs: number;
  readonly balances: readonly BalanceTotal[];
  readonly lines: readonly LineTotal[];
  /** What an earlier run of the same date said. */
  readonly earlierAtUs: number;
  readonly earlierBalances: readonly BalanceTotal[];
}

export function dayTotalsStateOf(row: Row): DayTotalsState {
  return {
    branchId: row.branch_id as string,
    date: row.date as number,
    accountingStep: row.accounting_step as number,
    accountedAtUs: row.accounted_at_us as number,
    balances: JSON.parse(row.balances as string) as BalanceTotal[],
    lines: JSON.parse(row.lines as string) as LineTotal[],
    earlierAtUs: row.earlier_at_us as number,
    earlierBalances: JSON.parse(row.earlier_balances as string) as BalanceTotal[],
  };
}

function rowOf(state: DayTotalsState, partition: number): Readonly<Record<string, FieldValue>> {
  const { branchId, date, accountingStep, accountedAtUs, balances, lines, earlierAtUs, earlierBalances } = state;
  return {
    ...{ partition, date },
    branch_id: branchId,
    accounting_step: accountingStep,
    accounted_at_us: accountedAtUs,
    balances: JSON.stringify(balances),
    lines: JSON.stringify(lines),
    earlier_at_us: earlierAtUs,
    earlier_balances: JSON.stringify(earlierBalances),
  };
}

const sum = (one: string, other: string): string => String(BigInt(one || '0') + BigInt(other || '0'));

function begun(before: DayTotalsState | undefined, { branchId, date, steps }: businessdaypb.RunBegun): DayTotalsState {
  const { accountedAtUs = 0, balances = [], earlierAtUs = 0, earlierBalances = [] } = before ?? {};
  const earlier = accountedAtUs > 0 ? { earlierAtUs: accountedAtUs, earlierBalances: balances } : { earlierAtUs, earlierBalances };
  const accountingStep = steps.findIndex(({ job }) => job === businessdaypb.Job.JOB_ACCOUNTING);
  return { branchId, date, accountingStep, accountedAtUs: 0, balances: [], lines: [], ...earlier };
}

function added(state: DayTotalsState, totals: readonly logpb.DayTotal[]): Pick<DayTotalsState, 'balances' | 'lines'> {
  const balances = new Map(state.balances.map((total) => [keyOf(total), total]));
  const lines = new Map(state.lines.map((total) => [keyOf(total), total]));
  for (const { product, unit, line, debitMinor, creditMinor, balanceMinor, accruedMicro, count } of totals) {
    const key = keyOf({ product, unit, line });
    if (line === 0) {
      const before = balances.get(key);
      balances.set(key, {
        ...{ product, unit },
        balanceMinor: sum(before?.balanceMinor ?? '0', balanceMinor),
        accruedMicro: sum(before?.accruedMicro ?? '0', accruedMicro),
        accounts: (before?.accounts ?? 0) + Number(count),
      });
    } else {
      const before = lines.get(key);
      lines.set(key, {
        ...{ product, unit, line },
        debitMinor: sum(before?.debitMinor ?? '0', debitMinor),
        creditMinor: sum(before?.creditMinor ?? '0', creditMinor),
        postings: (before?.postings ?? 0) + Number(count),
      });
    }
  }
  return { balances: [...balances.values()], lines: [...lines.values()] };
}

function keyOf({ product, unit, line = 0 }: { readonly product: string; readonly unit: string; readonly line?: number }): string {
  return JSON.stringify([product, unit, line]);
}

interface OfStep {
  readonly branchId: string;
  readonly date: number;
  readonly step: number;
}

/** A change by the step that adds up; other steps change nothing. */
function changeOfAccounting({ branchId, date, step }: OfStep, fieldsOf: (before: DayTotalsState, atUs: number) => Partial<DayTotalsState>) {
  return changed<DayTotalsState>(runIdOf(branchId, date), (before, atUs) => (step === before.accountingStep ? fieldsOf(before, atUs) : {}));
}

const CHANGES: EventHandlersOf<typeof businessDayEvents, undefined, RowChange<DayTotalsState> | undefined> = {
  BranchRegistered: passOver,
  BranchUpdated: passOver,
  DatesSet: passOver,
  DatesInForce: passOver,
  RunBegun: (event) => ({ key: runIdOf(event.branchId, event.date), step: (before) => begun(before, event) }),
  GoalRaised: passOver,
  TermsTaken: passOver,
  StepBegun: passOver,
  StepAdvanced: (event) => {
    const totals = event.done?.totals ?? [];
    return totals.length === 0 ? undefined : changeOfAccounting(event, (before) => added(before, totals));
  },
  StepEnded: (event) => changeOfAccounting(event, (_before, atUs) => ({ accountedAtUs: atUs })),
  OnlineDateMoved: passOver,
  BatchDateMoved: passOver,
  BatchPaused: passOver,
  BatchResumed: passOver,
  ProductSet: passOver,
};

export const dayTotalsRows = projectedRows({
  aggregate: TOTALS_AGGREGATE,
  collection: DAY_TOTALS,
  read: changesBy(businessDayEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: dayTotalsStateOf,
});
