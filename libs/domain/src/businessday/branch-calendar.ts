/** Which dates are business dates of a branch, and at what moment its day is cut. */
import { dateOf, FIRST_DATE, LAST_DATE, weekdayOf, type CalendarDate } from '../day';

export interface BranchCalendar {
  /** IANA name. */
  readonly timeZone: string;
  /** Weekdays without business, 1: Monday, to 7: Sunday; fewer than seven. */
  readonly restDays: ReadonlySet<number>;
  /** Single dates without business. */
  readonly holidays: ReadonlySet<CalendarDate>;
  /** By the clocks of the time zone: minutes since midnight, 0 to 1,439. A day of 0 is cut at the midnight that ends it. */
  readonly cutMinutes: number;
}

/** A branch that has so many holidays in a row has no next business date: its calendar is refused. */
export const MAXIMUM_CLOSED_DAYS = 366;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** No two offsets of a time zone around one moment are further apart, with room: Samoa once left out a whole day. */
const LARGEST_JUMP_MS = 26 * 3_600_000;
/** No time zone changes its offset twice within it. */
const STEP_MS = 6 * 3_600_000;

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

export function isBusinessDate({ restDays, holidays }: BranchCalendar, date: CalendarDate): boolean {
  return !restDays.has(weekdayOf(date)) && !holidays.has(date);
}

/** The first business date after the given one; undefined: none within `MAXIMUM_CLOSED_DAYS`, or beyond the calendar. */
export function nextBusinessDate(calendar: BranchCalendar, date: CalendarDate): CalendarDate | undefined {
  const last = Math.min(date + MAXIMUM_CLOSED_DAYS, LAST_DATE);
  for (let next = date + 1; next <= last; next += 1) if (isBusinessDate(calendar, next)) return next;
  return undefined;
}

/** The last business date before the given one; the day before it where there is none within `MAXIMUM_CLOSED_DAYS`, or before the calendar. */
export function previousBusinessDate(calendar: BranchCalendar, date: CalendarDate): CalendarDate {
  const first = Math.max(date - MAXIMUM_CLOSED_DAYS, FIRST_DATE);
  for (let previous = date - 1; previous >= first; previous -= 1) if (isBusinessDate(calendar, previous)) return previous;
  return date - 1;
}

/** The date on the calendars of the time zone at a moment. */
export function dateAt({ timeZone }: Pick<BranchCalendar, 'timeZone'>, atMs: number): CalendarDate {
  return Math.floor(localMsAt(timeZone, atMs) / DAY_MS);
}

/**
 * When the day of a date is cut, in milliseconds since 1970: at the cut time of that date. A cut time that the clocks skip is the moment at which they skip it; one that they show
 * twice is the first of the two. So every date is cut once, and none before the date before it.
 */
export function cutMomentMs({ timeZone, cutMinutes }: Pick<BranchCalendar, 'timeZone' | 'cutMinutes'>, date: CalendarDate): number {
  const wanted = (cutMinutes === 0 ? date + 1 : date) * DAY_MS + cutMinutes * MINUTE_MS;
  // The first moment at which the clocks show the wanted time or a later one. Clocks that are set back show earlier times again, so that the first such moment is
  // looked for between the changes of the clocks: before a change they show the wanted time, or they do not reach it.
  let from = wanted - LARGEST_JUMP_MS;
  const until = wanted + LARGEST_JUMP_MS;
  while (from < until) {
    const change = nextChangeMs(timeZone, from, until);
    const moment = Math.max(from, wanted - offsetAt(timeZone, from));
    if (moment < change) return moment;
    from = change;
  }
  return until;
}

/** The first moment after `fromMs`, until `untilMs`, at which the offset differs from that at `fromMs`; `untilMs` where there is none. Both are whole seconds. */
function nextChangeMs(timeZone: string, fromMs: number, untilMs: number): number {
  const offset = offsetAt(timeZone, fromMs);
  let same = fromMs;
  let other = fromMs;
  do {
    if (other === untilMs) return untilMs;
    same = other;
    other = Math.min(same + STEP_MS, untilMs);
  } while (offsetAt(timeZone, other) === offset);
  while (other - same > 1_000) {
    const middle = same + Math.floor((other - same) / 2_000) * 1_000;
    if (offsetAt(timeZone, middle) === offset) same = middle;
    else other = middle;
  }
  return other;
}

function offsetAt(timeZone: string, atMs: number): number {
  return localMsAt(timeZone, atMs) - Math.floor(atMs / 1_000) * 1_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of the zone show, as if they stood in UTC; whole seconds. */
function localMsAt(timeZone: string, atMs: number): number {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formats.size >= 1_000) formats.clear();
    formats.set(timeZone, format);
  }
  const shown: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) if (type !== 'literal') shown[type] = Number(value);
  const { year, month, day, hour, minute, second } = shown as { year: number; month: number; day: number; hour: number; minute: number; second: number };
  return dateOf({ year, month, day }) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000;
}
