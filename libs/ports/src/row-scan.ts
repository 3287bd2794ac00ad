/**
 * Turns a query into the part of an index that a store reads. Every store translates the same scan, so they agree on the rows
 * and on their order.
 *
 * The order of an index is that of its fields, one after the other, and of the key where all of them are equal:
 *
 *   text      by its UTF-8 bytes, which is by code points
 *   int64     by value
 *   number    by value; safe integers only (a time is one: µs since 1970)
 *   boolean   false, then true
 *
 * null and bytes cannot stand in an index, because stores do not agree on their order. A collection that needs mixed
 * directions (highest score, then earliest) keeps one of the fields negated.
 */
import type { CollectionDefinition, FieldType, Row } from './read-store';
import { MAXIMUM_PAGE_ROWS, type IndexedValue, type RowPosition, type RowQuery } from './row-query';
import { compareText } from './text-order';

/** No index answers the query, or a value in it is not one of its field. */
export class InvalidRowQueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidRowQueryError';
  }
}

/** An end of a scan: compared with the fields behind the prefix, as many of them as it has values. */
export interface ScanEnd {
  readonly values: readonly IndexedValue[];
  /** Whether rows that are equal to it belong to the scan. */
  readonly inclusive: boolean;
}

export interface RowScan {
  /** Fields of the index, the key last. */
  readonly fields: readonly string[];
  /** Values that the first fields have. */
  readonly prefix: readonly IndexedValue[];
  readonly low: ScanEnd | undefined;
  readonly high: ScanEnd | undefined;
  readonly descending: boolean;
  readonly limit: number;
}

/** The scan that answers the query; undefined: no row can. Throws InvalidRowQueryError. */
export function scanOf(definition: CollectionDefinition, query: RowQuery): RowScan | undefined {
  const { fields, prefix } = shapeOf(definition, query);
  const { range = {}, after, limit, direction } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAXIMUM_PAGE_ROWS) {
    throw new InvalidRowQueryError(`the limit ${limit} is not in 1 to ${MAXIMUM_PAGE_ROWS}`);
  }
  const rest = fields.slice(prefix.length);
  const ranged = rest[0] as string;
  for (const value of [range.from, range.before]) if (value !== undefined) assertValue(definition, ranged, value);
  if (after !== undefined) assertPosition(definition, rest, after);
  const descending = direction === 'descending';
  let low: ScanEnd | undefined = range.from === undefined ? undefined : { values: [range.from], inclusive: true };
  let high: ScanEnd | undefined = range.before === undefined ? undefined : { values: [range.before], inclusive: false };
  if (after !== undefined) {
    // A place outside of the range: everything of it is behind the place, or nothing.
    const place = after[0] as IndexedValue;
    const belowRange = range.from !== undefined && compareValues(place, range.from) < 0;
    const aboveRange = range.before !== undefined && compareValues(place, range.before) >= 0;
    if (descending ? belowRange : aboveRange) return undefined;
    if (!descending && !belowRange) low = { values: after, inclusive: false };
    if (descending && !aboveRange) high = { values: after, inclusive: false };
  }
  if (range.from !== undefined && range.before !== undefined && compareValues(range.from, range.before) >= 0) return undefined;
  return { fields, prefix, low, high, descending, limit };
}

/** The place of a row in the order of the query: to go on from it, or to look around it. */
export function positionOf(definition: CollectionDefinition, query: Pick<RowQuery, 'index' | 'equals'>, row: Row): RowPosition {
  const { fields, prefix } = shapeOf(definition, query);
  return positionIn(fields, prefix.length, row);
}

/** The rows of a page and where the next one goes on, from what a scan found when it asked for one row more than the limit. */
export function pageOf({ fields, prefix, limit }: RowScan, found: Row[]): { rows: Row[]; next: RowPosition | undefined } {
  if (found.length <= limit) return { rows: found, next: undefined };
  const rows = found.slice(0, limit);
  return { rows, next: positionIn(fields, prefix.length, rows.at(-1) as Row) };
}

function positionIn(fields: readonly string[], prefixLength: number, row: Row): RowPosition {
  return fields.slice(prefixLength).map((field) => row[field] as IndexedValue);
}

/** Fields of every index, each once: those that must have a value in every row. */
export function indexedFields({ indexes }: CollectionDefinition): readonly string[] {
  return [...new Set(Object.values(indexes).flat())];
}

/** Throws where a field of an index has no value that can be ordered; `fields` are the collection's `indexedFields`. */
export function assertIndexed(definition: CollectionDefinition, fields: readonly string[], row: Row): void {
  for (const field of fields) {
    const value = row[field];
    if (isOfType(value, definition.fields[field] as FieldType)) continue;
    throw new Error(`${definition.name}.${field} is in an index: it must be of type ${String(definition.fields[field])}, not ${describe(value)}`);
  }
}

/** Throws for a collection that cannot be stored, or whose indexes cannot be made. */
export function assertCollection(definition: CollectionDefinition): void {
  const { name, key, fields, indexes } = definition;
  if (/_\d+$/.test(name)) throw new Error(`the name of the collection ${name} ends like a format`);
  if (fields[key] !== 'text') throw new Error(`the key of ${name} is not a field of type text`);
  for (const [index, indexed] of Object.entries(indexes)) {
    const wrong = indexed.find((field, at) => field === key || !isOrdered(fields[field]) || indexed.indexOf(field) !== at);
    if (wrong !== undefined || indexed.length === 0) throw new Error(`the index ${index} of ${name} cannot have the field ${wrong ?? '(none)'}`);
  }
}

/** The order of two values of one field. */
export function compareValues(left: IndexedValue, right: IndexedValue): number {
  if (typeof left === 'string') return compareText(left, right as string);
  return left < right ? -1 : left > right ? 1 : 0;
}

function shapeOf(
  definition: CollectionDefinition,
  { index, equals = {} }: Pick<RowQuery, 'index' | 'equals'>,
): { fields: readonly string[]; prefix: IndexedValue[] } {
  const { name, key, indexes } = definition;
  const indexed = index === undefined ? [] : indexes[index];
  if (indexed === undefined) throw new InvalidRowQueryError(`${name} has no index ${index}`);
  const count = Object.keys(equals).length;
  const prefix = indexed.slice(0, count).map((field) => {
    const value = equals[field];
    if (value === undefined) throw new InvalidRowQueryError(`${name}: the fields that must equal are not the first ones of ${index ?? 'its key'}`);
    assertValue(definition, field, value);
    return value;
  });
  if (prefix.length < count) throw new InvalidRowQueryError(`${name}: ${index ?? 'its key'} has fewer fields than must equal`);
  return { fields: [...indexed, key], prefix };
}

function assertPosition(definition: CollectionDefinition, fields: readonly string[], position: RowPosition): void {
  if (position.length !== fields.length) throw new InvalidRowQueryError(`${definition.name}: the place to go on from is not one of this query`);
  fields.forEach((field, at) => assertValue(definition, field, position[at]));
}

function assertValue({ name, fields }: CollectionDefinition, field: string, value: unknown): void {
  if (!isOfType(value, fields[field] as FieldType))
    throw new InvalidRowQueryError(`${name}.${field} is of type ${String(fields[field])}, not ${describe(value)}`);
}

function isOrdered(type: FieldType | undefined): boolean {
  return type !== undefined && type !== 'bytes';
}

function isOfType(value: unknown, type: FieldType): value is IndexedValue {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'int64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
    case 'number':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'bytes':
      return false;
    default:
      return type satisfies never;
  }
}

function describe(value: unknown): string {
  return value === null || value === undefined ? 'null' : typeof value;
}
