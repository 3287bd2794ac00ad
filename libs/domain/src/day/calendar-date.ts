/**
 * Calendar dates as whole numbers: days since 1970-01-01, in the calendar that banks use (proleptic Gregorian). A number sorts, subtracts and packs well;
 * people see YYYY-MM-DD.
 */

/** Days since 1970-01-01; may be negative. */
export type CalendarDate = number;

export interface YearMonthDay {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** 0001-01-01 and 9999-12-31. */
export const FIRST_DATE: CalendarDate = -719_162;
export const LAST_DATE: CalendarDate = 2_932_896;

const DATE_TEXT = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAYS_OF_ERA = 146_097;
const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Undefined: not YYYY-MM-DD, or no day of the calendar. */
export function dateFromText(text: string): CalendarDate | undefined {
  const match = DATE_TEXT.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  return dateOf({ year, month, day });
}

/** @param date from `FIRST_DATE` to `LAST_DATE`. */
export function textOfDate(date: CalendarDate): string {
  const { year, month, day } = yearMonthDay(date);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** Eras of 400 years that begin on 1 March repeat exactly; within one, the day is counted from the years' and the months' lengths. */
export function dateOf({ year, month, day }: YearMonthDay): CalendarDate {
  const yearFromMarch = month <= 2 ? year - 1 : year;
  const era = Math.floor(yearFromMarch / 400);
  const yearOfEra = yearFromMarch - era * 400;
  const monthFromMarch = (month + 9) % 12;
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - 719_468;
}

export function yearMonthDay(date: CalendarDate): YearMonthDay {
  const shifted = date + 719_468;
  const era = Math.floor(shifted / DAYS_OF_ERA);
  const dayOfEra = shifted - era * DAYS_OF_ERA;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = ((monthFromMarch + 2) % 12) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1 };
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function daysOfMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (DAYS_OF_MONTHS[month - 1] as number);
}

export function isEndOfMonth(date: CalendarDate): boolean {
  const { year, month, day } = yearMonthDay(date);
  return day === daysOfMonth(year, month);
}

/** Months later on the same day, or on the last day of a month that is too short for it: 31 January and one month is 28 or 29 February. */
export function addMonths(date: CalendarDate, months: number): CalendarDate {
  const { year, month, day } = yearMonthDay(date);
  const counted = year * 12 + month - 1 + months;
  const target = { year: Math.floor(counted / 12), month: (((counted % 12) + 12) % 12) + 1 };
  return dateOf({ ...target, day: Math.min(day, daysOfMonth(target.year, target.month)) });
}

/** 1: Monday, to 7: Sunday (ISO 8601). */
export function weekdayOf(date: CalendarDate): number {
  return ((((date + 3) % 7) + 7) % 7) + 1;
}
