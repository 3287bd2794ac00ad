/** What requests must look like; the first thing wrong is named by its field. */
import { type CalendarDate, dateFromText } from '@sluice/domain/day';
import { usFromTimestamp } from '@sluice/protocol';
import { invalidRequest } from '@sluice/service';

export const MAXIMUM_ID_BYTES = 128;
const DEFAULT_PAGE_SIZE = 100;
const MAXIMUM_PAGE_SIZE = 1_000;

/** Refuses what cannot be the key of an aggregate. */
export function checkKey(field: string, key: string): void {
  const bytes = Buffer.byteLength(key, 'utf8');
  if (bytes < 1 || bytes > MAXIMUM_ID_BYTES) throw invalidRequest(field, `is 1 to ${MAXIMUM_ID_BYTES} bytes, not ${bytes}`);
}

/** Refuses what can be the id of nothing; empty: it is not asked for. */
export function checkFilter(field: string, id: string): void {
  if (id !== '') checkKey(field, id);
}

export function checkedPageSize(pageSize: number): number {
  if (pageSize < 0 || pageSize > MAXIMUM_PAGE_SIZE)
    throw invalidRequest('page_size', `is 1 to ${MAXIMUM_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}; not ${pageSize}`);
  return pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
}

/** An enum of a request: its names, what they begin with, and what a value is to people. */
export interface RequestEnum {
  readonly names: Readonly<Record<number, string>>;
  readonly prefix: string;
  readonly what: string;
}

/** Name of the value, as rows have it; empty for 0: any. */
export function checkedName(field: string, { names, prefix, what }: RequestEnum, value: number): string {
  if (value === 0) return '';
  const name = names[value];
  if (name === undefined || value < 0) throw invalidRequest(field, `${value} is not ${what}`);
  return name.slice(prefix.length);
}

/**
 * Microseconds. Timestamps reach from the year 1 to the year 9999, and microseconds that rows count from 1684 to 2255: what is beyond is the nearest of these,
 * because all rows are as much before or after it.
 */
export function checkedTimeUs(field: string, timestamp: Parameters<typeof usFromTimestamp>[0]): number {
  try {
    const us = Number(usFromTimestamp(timestamp));
    return Math.min(Math.max(us, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  } catch (error) {
    if (error instanceof RangeError) throw invalidRequest(field, `is not a time: ${error.message}`);
    throw error;
  }
}

/** A date as YYYY-MM-DD. */
export function checkedDate(field: string, text: string): CalendarDate {
  const date = dateFromText(text);
  if (date === undefined) throw invalidRequest(field, `"${text}" is not a date: YYYY-MM-DD`);
  return date;
}
