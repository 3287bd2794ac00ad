/** Reports, trial balances and proofs as people see them. */
import type { DayProof, DayProofFailure, DayProofSum, DayReport, LineBalance, ProductBalance, TrialBalance } from '@sluice/client';
import { type Cell, clockText, type Output } from '../output';
import { tookText } from './day-view';

const MICRO = 1_000_000n;
const MICRO_DIGITS = 6;
/** In the column of products: all of them. */
const ALL = 'all';

export function reportPairs({ run, accounts, interestCreditedMinor, interestChargedMinor, matured }: DayReport): readonly (readonly [string, Cell])[] {
  return [
    ['branch', run.branchId],
    ['date', run.date],
    ['next date', run.nextDate],
    ['state', run.state],
    ['begun', clockText(run.begunAt)],
    ['took', tookText(run)],
    ['accounts', accounts],
    ['interest credited', interestCreditedMinor],
    ['interest charged', interestChargedMinor],
    ['matured', matured],
    ['stragglers', run.stragglers],
    ['set aside', run.setAsideCount],
    ['forced', run.forcedReason],
  ];
}

export function showTrialBalance(output: Output, trialBalance: TrialBalance): void {
  output.table(withTotals(trialBalance.products, PRODUCT_SUMS), PRODUCT_COLUMNS);
  if (trialBalance.lines.length > 0) {
    output.line('');
    output.table(withTotals(trialBalance.lines, LINE_SUMS), LINE_COLUMNS);
  }
  output.line('');
  output.line(balanceText(trialBalance));
}

function balanceText({ date, balanced, openingDerived }: TrialBalance): string {
  if (!balanced) return `NOT BALANCED on ${date}`;
  if (openingDerived) return `opening balances are derived from the others: ${date} is the first date of the branch that was totalled`;
  return `balanced on ${date}: opening balances and the contra lines add up to the closing balances`;
}

const PRODUCT_COLUMNS: Readonly<Record<string, (row: ProductBalance) => Cell>> = {
  product: (row) => row.product,
  unit: (row) => row.unit,
  opening: (row) => row.openingMinor,
  debits: (row) => row.debitMinor,
  credits: (row) => row.creditMinor,
  closing: (row) => row.closingMinor,
  accounts: (row) => row.accounts,
  accrued: (row) => microText(row.accruedMicro),
};

const LINE_COLUMNS: Readonly<Record<string, (row: LineBalance) => Cell>> = {
  product: (row) => row.product,
  unit: (row) => row.unit,
  'contra line': (row) => row.name,
  debits: (row) => row.debitMinor,
  credits: (row) => row.creditMinor,
  postings: (row) => row.postings,
};

export const PROOF_COLUMNS: Readonly<Record<string, (row: DayProofSum) => Cell>> = {
  unit: (row) => row.unit,
  opening: (row) => row.openingMinor,
  posted: (row) => row.postedMinor,
  closing: (row) => row.closingMinor,
};

export const PROOF_FAILURE_COLUMNS: Readonly<Record<string, (row: DayProofFailure) => Cell>> = {
  'proof fails': (row) => row.accountId,
  opening: (row) => row.openingMinor,
  posted: (row) => row.postedMinor,
  closing: (row) => row.closingMinor,
};

export function proofPairs(branchId: string, date: string, proof: DayProof): readonly (readonly [string, Cell])[] {
  const { accounts, postings, failureCount, verifiedAt } = proof;
  return [
    ['branch', branchId],
    ['date', date],
    ['verdict', failureCount === 0 ? 'opening + posted = closing, for every account' : `the proof of ${failureCount} accounts fails`],
    ['accounts', accounts],
    ['postings', postings],
    ['verified', clockText(verifiedAt)],
  ];
}

type Sums<Row> = (rows: readonly Row[]) => Omit<Row, 'unit'>;

const PRODUCT_SUMS: Sums<ProductBalance> = (rows) => ({
  product: ALL,
  openingMinor: sum(rows, (row) => row.openingMinor),
  debitMinor: sum(rows, (row) => row.debitMinor),
  creditMinor: sum(rows, (row) => row.creditMinor),
  closingMinor: sum(rows, (row) => row.closingMinor),
  accounts: rows.reduce((total, row) => total + row.accounts, 0),
  accruedMicro: sum(rows, (row) => row.accruedMicro),
});

const LINE_SUMS: Sums<LineBalance> = (rows) => ({
  product: ALL,
  line: undefined,
  name: '',
  debitMinor: sum(rows, (row) => row.debitMinor),
  creditMinor: sum(rows, (row) => row.creditMinor),
  postings: sum(rows, (row) => row.postings),
});

/** The rows, and behind those of each unit their sums where there are several. */
function withTotals<Row extends { readonly unit: string }>(rows: readonly Row[], sums: Sums<Row>): Row[] {
  const units = [...new Set(rows.map(({ unit }) => unit))];
  return units.flatMap((unit) => {
    const ofUnit = rows.filter((row) => row.unit === unit);
    return ofUnit.length < 2 ? ofUnit : [...ofUnit, { ...sums(ofUnit), unit } as Row];
  });
}

function sum<Row>(rows: readonly Row[], amount: (row: Row) => bigint): bigint {
  return rows.reduce((total, row) => total + amount(row), 0n);
}

/** Millionths of a minor unit as a decimal number; '' for none. */
function microText(micro: bigint): string {
  if (micro === 0n) return '';
  const digits = micro < 0n ? -micro : micro;
  return `${micro < 0n ? '-' : ''}${digits / MICRO}.${String(digits % MICRO).padStart(MICRO_DIGITS, '0')}`;
}
