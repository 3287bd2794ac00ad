/**
 * One collection of one copy of the read store: a table, its indexes and its prepared statements. Rows are written one by
 * one with a prepared upsert and one reused array of parameters: statements of many rows at a time and JSON arguments were
 * both measured slower with libsql.
 */
import {
  assertIndexed,
  indexedFields,
  pageOf,
  scanOf,
  type CollectionDefinition,
  type FieldType,
  type FieldValue,
  type IndexedValue,
  type Row,
  type RowPage,
  type RowQuery,
  type RowScan,
  type RowWrite,
} from '@sluice/ports';
import { COLUMN_TYPES, loadedValue, storedText, storedValue } from './field-values';
import type { SqliteConnection, SqlRow, SqlStatement, SqlValue } from './sqlite-connection';

const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

export class CollectionTable {
  readonly #connection: SqliteConnection;
  readonly #definition: CollectionDefinition;
  readonly #name: string;
  readonly #table: string;
  readonly #indexedFields: readonly string[];
  readonly #fields: readonly string[];
  readonly #types: readonly FieldType[];
  readonly #parameters: SqlValue[];
  readonly #statements = new Map<string, SqlStatement>();

  constructor(connection: SqliteConnection, definition: CollectionDefinition, table: string) {
    this.#connection = connection;
    this.#definition = definition;
    this.#name = table;
    this.#table = quoted(table);
    this.#indexedFields = indexedFields(definition);
    this.#fields = Object.keys(definition.fields);
    this.#types = Object.values(definition.fields);
    this.#parameters = new Array<SqlValue>(this.#fields.length).fill(null);
  }

  get(key: string): Row | undefined {
    const row = this.#statement('get', () => `SELECT ${this.#columns()} FROM ${this.#table} WHERE ${quoted(this.#definition.key)} = ?`).get([storedText(key)]);
    return row && this.#loaded(row);
  }

