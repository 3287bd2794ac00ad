import { bankDays, dayAfter, type BankDay } from './bank-day';
import { surveyBank } from './bank-survey';
import type { BankTransaction } from './bank-transaction';

type Row = readonly [date: string, accountId: string, branchId: string, amountMinor: bigint, balanceAfterMinor: bigint];

async function* transactionsOf(rows: readonly Row[]): AsyncGenerator<BankTransaction, void, undefined> {
  for (const [at, [date, accountId, branchId, amountMinor, balanceAfterMinor]] of rows.entries())
    yield { line: at + 2, date, transactionId: String(at), accountId, branchId, amountMinor, balanceAfterMinor, kind: 'VKLAD' };
}

async function daysOf(...rows: Row[]): Promise<BankDay[]> {
  const days: BankDay[] = [];
  const survey = await surveyBank('bank.csv', transactionsOf(rows));
  for await (const day of bankDays('bank.csv', survey, transactionsOf(rows))) days.push(day);
  return days;
}

const ROWS: Row[] = [
  ['1993-02-27', 'a', 'x', 100n, 150n],
  ['1993-02-27', 'b', 'y', 70n, 70n],
  ['1993-02-27', 'a', 'x', -30n, 120n],
  ['1993-03-01', 'c', 'x', 5n, 5n],
];

test('every day has every branch, with what is posted and what its accounts have in the end', async () => {
  const days = await daysOf(...ROWS);
  const told = days.flatMap(({ date, branches }) =>
    branches.map(({ branchId, transactions, closings, openingMinor, debitMinor, creditMinor, closingMinor }) =>
      [date, branchId, transactions.length, [...closings].join(' '), openingMinor, debitMinor, creditMinor, closingMinor].join(' | '),
    ),
  );
  expect(told).toEqual([
    '1993-02-27 | x | 2 | a,120 c,0 | 50 | 30 | 100 | 120',
    '1993-02-27 | y | 1 | b,70 | 0 | 0 | 70 | 70',
    '1993-02-28 | x | 0 | a,120 c,0 | 120 | 0 | 0 | 120',
    '1993-02-28 | y | 0 | b,70 | 70 | 0 | 0 | 70',
    '1993-03-01 | x | 1 | a,120 c,5 | 120 | 0 | 5 | 125',
    '1993-03-01 | y | 0 | b,70 | 70 | 0 | 0 | 70',
  ]);
});

test.each`
  date            | next
  ${'1993-02-28'} | ${'1993-03-01'}
  ${'1992-02-28'} | ${'1992-02-29'}
  ${'1993-12-31'} | ${'1994-01-01'}
`('$next follows $date', ({ date, next }: { date: string; next: string }) => {
  expect(dayAfter(date)).toBe(next);
});

test.each<[what: string, row: Row, message: string]>([
  ['goes back in time', ['1993-02-26', 'a', 'x', 1n, 121n], 'bank.csv, line 6: the date 1993-02-26 comes behind 1993-03-01'],
  ['has a day that no month has', ['1993-04-31', 'a', 'x', 1n, 121n], 'bank.csv, line 6: date is "1993-04-31", no day of the calendar'],
  ['has a month that is none', ['1993-13-01', 'a', 'x', 1n, 121n], 'bank.csv, line 6: date is "1993-13-01", no day of the calendar'],
])('a file that %s is refused with its line', async (_what, row, message) => {
  await expect(daysOf(...ROWS, row)).rejects.toThrow(message);
});
