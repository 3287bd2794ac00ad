import { businessdaypb } from '@sluice/protocol/businessday';
import { lineFormatOf, LinePieces, MAXIMUM_PIECE_BYTES } from './closing-balance-lines';

const { EXPORT_FORMAT_CSV, EXPORT_FORMAT_JSON_LINES, EXPORT_FORMAT_UNSPECIFIED } = businessdaypb.ExportFormat;
const closing = (accountId: string) => ({ accountId, product: 'p', unit: 'EUR', balanceMinor: -9_223_372_036_854_775_808n });

test.each`
  accountId   | csv
  ${'a b'}    | ${'a b'}
  ${'a,b'}    | ${'"a,b"'}
  ${'a"b'}    | ${'"a""b"'}
  ${'a\r\nb'} | ${'"a\r\nb"'}
  ${'über'}   | ${'über'}
`('$accountId is written as $csv', ({ accountId, csv }: Record<'accountId' | 'csv', string>) => {
  expect(lineFormatOf(EXPORT_FORMAT_CSV)?.line(closing(accountId))).toBe(`${csv},p,EUR,-9223372036854775808\r\n`);
  const json = lineFormatOf(EXPORT_FORMAT_JSON_LINES)?.line(closing(accountId)) ?? '';
  expect([json.indexOf('\n'), JSON.parse(json)]).toEqual([
    json.length - 1,
    { account_id: accountId, product: 'p', unit: 'EUR', closing_minor: '-9223372036854775808' },
  ]);
});

test('CSV is written where no format is said, and no other one is known', () => {
  expect(lineFormatOf(EXPORT_FORMAT_UNSPECIFIED)).toBe(lineFormatOf(EXPORT_FORMAT_CSV));
  expect(lineFormatOf(99 as businessdaypb.ExportFormat)).toBeUndefined();
});

test('pieces are whole lines of 64 KiB at most', () => {
  const pieces = new LinePieces();
  const lines = Array.from({ length: 3_000 }, (_, at) => `${'ü'.repeat(at % 60)}${at}\n`);
  const full = lines.flatMap((line) => pieces.add(line) ?? []);
  const all = [...full, pieces.rest() ?? Buffer.alloc(0)];
  expect(Buffer.concat(all).toString('utf8')).toBe(lines.join(''));
  expect(all.length).toBeGreaterThan(2);
  for (const piece of all) expect([piece.length <= MAXIMUM_PIECE_BYTES, piece.at(-1)]).toEqual([true, 10]);
  for (const piece of full) expect(piece.length).toBeGreaterThan(MAXIMUM_PIECE_BYTES - 200);
  expect(pieces.rest()).toBeUndefined();
});
