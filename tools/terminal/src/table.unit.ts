import { formatTable } from './table';

test('a table is aligned, its figures to the right', () => {
  expect(
    formatTable(
      ['side', 'median/s', 'p99 ms'],
      [
        ['sluice', 151_234.5, 9.876],
        ['row lock on SQLite', 1_900, undefined],
      ],
    ),
  ).toBe(
    [
      'side                median/s  p99 ms',
      '──────────────────  ────────  ──────',
      'sluice               151,235    9.88',
      'row lock on SQLite     1,900       –',
    ].join('\n'),
  );
});
