/**
 * Closing balances of a date, account by account. The rows of accounts are those of other partitions than the branch's: they may be behind the rows that say that the date is
 * closed. So the sums of what was written are compared with what the accounting job added up: an export that ends without an error is whole.
 */
import type { CalendarDate } from '@sluice/domain/day';
import type { ReadCopy } from '@sluice/ports';
import { type AccountClosing, type PauseBetweenReads, readBranchClosings } from '@sluice/projections';
import type { DayTotalsState } from '@sluice/projections/businessday';
import { refusal } from '@sluice/service';
import { type LineFormat, LinePieces } from './closing-balance-lines';

/** Accounts that are read at once. */
const ACCOUNTS_PER_PAGE = 500;

export interface ExportedDate {
  readonly branchId: string;
  readonly date: CalendarDate;
  /** Undefined: the run had no accounting job, and nothing is compared. */
  readonly totals: DayTotalsState | undefined;
}

/** Pieces of whole lines; the next page is read when the caller has taken them. */
export async function* exportClosingBalances(
  copy: ReadCopy,
  { branchId, date, totals }: ExportedDate,
  { head, line }: LineFormat,
  pause: PauseBetweenReads,
): AsyncGenerator<Buffer> {
  const pieces = new LinePieces();
  const sums = new Map<string, bigint>();
  pieces.add(head);
  let after: Awaited<ReturnType<typeof readBranchClosings>>['next'];
  do {
    const page = await readBranchClosings(copy, { branchId, date, after, limit: ACCOUNTS_PER_PAGE }, pause);
    const [early] = page.notClosed;
    if (early !== undefined) throw refusal('READ_BEHIND', `the read store does not have the end of the date for account "${early}" yet; ask again`);
    for (const closing of page.closings) {
      add(sums, closing);
      const piece = pieces.add(line(closing));
      if (piece !== undefined) yield piece;
    }
    after = page.next;
  } while (after !== undefined);
  if (totals !== undefined) assertSums(sums, totals);
  const rest = pieces.rest();
  if (rest !== undefined) yield rest;
}

function add(sums: Map<string, bigint>, { unit, balanceMinor }: Pick<AccountClosing, 'unit' | 'balanceMinor'>): void {
  sums.set(unit, (sums.get(unit) ?? 0n) + balanceMinor);
}

function assertSums(sums: ReadonlyMap<string, bigint>, { balances }: DayTotalsState): void {
  const totals = new Map<string, bigint>();
  for (const { unit, balanceMinor } of balances) add(totals, { unit, balanceMinor: BigInt(balanceMinor) });
  for (const unit of new Set([...sums.keys(), ...totals.keys()])) {
    const [written, total] = [sums.get(unit) ?? 0n, totals.get(unit) ?? 0n];
    if (written === total) continue;
    const message = `closing balances of ${unit} add up to ${written}, and the end of day said ${total}: rows of accounts are behind; ask again`;
    throw refusal('READ_BEHIND', message, { unit, written: String(written), total: String(total) });
  }
}
