import fc from 'fast-check';
import { addMonths, dateFromText, dateOf, FIRST_DATE, isEndOfMonth, LAST_DATE, textOfDate, weekdayOf, yearMonthDay } from './calendar-date';

const dates = fc.integer({ min: FIRST_DATE, max: LAST_DATE });

test('a date and its text are those of the calendar that Date knows, over 10,000 years', () => {
  fc.assert(
    fc.property(dates, (date) => {
      const text = new Date(date * 86_400_000).toISOString().slice(0, 10);
      expect(textOfDate(date)).toBe(text);
      expect(dateFromText(text)).toBe(date);
      expect(dateOf(yearMonthDay(date))).toBe(date);
      expect(weekdayOf(date) % 7).toBe(new Date(date * 86_400_000).getUTCDay());
    }),
    { examples: [[FIRST_DATE], [LAST_DATE], [0], [-1]] },
  );
});

test.each([
  '1993-02-29',
  '1900-02-29',
  '1993-13-01',
  '1993-00-10',
  '1993-04-31',
  '0000-01-01',
  '93-01-01',
  '1993-1-1',
  '1993-01-01 ',
  ' 1993-01-01',
  '1993-01-01T00:00',
  '',
])('%j is no date', (text) => {
  expect(dateFromText(text)).toBeUndefined();
});

test.each`
  date            | months | later
  ${'1993-01-31'} | ${1}   | ${'1993-02-28'}
  ${'1992-01-31'} | ${1}   | ${'1992-02-29'}
  ${'1993-01-15'} | ${12}  | ${'1994-01-15'}
  ${'1993-11-30'} | ${3}   | ${'1994-02-28'}
  ${'1993-03-31'} | ${-1}  | ${'1993-02-28'}
  ${'1993-01-31'} | ${-13} | ${'1991-12-31'}
`('$months months after $date is $later', ({ date, months, later }: { date: string; months: number; later: string }) => {
  expect(textOfDate(addMonths(dateFromText(date) as number, months))).toBe(later);
});

test.each`
  date            | isEnd
  ${'1992-02-28'} | ${false}
  ${'1992-02-29'} | ${true}
  ${'1993-02-28'} | ${true}
  ${'1993-12-31'} | ${true}
  ${'1993-12-30'} | ${false}
`('$date is the end of its month: $isEnd', ({ date, isEnd }: { date: string; isEnd: boolean }) => {
  expect(isEndOfMonth(dateFromText(date) as number)).toBe(isEnd);
});
