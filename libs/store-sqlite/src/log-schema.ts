/**
 * Tables of the event log's file. `log_identity` has one row; `former_incarnations` those that the log had before, in their order
 * (commits carry the one that they were written in). `commits` is an ordinary table beside a unique index on
 * (partition, sequence), the fence: rows are appended at the end whatever their partition, and large blobs do not make
 * the tree deep (measured against a table without rowid: up to twice the throughput at 100 KB a commit, and a fifth of
 * the write-ahead log at 2 KB). Pages of 8 KiB: 4 KiB costs a third of the throughput of large commits, 16 KiB writes
 * half as much again for small ones.
 */
import { randomBytes } from 'node:crypto';
import type { LogIdentity } from '@sluice/ports';
import type { SqliteConnection } from './sqlite-connection';
import { StorageFailure } from './storage-thread-messages';

export const LOG_PAGE_BYTES = 8192;

const TABLES = `
  CREATE TABLE IF NOT EXISTS log_identity (
    incarnation TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS former_incarnations (
    incarnation TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS commits (
    partition INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    command_count INTEGER NOT NULL,
    committed_at_us INTEGER NOT NULL,
    event_types TEXT NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE UNIQUE INDEX IF NOT EXISTS commits_by_sequence ON commits (partition, sequence);
`;

/**
 * Makes the tables and the identity where they are missing; refuses a log of another number of partitions.
 * @param succeeds incarnations of lost logs: a log that is made now, or has no commit, takes their place.
 */
export function prepareLog(connection: SqliteConnection, partitions: number, succeeds: readonly string[] = []): LogIdentity {
  return connection.transaction(() => {
    connection.exec(TABLES);
    if (identityIn(connection) === undefined) {
      connection
        .prepare('INSERT INTO log_identity (incarnation, partitions, created_at_us) VALUES (?, ?, ?)')
        .run([newIncarnation(), partitions, Date.now() * 1000]);
    }
    if (!hasCommits(connection)) {
      const former = connection.prepare('INSERT INTO former_incarnations (incarnation) VALUES (?)');
      for (const incarnation of succeeds) former.run([incarnation]);
    }
    return checkedIdentity(connection, partitions);
  });
}

export function hasCommits(connection: SqliteConnection): boolean {
  return connection.prepare('SELECT 1 FROM commits LIMIT 1').get([]) !== undefined;
}

/** The identity of a log that exists and has so many partitions, if a number is given. */
export function checkedIdentity(connection: SqliteConnection, partitions?: number): LogIdentity {
  const identity = identityIn(connection);
  if (identity === undefined) throw new StorageFailure({ kind: 'failed', message: `${connection.file} is not an event log` });
  if (partitions !== undefined && identity.partitions !== partitions) {
    throw new StorageFailure({
      kind: 'partitionsDiffer',
      message:
        `the event log ${connection.file} was made with ${identity.partitions} partitions, the configuration makes ${partitions} (servers × containers): ` +
        `choose servers and containers whose product is ${identity.partitions}, or another data folder`,
    });
  }
  return identity;
}

/** Gives the log another incarnation and returns it; the one that it had stands with the former ones. */
export function renewIncarnation(connection: SqliteConnection): string {
  const incarnation = newIncarnation();
  connection.transaction(() => {
    connection.prepare('INSERT INTO former_incarnations (incarnation) SELECT incarnation FROM log_identity').run([]);
    connection.prepare('UPDATE log_identity SET incarnation = ?').run([incarnation]);
  });
  return incarnation;
}

function newIncarnation(): string {
  return randomBytes(16).toString('hex');
}

/** Undefined: the file holds no event log. */
export function identityIn(connection: SqliteConnection): LogIdentity | undefined {
  if (!hasTable(connection, 'log_identity')) return undefined;
  const row = connection.prepare('SELECT incarnation, partitions, created_at_us FROM log_identity').get([]);
  if (row === undefined) return undefined;
  const formerIncarnations = formerOnes(connection);
  return {
    incarnation: row[0] as string,
    ...(formerIncarnations.length > 0 && { formerIncarnations }),
    partitions: row[1] as number,
    createdAtUs: row[2] as number,
  };
}

/** A log that is only read may have been made before the table was. */
function formerOnes(connection: SqliteConnection): string[] {
  if (!hasTable(connection, 'former_incarnations')) return [];
  return connection
    .prepare('SELECT incarnation FROM former_incarnations ORDER BY rowid')
    .all([])
    .map(([incarnation]) => String(incarnation));
}

function hasTable(connection: SqliteConnection, name: string): boolean {
  return connection.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get([name]) !== undefined;
}
