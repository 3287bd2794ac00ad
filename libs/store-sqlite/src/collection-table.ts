/**
 * One collection of one copy of the read store: a table, its indexes and its prepared statements. Rows are written one by
 * one with a prepared upsert and one reused array of parameters: statements of many rows at a time and JSON arguments were
 * both measured slower with libsql.
 */
import type { CollectionDefinition, FieldType, FieldValue, Row, RowQuery, RowWrite } from '@sluice/ports';
import { COLUMN_TYPES, loadedValue, storedText, storedValue } from './field-values';
import type { SqliteConnection, SqlRow, SqlStatement, SqlValue } from './sqlite-connection';

/** Keys that one statement looks up. */
const KEYS_PER_LOOKUP = 64;

const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

export class CollectionTable {
  readonly #connection: SqliteConnection;
  readonly #definition: CollectionDefinition;
  readonly #table: string;
  readonly #fields: readonly string[];
  readonly #types: readonly FieldType[];
  readonly #parameters: SqlValue[];
  readonly #statements = new Map<string, SqlStatement>();

  constructor(connection: SqliteConnection, definition: CollectionDefinition, table: string) {
    this.#connection = connection;
    this.#definition = definition;
    this.#table = quoted(table);
    this.#fields = Object.keys(definition.fields);
    this.#types = Object.values(definition.fields);
    this.#parameters = new Array<SqlValue>(this.#fields.length).fill(null);
  }

  get(key: string): Row | undefined {
    const row = this.#statement('get', () => `SELECT ${this.#columns()} FROM ${this.#table} WHERE ${quoted(this.#definition.key)} = ?`).get([storedText(key)]);
    return row && this.#loaded(row);
  }

  getMany(keys: readonly string[]): (Row | undefined)[] {
    const lookup = this.#statement('getMany', () => {
      const places = new Array(KEYS_PER_LOOKUP).fill('?').join(', ');
      return `SELECT ${this.#columns()} FROM ${this.#table} WHERE ${quoted(this.#definition.key)} IN (${places})`;
    });
    const found = new Map<string, Row>();
    const parameters = new Array<SqlValue>(KEYS_PER_LOOKUP);
    for (let from = 0; from < keys.length; from += KEYS_PER_LOOKUP) {
      for (let at = 0; at < KEYS_PER_LOOKUP; at += 1) {
        const key = keys[from + at];
        parameters[at] = key === undefined ? null : storedText(key);
      }
      for (const stored of lookup.all(parameters)) {
        const row = this.#loaded(stored);
        found.set(row[this.#definition.key] as string, row);
      }
    }
    return keys.map((key) => found.get(key));
  }

  find(query: RowQuery): Row[] {
    const conditions = Object.entries(query.equals ?? {});
    const fields = conditions.map(([field]) => field);
    const key = quoted(this.#definition.key);
    const statement = this.#statement(`find ${query.afterKey === undefined ? '' : 'after '}${fields.join(' ')}`, () => {
      for (const field of fields) this.#assertField(field);
      const clauses = [...fields.map((field) => `${quoted(field)} IS ?`), ...(query.afterKey === undefined ? [] : [`${key} > ?`])];
      const where = clauses.length === 0 ? '' : `WHERE ${clauses.join(' AND ')}`;
      return `SELECT ${this.#columns()} FROM ${this.#table} ${where} ORDER BY ${key} LIMIT ?`;
    });
    const parameters = conditions.map(([, value]) => storedValue(value));
    if (query.afterKey !== undefined) parameters.push(storedText(query.afterKey));
    parameters.push(query.limit);
    return statement.all(parameters).map((row) => this.#loaded(row));
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
    if (present !== Object.keys(row).length) for (const field of Object.keys(row)) this.#assertField(field);
    this.#statement('put', () => this.#upsert()).run(parameters);
  }

  delete(key: string): void {
    this.#statement('delete', () => `DELETE FROM ${this.#table} WHERE ${quoted(this.#definition.key)} = ?`).run([storedText(key)]);
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

export function createTable(connection: SqliteConnection, definition: CollectionDefinition, table: string): void {
  const columns = Object.entries(definition.fields).map(
    ([field, type]) => `${quoted(field)} ${COLUMN_TYPES[type]}${field === definition.key ? ' NOT NULL PRIMARY KEY' : ''}`,
  );
  // Rows that are written again and again are small and found by their key: without a rowid one tree is touched, not two.
  const layout = definition.guard === undefined ? '' : ' WITHOUT ROWID';
  connection.exec(`CREATE TABLE ${quoted(table)} (${columns.join(', ')})${layout}`);
  for (const fields of definition.indexes) {
    // The key comes last, so that a page of equal rows is read in the order of the keys.
    const indexed = fields.includes(definition.key) ? fields : [...fields, definition.key];
    connection.exec(`CREATE INDEX ${quoted(`${table}_by_${fields.join('_')}`)} ON ${quoted(table)} (${indexed.map(quoted).join(', ')})`);
  }
}

function quoted(identifier: string): string {
  if (!IDENTIFIER.test(identifier)) throw new Error(`"${identifier}" cannot be the name of a table or a field`);
  return `"${identifier}"`;
}
