/**
 * How a field's value is stored in a column, and read back.
 *
 *   field     column     stored as
 *   text      TEXT       UTF-8; NUL is escaped, because libsql ends a text there when it reads it
 *   int64     INTEGER    read as bigint
 *   number    REAL       exact for safe integers (SQLite packs them as integers), read as number beside bigint columns
 *   boolean   INTEGER    0 or 1
 *   bytes     BLOB
 */
import type { FieldType, FieldValue } from '@sluice/ports';
import type { SqlValue } from './sqlite-connection';

export const COLUMN_TYPES: Readonly<Record<FieldType, string>> = { text: 'TEXT', int64: 'INTEGER', number: 'REAL', boolean: 'INTEGER', bytes: 'BLOB' };

const NUL_OR_ESCAPE = /[\u0000\u0001]/;

/** Keeps the order of texts: NUL becomes 01 01 and 01 becomes 01 02, both below every other character. */
export function storedText(text: string): string {
  if (!NUL_OR_ESCAPE.test(text)) return text;
  return text.replace(/[\u0000\u0001]/g, (character) => (character === '\u0000' ? '\u0001\u0001' : '\u0001\u0002'));
}

export function loadedText(stored: string): string {
  if (!stored.includes('\u0001')) return stored;
  return stored.replace(/\u0001[\u0001\u0002]/g, (pair) => (pair === '\u0001\u0001' ? '\u0000' : '\u0001'));
}

export function storedValue(value: FieldValue | undefined): SqlValue {
  if (value === undefined) return null;
  if (typeof value === 'string') return storedText(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value;
}

export function loadedValue(type: FieldType, stored: SqlValue): FieldValue {
  if (stored === null) return null;
  if (type === 'text') return loadedText(stored as string);
  if (type === 'boolean') return stored === 1n;
  return stored;
}
