/** Day-count conventions: which part of a year lies between two dates. */
import { daysOfMonth, yearMonthDay, type CalendarDate } from './calendar-date';

export const DAY_COUNTS = ['ACT_365', 'ACT_360', '30E_360'] as const;
export type DayCount = (typeof DAY_COUNTS)[number];

/** Days of the year by the convention: the denominator. ACT/365 has 365 in leap years, too (ISDA 2006, section 4.16(d): "Fixed"). */
export function daysOfYear(convention: DayCount): number {
  return convention === 'ACT_365' ? 365 : 360;
}

/**
 * Days between two dates by the convention, from the first (included) to the second (excluded): the numerator. 30E/360 counts each month as 30 days and takes a 31st as a 30th
 * (ISDA 2006, section 4.16(g)). Of adjoining spans the days add up.
 */
export function daysBetween(convention: DayCount, from: CalendarDate, to: CalendarDate): number {
  return convention === '30E_360' ? thirties(to) - thirties(from) : to - from;
}

function thirties(date: CalendarDate): number {
  const { year, month, day } = yearMonthDay(date);
  return year * 360 + month * 30 + Math.min(day, 30);
}

/** The date of the same month on which a payment that is due on `day` takes place: the last one of a shorter month. */
export function dayWithinMonth(date: CalendarDate, day: number): CalendarDate {
  const { year, month, day: today } = yearMonthDay(date);
  return date - today + Math.min(day, daysOfMonth(year, month));
}
