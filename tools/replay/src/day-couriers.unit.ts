import { closingDifferencesOfLegs } from './day-couriers';

const DATES = ['1993-01-01', '1993-01-02'];
const legs = [
  { date: '1993-01-01', deltaMinor: -1n },
  { date: '1993-01-02', deltaMinor: 1n },
  { date: '1993-01-02', deltaMinor: 1n },
  { date: '1993-01-03', deltaMinor: -1n },
];

test.each<[what: string, closings: [string, bigint][], differences: string[]]>([
  [
    'follow from the legs',
    [
      ['1993-01-01', 999_999n],
      ['1993-01-02', 1_000_001n],
    ],
    [],
  ],
  [
    'have a leg at another date',
    [
      ['1993-01-01', 1_000_000n],
      ['1993-01-02', 1_000_001n],
    ],
    ['closes 1993-01-01 with 1000000, by its entries 999999'],
  ],
  ['are not there', [['1993-01-01', 999_999n]], ['closes 1993-01-02 with nothing, by its entries 1000001']],
])('closing balances that %s', (_what, closings, differences) => {
  expect(closingDifferencesOfLegs(DATES, legs, new Map(closings))).toEqual(differences);
});
