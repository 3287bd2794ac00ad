/** One row of a bank's transaction file, the rules by which text becomes one, and what it is as a posting. */
import type { PostingInput } from '@sluice/client';
import { MalformedFileError } from './malformed-file-error';

/** The columns that must be there; others are passed over. */
export const BANK_COLUMNS = ['date', 'transaction_id', 'account_id', 'branch_id', 'amount_minor', 'balance_after_minor', 'kind'] as const;

export interface BankTransaction {
  /** Line of the file, 1 is the header. */
  readonly line: number;
  /** YYYY-MM-DD; has no hour, so the order of the file counts. */
  readonly date: string;
  readonly transactionId: string;
  readonly accountId: string;
  readonly branchId: string;
  /** Negative: a withdrawal. */
  readonly amountMinor: bigint;
  /** The bank's own balance after it. */
  readonly balanceAfterMinor: bigint;
  /** The bank's word for it; may be a single space. */
  readonly kind: string;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INTEGER = /^-?\d{1,19}$/;
const INT64_MAX = 9_223_372_036_854_775_807n;
const MAXIMUM_ID_BYTES = 64;

export function bankTransactionOf(file: string, line: number, record: Readonly<Record<string, string>>): BankTransaction {
  const text = (column: (typeof BANK_COLUMNS)[number]): string => record[column] ?? '';
  const id = (column: 'transaction_id' | 'account_id' | 'branch_id'): string => {
    const value = text(column);
    if (value.trim() === '' || Buffer.byteLength(value) > MAXIMUM_ID_BYTES)
      throw new MalformedFileError(file, line, `${column} is ${JSON.stringify(value)}, not an id of 1 to ${MAXIMUM_ID_BYTES} bytes`);
    return value;
  };
  const amount = (column: 'amount_minor' | 'balance_after_minor'): bigint => {
    const value = text(column);
    const minor = INTEGER.test(value) ? BigInt(value) : undefined;
    if (minor === undefined || minor > INT64_MAX || minor < -INT64_MAX)
      throw new MalformedFileError(file, line, `${column} is ${JSON.stringify(value)}, not a whole number of minor units`);
    return minor;
  };
  const date = text('date');
  if (!DATE.test(date)) throw new MalformedFileError(file, line, `date is ${JSON.stringify(date)}, not YYYY-MM-DD`);
  return {
    line,
    date,
    transactionId: id('transaction_id'),
    accountId: id('account_id'),
    branchId: id('branch_id'),
    amountMinor: amount('amount_minor'),
    balanceAfterMinor: amount('balance_after_minor'),
    kind: text('kind'),
  };
}

export function movementOf(amountMinor: bigint): Pick<PostingInput, 'type' | 'amountMinor'> {
  return amountMinor < 0n ? { type: 'DEBIT', amountMinor: -amountMinor } : { type: 'CREDIT', amountMinor };
}

export function describeTransaction({ line, transactionId, accountId, date }: BankTransaction): string {
  return `row ${line - 1} (line ${line}): transaction ${transactionId} of account ${accountId} on ${date}`;
}
