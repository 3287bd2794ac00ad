/** Trial balances and reports of a date, from what its accounting job added up. */
import { textOfDate } from '@sluice/domain/day';
import type { BalanceTotal, DayTotalsState, LineTotal } from '@sluice/projections/businessday';
import { logpb } from '@sluice/protocol';
import { businessdaypb } from '@sluice/protocol/businessday';

/** Names of lines that a branch has given none. */
const LINE_NAMES: Readonly<Record<number, string>> = {
  [logpb.ContraLine.CONTRA_LINE_CASH]: 'Cash',
  [logpb.ContraLine.CONTRA_LINE_INTER_BRANCH]: 'Inter-branch',
  [logpb.ContraLine.CONTRA_LINE_INTEREST]: 'Interest',
  [logpb.ContraLine.CONTRA_LINE_IN_TRANSIT]: 'In transit',
  [logpb.ContraLine.CONTRA_LINE_FUNDS]: 'Funds',
};

/** Sums of one product and unit. */
interface Moved {
  readonly product: string;
  readonly unit: string;
  openingMinor: bigint;
  debitMinor: bigint;
  creditMinor: bigint;
  closingMinor: bigint;
  accounts: number;
  accruedMicro: bigint;
}

/**
 * @param opening closing balances that were added up last before; undefined: none were, and openings are worked out of the rest.
 * @param lineNames of the branch, by line.
 */
export function trialBalanceOf(
  { branchId, date, balances, lines }: DayTotalsState,
  opening: readonly BalanceTotal[] | undefined,
  lineNames: Readonly<Record<number, string>>,
): businessdaypb.TrialBalance {
  const products = movedByProduct(balances, lines, opening ?? []);
  if (opening === undefined) for (const moved of products) moved.openingMinor = moved.closingMinor - moved.creditMinor + moved.debitMinor;
  return {
    branchId,
    date: textOfDate(date),
    products: products.map(productBalance),
    lines: sorted(lines).map((line) => lineBalance(line, lineNames)),
    balanced: isBalanced(products),
    openingDerived: opening === undefined,
  };
}

function movedByProduct(balances: readonly BalanceTotal[], lines: readonly LineTotal[], opening: readonly BalanceTotal[]): Moved[] {
  const byProduct = new Map<string, Moved>();
  const of = ({ product, unit }: Pick<Moved, 'product' | 'unit'>): Moved => {
    const key = JSON.stringify([product, unit]);
    const known = byProduct.get(key);
    if (known !== undefined) return known;
    const none: Moved = { product, unit, openingMinor: 0n, debitMinor: 0n, creditMinor: 0n, closingMinor: 0n, accounts: 0, accruedMicro: 0n };
    byProduct.set(key, none);
    return none;
  };
  for (const total of opening) of(total).openingMinor += BigInt(total.balanceMinor);
  for (const total of lines) {
    of(total).debitMinor += BigInt(total.debitMinor);
    of(total).creditMinor += BigInt(total.creditMinor);
  }
  for (const total of balances) {
    const moved = of(total);
    moved.closingMinor += BigInt(total.balanceMinor);
    moved.accruedMicro += BigInt(total.accruedMicro);
    moved.accounts += total.accounts;
  }
  return sorted([...byProduct.values()]);
}

/** By unit, not by product: an account may have got another product since. */
function isBalanced(products: readonly Moved[]): boolean {
  const missing = new Map<string, bigint>();
  for (const { unit, openingMinor, creditMinor, debitMinor, closingMinor } of products) {
    missing.set(unit, (missing.get(unit) ?? 0n) + openingMinor + creditMinor - debitMinor - closingMinor);
  }
  return [...missing.values()].every((amount) => amount === 0n);
}

function productBalance({ product, unit, accounts, accruedMicro, ...amounts }: Moved): businessdaypb.ProductBalance {
  const { openingMinor, debitMinor, creditMinor, closingMinor } = amounts;
  return {
    ...{ product, unit },
    openingMinor: String(openingMinor),
    debitMinor: String(debitMinor),
    creditMinor: String(creditMinor),
    closingMinor: String(closingMinor),
    accounts: BigInt(accounts),
    accruedMicro: String(accruedMicro),
  };
}

/** The other side: a line is debited with what accounts were credited with. */
function lineBalance(
  { product, unit, line, debitMinor, creditMinor, postings }: LineTotal,
  names: Readonly<Record<number, string>>,
): businessdaypb.LineBalance {
  const name = names[line] || LINE_NAMES[line] || `line ${line}`;
  return { product, unit, line, name, debitMinor: creditMinor, creditMinor: debitMinor, postings: BigInt(postings) };
}

function sorted<Of extends { readonly product: string; readonly unit: string; readonly line?: number }>(all: readonly Of[]): Of[] {
  const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
  return [...all].sort((one, other) => compare(one.product, other.product) || compare(one.unit, other.unit) || (one.line ?? 0) - (other.line ?? 0));
}

export function dayReportOf(
  run: businessdaypb.BatchRun,
  { balances, lines }: DayTotalsState,
  trialBalance: businessdaypb.TrialBalance,
): businessdaypb.DayReport {
  const interest = lines.filter(({ line }) => line === logpb.ContraLine.CONTRA_LINE_INTEREST);
  const maturity = run.steps.filter(({ job }) => job === businessdaypb.Job.JOB_MATURITY);
  return {
    ...{ run, trialBalance },
    accounts: BigInt(balances.reduce((sum, { accounts }) => sum + accounts, 0)),
    interestCreditedMinor: String(interest.reduce((sum, { creditMinor }) => sum + BigInt(creditMinor), 0n)),
    interestChargedMinor: String(interest.reduce((sum, { debitMinor }) => sum + BigInt(debitMinor), 0n)),
    matured: maturity.reduce((sum, { changed }) => sum + changed, 0n),
  };
}
