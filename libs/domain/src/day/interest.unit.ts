import fc from 'fast-check';
import { addMonths, dateFromText, isLeapYear, type CalendarDate } from './calendar-date';
import { Exact, interestByFormula, interestTerms } from '../test/interest-by-formula';
import { DAY_COUNTS, dayWithinMonth, daysBetween, type DayCount } from './day-count';
import { accrue, capitalise, faultOfTerms, MICRO, NOTHING_ACCRUED, type AccruedInterest, type InterestTerms } from './interest';

const on = (text: string): CalendarDate => dateFromText(text) as CalendarDate;
/** A year of one day each over leap years and month ends. */
const days = fc.tuple(
  fc.integer({ min: on('1991-12-01'), max: on('2001-03-31') }),
  fc.array(fc.bigInt(-(10n ** 15n), 10n ** 15n), { minLength: 1, maxLength: 400 }),
);

test('what accrues day by day is the sum of the formula over the days, to less than a millionth of a minor unit', () => {
  fc.assert(
    fc.property(interestTerms, days, (rules, [first, balances]) => {
      let accrued = NOTHING_ACCRUED;
      let expected = new Exact(0);
      balances.forEach((balance, day) => {
        accrued = accrue(accrued, rules, balance, first + day, first + day + 1);
        expected = expected.plus(interestByFormula(rules, balance, daysBetween(rules.dayCount, first + day, first + day + 1)));
      });
      expect(expected.times(1_000_000).minus(accrued.microMinor.toString()).abs().lessThan(1)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('capitalising on any days books what the formula gives for all of them, to the unit, half-even', () => {
  fc.assert(
    fc.property(interestTerms, days, fc.integer({ min: 1, max: 40 }), (rules, [first, balances], everyDays) => {
      let accrued = NOTHING_ACCRUED;
      let booked = 0n;
      let expected = new Exact(0);
      balances.forEach((balance, day) => {
        accrued = accrue(accrued, rules, balance, first + day, first + day + 1);
        expected = expected.plus(interestByFormula(rules, balance, daysBetween(rules.dayCount, first + day, first + day + 1)));
        if (day % everyDays !== 0 && day !== balances.length - 1) return;
        const { amountMinor, accrued: left } = capitalise(accrued);
        booked += amountMinor;
        accrued = left;
      });
      // The difference to the exact sum is what is still accrued: at most half a unit. What ends in just a half may be rounded to either side of the exact sum, depending on what was booked before.
      expect(expected.minus(booked.toString()).abs().lessThanOrEqualTo('0.500001')).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test.each`
  microMinor     | remainder | amountMinor | why
  ${1_499_999n}  | ${0n}     | ${1n}       | ${'below the half'}
  ${1_500_000n}  | ${0n}     | ${2n}       | ${'the half goes to the even unit above'}
  ${2_500_000n}  | ${0n}     | ${2n}       | ${'the half goes to the even unit below'}
  ${2_500_000n}  | ${1n}     | ${3n}       | ${'a remainder makes it more than the half'}
  ${-1_500_000n} | ${0n}     | ${-2n}      | ${'the half of a charge goes to the even unit'}
  ${-2_500_000n} | ${0n}     | ${-2n}      | ${'the half of a charge goes to the even unit'}
  ${-2_500_000n} | ${-1n}    | ${-3n}      | ${'a remainder makes the charge more than the half'}
  ${3_500_000n}  | ${-1n}    | ${3n}       | ${'a remainder makes it less than the half'}
  ${0n}          | ${0n}     | ${0n}       | ${'nothing'}
`(
  '$microMinor millionths and a remainder of $remainder become $amountMinor: $why',
  ({ microMinor, remainder, amountMinor }: AccruedInterest & { amountMinor: bigint }) => {
    expect(capitalise({ microMinor, remainder })).toEqual({ amountMinor, accrued: { microMinor: microMinor - amountMinor * MICRO, remainder } });
  },
);

test('a year of a balance of a million at 3.65 % accrues 36,500 by ACT/365, and a day more of a leap year', () => {
  const rules: InterestTerms = { dayCount: 'ACT_365', tiers: [{ fromMinor: 0n, basisPoints: 365 }], debitBasisPoints: 0 };
  expect(accrue(NOTHING_ACCRUED, rules, 1_000_000n, on('1993-01-01'), on('1994-01-01')).microMinor).toBe(36_500n * MICRO);
  expect(accrue(NOTHING_ACCRUED, rules, 1_000_000n, on('1992-01-01'), on('1993-01-01')).microMinor).toBe(36_600n * MICRO);
});

test.each`
  dayCount     | from            | to              | counted
  ${'ACT_365'} | ${'1992-02-01'} | ${'1992-03-01'} | ${29}
  ${'ACT_360'} | ${'1993-02-01'} | ${'1993-03-01'} | ${28}
  ${'30E_360'} | ${'1993-02-01'} | ${'1993-03-01'} | ${30}
  ${'30E_360'} | ${'1993-02-28'} | ${'1993-03-01'} | ${3}
  ${'30E_360'} | ${'1993-01-30'} | ${'1993-01-31'} | ${0}
  ${'30E_360'} | ${'1993-01-31'} | ${'1993-02-01'} | ${1}
  ${'30E_360'} | ${'1993-01-31'} | ${'1994-01-31'} | ${360}
`('$dayCount counts $counted days from $from to $to', ({ dayCount, from, to, counted }: { dayCount: DayCount; from: string; to: string; counted: number }) => {
  expect(daysBetween(dayCount, on(from), on(to))).toBe(counted);
});

test('days of adjoining spans add up, and 30E/360 counts 30 for every month', () => {
  const date = fc.integer({ min: on('1990-01-01'), max: on('2030-12-31') });
  fc.assert(
    fc.property(fc.constantFrom(...DAY_COUNTS), date, date, date, (dayCount, a, b, c) => {
      expect(daysBetween(dayCount, a, b) + daysBetween(dayCount, b, c)).toBe(daysBetween(dayCount, a, c));
      const firstOfMonth = dayWithinMonth(a, 1);
      expect(daysBetween('30E_360', firstOfMonth, addMonths(firstOfMonth, 1))).toBe(30);
    }),
  );
});

test.each`
  terms                                                                                                                 | fault
  ${{ tiers: [{ fromMinor: 0n, basisPoints: 250 }], debitBasisPoints: 1_800 }}                                          | ${undefined}
  ${{ tiers: [], debitBasisPoints: 0 }}                                                                                 | ${'NO_TIERS'}
  ${{ tiers: [{ fromMinor: 1n, basisPoints: 1 }], debitBasisPoints: 0 }}                                                | ${'FIRST_TIER_NOT_ZERO'}
  ${{ tiers: [{ fromMinor: 0n, basisPoints: 1 }, { fromMinor: 0n, basisPoints: 2 }], debitBasisPoints: 0 }} | ${'TIERS_NOT_RISING'}
  ${{ tiers: [{ fromMinor: 0n, basisPoints: -1 }], debitBasisPoints: 0 }}                                               | ${'RATE_OUT_OF_RANGE'}
  ${{ tiers: [{ fromMinor: 0n, basisPoints: 100_001 }], debitBasisPoints: 0 }}                                          | ${'RATE_OUT_OF_RANGE'}
  ${{ tiers: [{ fromMinor: 0n, basisPoints: 1 }], debitBasisPoints: 0.5 }}                                              | ${'RATE_OUT_OF_RANGE'}
  ${{ tiers: Array.from({ length: 21 }, (_, at) => ({ fromMinor: BigInt(at), basisPoints: 1 })), debitBasisPoints: 0 }} | ${'TOO_MANY_TIERS'}
`('terms are held against their rules: $fault', ({ terms: given, fault }: { terms: Omit<InterestTerms, 'dayCount'>; fault: string | undefined }) => {
  expect(faultOfTerms({ ...given, dayCount: 'ACT_365' })).toBe(fault);
});

test('1992 and 2000 are leap years, 1900 and 1993 are not', () => {
  expect([1992, 2000, 1900, 1993].map(isLeapYear)).toEqual([true, true, false, false]);
});
