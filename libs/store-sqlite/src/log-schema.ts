/**
 * Tables of the event log's file. `log_identity` has one row. `commits` is an ordinary table beside a unique index on
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

/** Makes the tables and the identity where they are missing; refuses a log of another number of partitions. */
export function prepareLog(connection: SqliteConnection, partitions: number): LogIdentity {
  return connection.transaction(() => {
    connection.exec(TABLES);
    if (readIdentity(connection) === undefined) {
      connection
        .prepare('INSERT INTO log_identity (incarnation, partitions, created_at_us) VALUES (?, ?, ?)')
        .run([randomBytes(16).toString('hex'), partitions, Date.now() * 1000]);
    }
    return checkedIdentity(connection, partitions);
  });
}

/** The identity of a log that exists and has so many partitions, if a number is given. */
export function checkedIdentity(connection: SqliteConnection, partitions?: number): LogIdentity {
  const identity = readIdentity(connection);
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

function readIdentity(connection: SqliteConnection): LogIdentity | undefined {
  const tables = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log_identity'").get([]);
  const row = tables && connection.prepare('SELECT incarnation, partitions, created_at_us FROM log_identity').get([]);
  return row && { incarnation: row[0] as string, partitions: row[1] as number, createdAtUs: row[2] as number };
}
