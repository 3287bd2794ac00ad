import fc from 'fast-check';
import { cutMomentMs, dateAt, isTimeZone, nextBusinessDate, type BranchCalendar } from './branch-calendar';
import { dateFromText, textOfDate, type CalendarDate } from '../day';

const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;
const WEEKEND = new Set([6, 7]);

test.each`
  timeZone               | cut            | date            | moment                        | why
  ${'UTC'}               | ${18 * 60}     | ${'1993-06-01'} | ${'1993-06-01T18:00:00.000Z'} | ${'no summer time'}
  ${'UTC'}               | ${0}           | ${'1993-06-01'} | ${'1993-06-02T00:00:00.000Z'} | ${'midnight ends the day'}
  ${'Europe/Prague'}     | ${18 * 60}     | ${'2026-01-15'} | ${'2026-01-15T17:00:00.000Z'} | ${'winter'}
  ${'Europe/Prague'}     | ${18 * 60}     | ${'2026-07-15'} | ${'2026-07-15T16:00:00.000Z'} | ${'summer'}
  ${'Europe/Prague'}     | ${2 * 60 + 30} | ${'2026-03-29'} | ${'2026-03-29T01:00:00.000Z'} | ${'skipped: clocks go from 02:00 to 03:00'}
  ${'Europe/Prague'}     | ${2 * 60 + 30} | ${'2026-10-25'} | ${'2026-10-25T00:30:00.000Z'} | ${'shown twice: the first'}
  ${'Europe/Prague'}     | ${3 * 60}      | ${'2026-10-25'} | ${'2026-10-25T02:00:00.000Z'} | ${'shown once, behind the hour that is repeated'}
  ${'America/New_York'}  | ${17 * 60}     | ${'2026-03-08'} | ${'2026-03-08T21:00:00.000Z'} | ${'the day on which summer time begins'}
  ${'America/Sao_Paulo'} | ${0}           | ${'2018-11-03'} | ${'2018-11-04T03:00:00.000Z'} | ${'a midnight that is skipped'}
  ${'Pacific/Apia'}      | ${18 * 60}     | ${'2011-12-30'} | ${'2011-12-30T10:00:00.000Z'} | ${'a whole day that is skipped'}
  ${'Asia/Kathmandu'}    | ${18 * 60}     | ${'2026-01-15'} | ${'2026-01-15T12:15:00.000Z'} | ${'an offset in quarters of an hour'}
`('the cut of $date at minute $cut in $timeZone: $why', ({ timeZone, cut, date, moment }: Record<string, string>) => {
  expect(new Date(cutMomentMs({ timeZone: timeZone as string, cutMinutes: Number(cut) }, on(date as string))).toISOString()).toBe(moment);
});

const zones = fc.constantFrom(
  'UTC',
  'Europe/Prague',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Asia/Tehran',
  'America/Sao_Paulo',
);

test('each date is cut at or after the cut of the date before, and within that date where the clocks show the cut time', () => {
  const days = fc.integer({ min: on('1990-01-01'), max: on('2030-12-31') });
  fc.assert(
    fc.property(zones, fc.integer({ min: 0, max: 1_439 }), days, (timeZone, cutMinutes, date) => {
      const calendar = { timeZone, cutMinutes };
      const moment = cutMomentMs(calendar, date);
      expect(moment).toBeGreaterThanOrEqual(cutMomentMs(calendar, date - 1));
      expect(moment).toBeLessThanOrEqual(cutMomentMs(calendar, date + 1));
      const ends = cutMinutes === 0 ? date + 1 : date;
      // Where the clocks skip a whole day its cut is the first moment of the day behind it.
      expect([ends, ends + 1]).toContain(dateAt(calendar, moment));
      if (dateAt(calendar, moment) !== ends) expect(dateAt(calendar, moment - 1_000)).toBeLessThan(ends);
    }),
    {
      numRuns: 300,
      examples: [
        ['Pacific/Apia', 0, on('2011-12-30')],
        ['Australia/Lord_Howe', 120, on('2026-10-04')],
      ],
    },
  );
});

test.each`
  date            | holidays                        | next
  ${'2026-11-25'} | ${[]}                           | ${'2026-11-26'}
  ${'2026-11-27'} | ${[]}                           | ${'2026-11-30'}
  ${'2026-12-23'} | ${['2026-12-24', '2026-12-25']} | ${'2026-12-28'}
  ${'2026-12-24'} | ${['2026-12-24', '2026-12-25']} | ${'2026-12-28'}
`('behind $date, with weekends and the holidays $holidays, comes $next', ({ date, holidays, next }: { date: string; holidays: string[]; next: string }) => {
  const calendar: BranchCalendar = { timeZone: 'UTC', restDays: WEEKEND, holidays: new Set(holidays.map(on)), cutMinutes: 0 };
  expect(textOfDate(nextBusinessDate(calendar, on(date)) as CalendarDate)).toBe(next);
});

test('a calendar that is closed for more than a year has no next business date', () => {
  const holidays = new Set(Array.from({ length: 400 }, (_, day) => on('2026-01-01') + day));
  expect(nextBusinessDate({ timeZone: 'UTC', restDays: new Set(), holidays, cutMinutes: 0 }, on('2026-01-01'))).toBeUndefined();
});

test.each`
  name               | known
  ${'Europe/Prague'} | ${true}
  ${'UTC'}           | ${true}
  ${'Mars/Olympus'}  | ${false}
  ${''}              | ${false}
`('$name is a time zone: $known', ({ name, known }: { name: string; known: boolean }) => {
  expect(isTimeZone(name)).toBe(known);
});
