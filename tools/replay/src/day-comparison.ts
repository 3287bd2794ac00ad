/** Holds what a server says of the end of a day against what follows from the file. */
import type { DayProof, TrialBalance } from '@sluice/client';
import type { BranchOfDay } from './bank-day';

/** Product of the accounts of the file; what else a branch has, has another one. */
export const BANK_PRODUCT = 'replayed';
/** Head of the column of an export with the account, and of that with what it had in the end. */
const ACCOUNT_FIELD = 'account_id';
const CLOSING_FIELD = 'closing_minor';

/** @param lines an export as JSON lines. */
export function closingsOf(lines: string): Map<string, bigint> {
  const closings = new Map<string, bigint>();
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const row = JSON.parse(line) as Readonly<Record<string, unknown>>;
    closings.set(String(row[ACCOUNT_FIELD]), BigInt(row[CLOSING_FIELD] as string));
  }
  return closings;
}

/** @param idOf the account as the server knows it. */
export function closingDifferences({ closings }: BranchOfDay, found: ReadonlyMap<string, bigint>, idOf: (accountId: string) => string): string[] {
  const differences: string[] = [];
  for (const [accountId, expected] of closings) {
    const closing = found.get(idOf(accountId));
    if (closing !== expected) differences.push(`account ${accountId} closes with ${closing ?? 'nothing'}, the file says ${expected}`);
  }
  return differences;
}

/** The accounts of the file were moved by the transactions of the file alone: everything is on the cash line. */
export function trialBalanceDifferences(branch: BranchOfDay, found: TrialBalance): string[] {
  const product = found.products.find((balance) => balance.product === BANK_PRODUCT);
  const lines = found.lines.filter((balance) => balance.product === BANK_PRODUCT);
  const cash = lines.find(({ line }) => line === 'CASH');
  const ofOtherLines = lines.filter((line) => line !== cash).reduce((sum, { debitMinor, creditMinor }) => sum + debitMinor + creditMinor, 0n);
  const compared: readonly (readonly [what: string, found: bigint | number | undefined, expected: bigint | number])[] = [
    ['accounts', product?.accounts, branch.closings.size],
    ['opening balances', product?.openingMinor, branch.openingMinor],
    ['debits', product?.debitMinor, branch.debitMinor],
    ['credits', product?.creditMinor, branch.creditMinor],
    ['closing balances', product?.closingMinor, branch.closingMinor],
    // The line is debited with what accounts are credited with.
    ['debits of the cash line', cash?.debitMinor ?? 0n, branch.creditMinor],
    ['credits of the cash line', cash?.creditMinor ?? 0n, branch.debitMinor],
    ['movements of other lines', ofOtherLines, 0n],
  ];
  const differences = compared
    .filter(([, value, expected]) => value !== expected)
    .map(([what, value, expected]) => `trial balance: ${what}: ${value ?? 'none'}, by the file ${expected}`);
  return found.balanced ? differences : [...differences, 'trial balance: it does not balance'];
}

/** @param closings of every account of the branch, as the server exports them. */
export function proofDifferences({ accounts, failures, failureCount, sums }: DayProof, closings: ReadonlyMap<string, bigint>): string[] {
  const closing = [...closings.values()].reduce((sum, closingMinor) => sum + closingMinor, 0n);
  const differences = failures.map(
    ({ accountId, openingMinor, postedMinor, closingMinor }) => `day proof of ${accountId}: ${openingMinor} and ${postedMinor} posted are not ${closingMinor}`,
  );
  if (failureCount > failures.length) differences.push(`day proof: it fails for ${failureCount - failures.length} further accounts`);
  if (accounts !== closings.size) differences.push(`day proof: of ${accounts} accounts, the branch has ${closings.size}`);
  const proven = sums.reduce((sum, { closingMinor }) => sum + closingMinor, 0n);
  if (proven !== closing) differences.push(`day proof: closing balances add up to ${proven}, those of the export to ${closing}`);
  for (const { unit, openingMinor, postedMinor, closingMinor } of sums)
    if (openingMinor + postedMinor !== closingMinor) differences.push(`day proof: ${openingMinor} and ${postedMinor} posted are not ${closingMinor} ${unit}`);
  return differences;
}
