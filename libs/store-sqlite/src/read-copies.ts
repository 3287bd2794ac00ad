/**
 * The list of copies in the file of a read store. A copy is filling (a rebuild is at it), in_force (queries answer from
 * it; at most one) or replaced (kept for a while for those who still read from it). A copy that is abandoned counts as
 * replaced for longer than any grace time.
 *
 *   filling ── put in force ──► in_force ── another one is put in force ──► replaced ── grace time ──► removed
 *      └── another rebuild begins ──► replaced, its grace time is over
 *
 * The switch under way closes the copy in force to projectors; it names the copy that is to be put in force and ends with it.
 */
import { randomInt } from 'node:crypto';
import type { CollectionDefinition } from '@sluice/ports';
import { assertTable, createTable, declaredIndexes } from './collection-table';
import { copyName, tableName } from './sqlite-read-copy';
import { numberOf, type SqliteConnection, type SqlRow } from './sqlite-connection';

export interface ReadStoreIdentity {
  readonly incarnation: string;
  readonly partitions: number;
}

export interface CopyRecord {
  readonly number: number;
  /** Undefined while nobody has said which log the copy is made from. */
  readonly identity: ReadStoreIdentity | undefined;
}

/** Marks of a switch are drawn from so many. */
const MARKS = 2 ** 47;

const TABLES = `
  CREATE TABLE IF NOT EXISTS copies (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ('filling', 'in_force', 'replaced')),
    incarnation TEXT,
    partitions INTEGER,
    replaced_at_us INTEGER
  );
  CREATE TABLE IF NOT EXISTS projection_checkpoints (
    copy INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    projection TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    committed_at_us INTEGER NOT NULL,
    PRIMARY KEY (copy, partition, projection)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS switch_under_way (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    copy INTEGER NOT NULL,
    mark INTEGER NOT NULL
  );
`;

/** Makes the lists, and leaves out what earlier versions had in them. */
export function prepareCopies(connection: SqliteConnection): void {
  connection.exec(TABLES);
  const columns = connection.prepare("SELECT name FROM pragma_table_info('copies')").all([]);
  if (columns.some(([name]) => name === 'collections')) connection.exec('ALTER TABLE copies DROP COLUMN collections; DROP TABLE IF EXISTS checkpoints;');
}

export function hasCopies(connection: SqliteConnection): boolean {
  return connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'projection_checkpoints'").get([]) !== undefined;
}

export function copyInForce(connection: SqliteConnection): CopyRecord | undefined {
  const row = connection.prepare("SELECT number, incarnation, partitions FROM copies WHERE state = 'in_force'").get([]);
  return row && recordOf(row);
}

/** Makes a copy and its tables; within a transaction of the caller's. */
export function makeCopy(
  connection: SqliteConnection,
  state: 'filling' | 'in_force',
  identity: ReadStoreIdentity | undefined,
  collections: readonly CollectionDefinition[],
): CopyRecord {
  connection
    .prepare('INSERT INTO copies (state, incarnation, partitions) VALUES (?, ?, ?)')
    .run([state, identity?.incarnation ?? null, identity?.partitions ?? null]);
  const number = numberOf(connection.prepare('SELECT max(number) FROM copies').get([])) as number;
  makeMissingTables(connection, number, collections);
  return { number, identity };
}

/** Whether the copy has a table for every collection, with every index that is declared. */
export function hasTables(connection: SqliteConnection, number: number, collections: readonly CollectionDefinition[]): boolean {
  const present = new Set(
    connection
      .prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'index')")
      .all([])
      .map(([name]) => String(name)),
  );
  return collections.every((definition) => {
    const table = tableName(number, definition);
    return present.has(table) && declaredIndexes(definition, table).every(({ name }) => present.has(name));
  });
}

/**
 * Makes the tables and indexes that the copy lacks. An index over rows that are there takes about a second per million of them. Within a
 * transaction of the caller's.
 */
export function makeMissingTables(connection: SqliteConnection, number: number, collections: readonly CollectionDefinition[]): void {
  for (const definition of collections) createTable(connection, definition, tableName(number, definition));
}

