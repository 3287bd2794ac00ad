import type { DayProof, TrialBalance } from '@sluice/client';
import type { BranchOfDay } from './bank-day';
import { BANK_PRODUCT, closingDifferences, closingsOf, proofDifferences, trialBalanceDifferences } from './day-comparison';

const branch: BranchOfDay = {
  branchId: '55',
  transactions: [],
  closings: new Map([
    ['a', 120n],
    ['b', -20n],
  ]),
  openingMinor: 30n,
  debitMinor: 10n,
  creditMinor: 80n,
  closingMinor: 100n,
};
const idOf = (accountId: string): string => `bank/${accountId}`;

test('closing balances are read from JSON lines, whole at any size', () => {
  expect(closingsOf('{"account_id":"bank/a","closing_minor":"9223372036854775807"}\n{"account_id":"bank/b","closing_minor":"-20"}\n')).toEqual(
    new Map([
      ['bank/a', 9_223_372_036_854_775_807n],
      ['bank/b', -20n],
    ]),
  );
});

test.each<[what: string, found: [string, bigint][], differences: string[]]>([
  [
    'equal',
    [
      ['bank/a', 120n],
      ['bank/b', -20n],
      ['courier', 7n],
    ],
    [],
  ],
  [
    'another one',
    [
      ['bank/a', 121n],
      ['bank/b', -20n],
    ],
    ['account a closes with 121, the file says 120'],
  ],
  ['none', [['bank/a', 120n]], ['account b closes with nothing, the file says -20']],
])('closing balances: %s', (_what, found, differences) => {
  expect(closingDifferences(branch, new Map(found), idOf)).toEqual(differences);
});

const product = { product: BANK_PRODUCT, unit: 'CZK', openingMinor: 30n, debitMinor: 10n, creditMinor: 80n, closingMinor: 100n, accounts: 2, accruedMicro: 0n };
const cash = { product: BANK_PRODUCT, unit: 'CZK', line: 'CASH', name: 'Cash', debitMinor: 80n, creditMinor: 10n, postings: 3n } as const;
const courier = { ...cash, product: 'courier', line: 'INTER_BRANCH' } as const;
const found: TrialBalance = { branchId: '55', date: '1993-01-01', products: [product], lines: [cash, courier], balanced: true, openingDerived: false };

test.each<[what: string, found: Partial<TrialBalance>, differences: string[]]>([
  ['equal', {}, []],
  ['not balanced', { balanced: false }, ['trial balance: it does not balance']],
  [
    'other sums',
    { products: [{ ...product, openingMinor: 31n, accounts: 3 }] },
    ['trial balance: accounts: 3, by the file 2', 'trial balance: opening balances: 31, by the file 30'],
  ],
  [
    'another line',
    { lines: [cash, { ...cash, line: 'INTEREST', debitMinor: 1n, creditMinor: 0n }] },
    ['trial balance: movements of other lines: 1, by the file 0'],
  ],
  ['no cash', { lines: [] }, ['trial balance: debits of the cash line: 0, by the file 80', 'trial balance: credits of the cash line: 0, by the file 10']],
])('trial balance: %s', (_what, changed, differences) => {
  expect(trialBalanceDifferences(branch, { ...found, ...changed })).toEqual(differences);
});

const closings = new Map([
  ['bank/a', 120n],
  ['bank/b', -20n],
]);
const proof: DayProof = {
  accounts: 2,
  postings: 3n,
  failures: [],
  failureCount: 0,
  sums: [{ unit: 'CZK', openingMinor: 30n, postedMinor: 70n, closingMinor: 100n }],
  verifiedAt: undefined,
};

test.each<[what: string, found: Partial<DayProof>, differences: string[]]>([
  ['holds', {}, []],
  ['of fewer accounts', { accounts: 1 }, ['day proof: of 1 accounts, the branch has 2']],
  [
    'fails',
    { failures: [{ accountId: 'bank/a', openingMinor: 1n, postedMinor: 2n, closingMinor: 4n }], failureCount: 3 },
    ['day proof of bank/a: 1 and 2 posted are not 4', 'day proof: it fails for 2 further accounts'],
  ],
  [
    'of other sums',
    { sums: [{ unit: 'CZK', openingMinor: 30n, postedMinor: 70n, closingMinor: 101n }] },
    ['day proof: closing balances add up to 101, those of the export to 100', 'day proof: 30 and 70 posted are not 101 CZK'],
  ],
])('day proof: %s', (_what, changed, differences) => {
  expect(proofDifferences({ ...proof, ...changed }, closings)).toEqual(differences);
});
