/** Reads a bank's transaction file. */
import { BANK_COLUMNS, type BankTransaction, bankTransactionOf } from './bank-transaction';
import { readCsvFile } from './csv-file';

export function readBankFile(file: string): AsyncGenerator<BankTransaction, void, undefined> {
  return readCsvFile(file, { columns: BANK_COLUMNS, plural: 'transactions', rowOf: bankTransactionOf });
}