/** Throws for a collection whose table has other fields: they were changed, and the format was not. */
export function assertTables(connection: SqliteConnection, number: number, collections: readonly CollectionDefinition[]): void {
  for (const definition of collections) assertTable(connection, definition, tableName(number, definition));
}

/** A copy that was made before anybody knew the log belongs to the first log that is named. */
export function identifyCopy(connection: SqliteConnection, number: number, identity: ReadStoreIdentity): void {
  connection
    .prepare('UPDATE copies SET incarnation = ?, partitions = ? WHERE number = ? AND incarnation IS NULL')
    .run([identity.incarnation, identity.partitions, number]);
}

/** Nothing is in force afterwards. */
export function retireCopyInForce(connection: SqliteConnection, nowUs: number): void {
  connection.prepare("UPDATE copies SET state = 'replaced', replaced_at_us = ? WHERE state = 'in_force'").run([nowUs]);
}

/** Whether the copy was being filled, and is in force now. */
export function putInForce(connection: SqliteConnection, number: number): boolean {
  return connection.prepare("UPDATE copies SET state = 'in_force' WHERE number = ? AND state = 'filling'").run([number]).changes === 1;
}

/** Whatever is being filled never comes in force, and is removed with the next copies. */
export function abandonFilling(connection: SqliteConnection): void {
  endSwitch(connection);
  connection.prepare("UPDATE copies SET state = 'replaced', replaced_at_us = 0 WHERE state = 'filling'").run([]);
}

export interface SwitchRecord {
  readonly number: number;
  readonly mark: number;
}

export function switchUnderWay(connection: SqliteConnection): SwitchRecord | undefined {
  const row = connection.prepare('SELECT copy, mark FROM switch_under_way').get([]);
  return row && { number: row[0] as number, mark: row[1] as number };
}

/** Begins or goes on with the switch to the copy, under a new mark; undefined: the copy is not being filled. */
export function markSwitch(connection: SqliteConnection, number: number): SwitchRecord | undefined {
  if (connection.prepare("SELECT 1 FROM copies WHERE number = ? AND state = 'filling'").get([number]) === undefined) return undefined;
  const mark = randomInt(MARKS);
  connection
    .prepare('INSERT INTO switch_under_way (only, copy, mark) VALUES (1, ?, ?) ON CONFLICT (only) DO UPDATE SET copy = excluded.copy, mark = excluded.mark')
    .run([number, mark]);
  return { number, mark };
}

export function endSwitch(connection: SqliteConnection): void {
  connection.prepare('DELETE FROM switch_under_way').run([]);
}

export function copiesReplacedBefore(connection: SqliteConnection, beforeUs: number): number[] {
  return numbersOf(connection.prepare("SELECT number FROM copies WHERE state = 'replaced' AND replaced_at_us <= ?").all([beforeUs]));
}

/** Removes a copy step by step, letting the thread do other work between the steps; what a crash leaves is removed the next time. */
export async function removeCopy(connection: SqliteConnection, number: number): Promise<void> {
  const prefix = `${copyName(number)}_`;
  const objects = connection
    .prepare("SELECT type, name FROM sqlite_schema WHERE substr(tbl_name, 1, ?) = ? AND sql IS NOT NULL ORDER BY type = 'table'")
    .all([prefix.length, prefix]);
  for (const [type, name] of objects) {
    connection.exec(`DROP ${type === 'table' ? 'TABLE' : 'INDEX'} IF EXISTS "${String(name)}"`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  connection.transaction(() => {
    connection.prepare('DELETE FROM projection_checkpoints WHERE copy = ?').run([number]);
    connection.prepare('DELETE FROM copies WHERE number = ?').run([number]);
  });
}

function recordOf([number, incarnation, partitions]: SqlRow): CopyRecord {
  return {
    number: Number(number),
    identity: typeof incarnation === 'string' ? { incarnation, partitions: Number(partitions) } : undefined,
  };
}

function numbersOf(rows: SqlRow[]): number[] {
  return rows.map(([number]) => Number(number));
}
