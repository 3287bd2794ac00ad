import type { LineBalance, ProductBalance } from '@sluice/client';
import { Output } from '../output';
import { showTrialBalance } from './report-view';

const product = (
  code: string,
  unit: string,
  minor: readonly [opening: bigint, debit: bigint, credit: bigint, closing: bigint],
  accruedMicro = 0n,
): ProductBalance => {
  const [openingMinor, debitMinor, creditMinor, closingMinor] = minor;
  return { product: code, unit, openingMinor, debitMinor, creditMinor, closingMinor, accounts: 2, accruedMicro };
};
const line = (code: string, unit: string, name: string, debitMinor: bigint, creditMinor: bigint): LineBalance => ({
  product: code,
  unit,
  line: 'CASH',
  name,
  debitMinor,
  creditMinor,
  postings: 3n,
});

function shown(balanced: boolean, openingDerived = false): string {
  let text = '';
  const screen = { write: (piece: string) => (text += piece) };
  showTrialBalance(new Output({ results: screen, messages: screen }, false), {
    branchId: 'prague',
    date: '2026-11-27',
    products: [
      product('current', 'CZK', [100n, 30n, 5n, 75n]),
      product('savings', 'CZK', [0n, 0n, 20n, 20n], -1_500_000n),
      product('', 'EUR', [1n, 0n, 0n, 1n]),
    ],
    lines: [line('current', 'CZK', 'till', 5n, 30n), line('savings', 'CZK', 'interest', 20n, 0n)],
    balanced,
    openingDerived,
  });
  return text;
}

test('a trial balance is two tables with the sums of each unit that has several rows', () => {
  expect(shown(true)).toBe(
    [
      'product  unit  opening  debits  credits  closing  accounts  accrued',
      'current  CZK       100      30        5       75         2',
      'savings  CZK         0       0       20       20         2  -1.500000',
      'all      CZK       100      30       25       95         4  -1.500000',
      '         EUR         1       0        0        1         2',
      '',
      'product  unit  contra line  debits  credits  postings',
      'current  CZK   till              5       30         3',
      'savings  CZK   interest         20        0         3',
      'all      CZK                    25       30         6',
      '',
      'balanced on 2026-11-27: opening balances and the contra lines add up to the closing balances',
      '',
    ].join('\n'),
  );
  expect(shown(false)).toMatch(/\nNOT BALANCED on 2026-11-27\n$/);
  expect(shown(true, true)).toMatch(/2026-11-27 is the first date of the branch that was totalled\n$/);
});
