/** What the verification says of events that contradict the postings of an account. */
import { LedgerDays, type SaidDay } from './ledger-days';

const T = 100;
const said = (sequence: number, lastDayDate: number, lastDayBalanceMinor: bigint, date?: number, deltaMinor = 0n): SaidDay => ({
  sequence,
  committedAtUs: sequence,
  lastDayDate,
  lastDayBalanceMinor,
  booked: date === undefined ? undefined : { date, deltaMinor, accepted: true },
  behindSetDates: false,
});
const BOOKED = said(1, T - 1, 50n, T, 7n);

test.each`
  what                                           | last                              | fault
  ${'a sweep with what was booked at the date'}  | ${said(2, T, 57n)}                | ${undefined}
  ${'a sweep with another balance'}              | ${said(2, T, 56n)}                | ${'sequence 2 says the last-day balance of date 100 is 56, the postings up to that date make it 57'}
  ${'a posting of the next date'}                | ${said(2, T, 57n, T + 1, 1n)}     | ${undefined}
  ${'a posting of the next date, counted twice'} | ${said(2, T, 58n, T + 1, 1n)}     | ${'sequence 2 says the last-day balance of date 100 is 58, the postings up to that date make it 57'}
  ${'a leg of the date that has ended'}          | ${said(2, T - 1, 53n, T - 1, 3n)} | ${undefined}
  ${'such a leg that is lost'}                   | ${said(2, T - 1, 50n, T - 1, 3n)} | ${'sequence 2 says the last-day balance of date 99 is 50, the postings up to that date make it 53'}
`('$what: $fault', ({ last, fault }: { last: SaidDay; fault: string | undefined }) => {
  const days = new LedgerDays(50n, false);
  expect(days.say(BOOKED)).toBeUndefined();
  expect(days.say(last)).toBe(fault);
});

test('a date that was closed twice since takes no posting', () => {
  const days = new LedgerDays(0n, false);
  for (const [sequence, date] of [T, T + 1, T + 2, T + 3].entries()) days.say(said(sequence + 1, date - 1, BigInt(date - T), date, 1n));
  expect(days.say(said(9, T + 2, 3n, T, 1n))).toBe('sequence 9 books at date 100, which was closed twice since');
});

test('however many dates an account has closed, it keeps the newest rows only, and counts all', () => {
  const days = new LedgerDays(0n, false);
  for (let date = T; date < T + 50; date += 1) days.say(said(date, date - 1, BigInt(date - T), date, 1n));
  expect([days.digest.count, days.rows.size]).toEqual([49, 4]);
});