  /** In one statement, so that all rows are of one moment. */
  getMany(keys: readonly string[]): (Row | undefined)[] {
    const lookup = this.#statement('getMany', () => {
      return `SELECT ${this.#columns()} FROM ${this.#table} WHERE ${quoted(this.#definition.key)} IN (SELECT value FROM json_each(?))`;
    });
    const found = new Map<string, Row>();
    for (const stored of lookup.all([JSON.stringify(keys.map(storedText))])) {
      const row = this.#loaded(stored);
      found.set(row[this.#definition.key] as string, row);
    }
    return keys.map((key) => found.get(key));
  }

  find(query: RowQuery): RowPage {
    const scan = scanOf(this.#definition, query);
    if (scan === undefined) return { rows: [], next: undefined };
    const statement = this.#statement(`find ${shapeOf(scan)}`, () => this.#select(scan));
    return pageOf(
      scan,
      statement.all(parametersOf(scan)).map((row) => this.#loaded(row)),
    );
  }

  /** How SQLite answers the query: the lines of EXPLAIN QUERY PLAN. */
  explain(query: RowQuery): string[] {
    const scan = scanOf(this.#definition, query);
    if (scan === undefined) return [];
    const plan = this.#connection.prepare(`EXPLAIN QUERY PLAN ${this.#select(scan)}`);
    return plan.all(parametersOf(scan)).map((row) => String(row[3]));
  }

  keyOf(write: RowWrite): string {
    if (write.kind === 'delete') return write.key;
    const key = write.row[this.#definition.key];
    if (typeof key !== 'string') throw new Error(`a row of ${this.#definition.name} has no key`);
    return key;
  }

  put(row: Row): void {
    const parameters = this.#parameters;
    let present = 0;
    for (let at = 0; at < parameters.length; at += 1) {
      const value = row[this.#fields[at] as string];
      if (value !== undefined) present += 1;
      parameters[at] = storedValue(value);
    }
    let given = 0;
    for (const _field in row) given += 1;
    if (present !== given) for (const field of Object.keys(row)) this.#assertField(field);
    if (this.#indexedFields.length > 0) assertIndexed(this.#definition, this.#indexedFields, row);
    this.#statement('put', () => this.#upsert()).run(parameters);
  }

  delete(key: string): void {
    this.#statement('delete', () => `DELETE FROM ${this.#table} WHERE ${quoted(this.#definition.key)} = ?`).run([storedText(key)]);
  }

  /** Names its index, so that SQLite refuses to prepare what it could not read through it. */
  #select({ fields, prefix, low, high, descending }: RowScan): string {
    const rest = fields.slice(prefix.length);
    const conditions = fields.slice(0, prefix.length).map((field) => `${quoted(field)} = ?`);
    if (low !== undefined) conditions.push(comparison(rest, low.values.length, low.inclusive ? '>=' : '>'));
    if (high !== undefined) conditions.push(comparison(rest, high.values.length, high.inclusive ? '<=' : '<'));
    const index = fields.length === 1 ? '' : ` INDEXED BY ${quoted(indexName(this.#name, fields))}`;
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const order = rest.map((field) => `${quoted(field)}${descending ? ' DESC' : ''}`).join(', ');
    return `SELECT ${this.#columns()} FROM ${this.#table}${index}${where} ORDER BY ${order} LIMIT ?`;
  }

  #upsert(): string {
    const { key, guard } = this.#definition;
    const others = this.#fields.filter((field) => field !== key).map(quoted);
    const places = this.#fields.map(() => '?').join(', ');
    const assignments = others.map((column) => `${column} = excluded.${column}`).join(', ');
    const update = others.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${assignments}`;
    const condition = guard === undefined ? '' : ` WHERE excluded.${quoted(guard)} > ${this.#table}.${quoted(guard)}`;
    return `INSERT INTO ${this.#table} (${this.#columns()}) VALUES (${places}) ON CONFLICT (${quoted(key)}) ${update}${condition}`;
  }

  #loaded(stored: SqlRow): Row {
    const row: Record<string, FieldValue> = {};
    for (let at = 0; at < stored.length; at += 1) row[this.#fields[at] as string] = loadedValue(this.#types[at] as FieldType, stored[at] as SqlValue);
    return row;
  }

  #columns(): string {
    return this.#fields.map(quoted).join(', ');
  }

  #statement(name: string, sql: () => string): SqlStatement {
    let statement = this.#statements.get(name);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql(), { bigIntegers: true });
      this.#statements.set(name, statement);
    }
    return statement;
  }

  #assertField(field: string): void {
    if (!(field in this.#definition.fields)) throw new Error(`${this.#definition.name} has no field ${field}`);
  }
}

/** Makes the table and its indexes, where they are missing, over the rows that are there. An index that is no longer declared stays until a rebuild. */
export function createTable(connection: SqliteConnection, definition: CollectionDefinition, table: string): void {
  const columns = Object.entries(definition.fields).map(
    ([field, type]) => `${quoted(field)} ${COLUMN_TYPES[type]}${field === definition.key ? ' NOT NULL PRIMARY KEY' : ''}`,
  );
  // Rows that are written again and again are small and found by their key: without a rowid one tree is touched, not two.
  const layout = definition.guard === undefined && definition.small !== true ? '' : ' WITHOUT ROWID';
  connection.exec(`CREATE TABLE IF NOT EXISTS ${quoted(table)} (${columns.join(', ')})${layout}`);
  assertTable(connection, definition, table);
  for (const { name, fields } of declaredIndexes(definition, table)) {
    connection.exec(`CREATE INDEX IF NOT EXISTS ${quoted(name)} ON ${quoted(table)} (${fields.map(quoted).join(', ')})`);
  }
}

/** Throws where the table has other fields than the collection. */
export function assertTable(connection: SqliteConnection, definition: CollectionDefinition, table: string): void {
  const stored = connection
    .prepare('SELECT name, type FROM pragma_table_info(?)')
    .all([table])
    .map(([name, type]) => `${String(name)} ${String(type)}`);
  const declared = Object.entries(definition.fields).map(([field, type]) => `${field} ${COLUMN_TYPES[type]}`);
  if (stored.sort().join() === declared.sort().join()) return;
  throw new Error(`the collection ${definition.name} has other fields in the read store (table ${table}) than are declared: its projection needs a new format`);
}

/** The indexes that the table must have, with their fields. */
export function declaredIndexes(definition: CollectionDefinition, table: string): { readonly name: string; readonly fields: readonly string[] }[] {
  return Object.values(definition.indexes).map((indexed) => {
    const fields = [...indexed, definition.key];
    return { name: indexName(table, fields), fields };
  });
}

/** Says which fields it has, so that an index whose fields change is another one. The key, which ends every index, is left out. */
function indexName(table: string, fields: readonly string[]): string {
  return `${table}_by_${fields.slice(0, -1).join('_')}`;
}

/** As many fields as there are values, compared as one. */
function comparison(fields: readonly string[], count: number, operator: string): string {
  if (count === 1) return `${quoted(fields[0] as string)} ${operator} ?`;
  return `(${fields.slice(0, count).map(quoted).join(', ')}) ${operator} (${new Array(count).fill('?').join(', ')})`;
}

/** Scans of one shape share a statement. */
function shapeOf({ fields, prefix, low, high, descending }: RowScan): string {
  const end = (bound: RowScan['low']): string => (bound === undefined ? '-' : `${bound.values.length}${bound.inclusive ? '=' : ''}`);
  return `${fields.join()} ${prefix.length} ${end(low)} ${end(high)} ${descending ? 'down' : 'up'}`;
}

/** One row more than the limit says whether there is another page. */
function parametersOf({ prefix, low, high, limit }: RowScan): SqlValue[] {
  const values: IndexedValue[] = [...prefix, ...(low?.values ?? []), ...(high?.values ?? [])];
  return [...values.map(storedValue), limit + 1];
}

function quoted(identifier: string): string {
  if (!IDENTIFIER.test(identifier)) throw new Error(`"${identifier}" cannot be the name of a table or a field`);
  return `"${identifier}"`;
}
