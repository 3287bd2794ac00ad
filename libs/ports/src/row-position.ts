/** Places of queries as text, for page tokens. `find` checks a place that was read back against its index. */
import type { IndexedValue, RowPosition } from './row-query';

/** As JSON; a bigint becomes an object, since JSON has none. */
export function encodePosition(position: RowPosition): string {
  return JSON.stringify(position.map((value) => (typeof value === 'bigint' ? { int64: value.toString() } : value)));
}

/** Undefined for a text that `encodePosition` did not make. */
export function decodePosition(text: string): RowPosition | undefined {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(values)) return undefined;
  const position = values.map(valueOf);
  return position.every((value) => value !== undefined) ? position : undefined;
}

const INT64 = /^-?\d{1,19}$/;

function valueOf(value: unknown): IndexedValue | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const int64 = (value as { int64?: unknown } | null)?.int64;
  return typeof int64 === 'string' && INT64.test(int64) ? BigInt(int64) : undefined;
}
