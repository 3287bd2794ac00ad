/** Dates of requests. */
import type { CalendarDate } from '@sluice/domain/day';
import { dateFromText } from '@sluice/domain/day';
import { invalidRequest } from '@sluice/service';

/** Throws INVALID_REQUEST. */
export function dateAsked(text: string, field: string): CalendarDate {
  const date = dateFromText(text);
  if (date === undefined) throw invalidRequest(field, `is "${text.slice(0, 32)}"; it must be a date, YYYY-MM-DD`);
  return date;
}

/** Undefined: the field is empty. Throws INVALID_REQUEST. */
export function optionalDateAsked(text: string, field: string): CalendarDate | undefined {
  return text === '' ? undefined : dateAsked(text, field);
}
