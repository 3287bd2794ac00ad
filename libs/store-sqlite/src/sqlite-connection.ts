/**
 * One connection to an SQLite file, through libsql (better-sqlite3's API, prebuilt binaries for every platform).
 *
 * Peculiarities of libsql 0.5 that this module keeps from the rest:
 *  - rows as objects carry a `_metadata` field and `pluck` is not honoured by `get`: every statement here is in raw mode,
 *    rows are arrays in the order of the columns;
 *  - parameters go in as one array always (a lone object would be taken for named parameters); a boolean among them ends
 *    the process, so that callers turn booleans into 0 and 1;
 *  - numbers are bound as REAL, and become integers by the affinity of the column: columns of integers are declared INTEGER;
 *  - the `readonly` option is ignored: `PRAGMA query_only` takes its place;
 *  - closing leaves the file handle open until the prepared statements are collected: who needs an empty write-ahead log
 *    checkpoints before it closes.
 */
import { existsSync } from 'node:fs';
import Libsql from 'libsql';

export type SqlValue = string | number | bigint | Uint8Array | null;
export type SqlRow = SqlValue[];

export interface SqlStatement {
  run(parameters: readonly SqlValue[]): { readonly changes: number };
  get(parameters: readonly SqlValue[]): SqlRow | undefined;
  all(parameters: readonly SqlValue[]): SqlRow[];
}

export interface ConnectionOptions {
  /** FULL: a commit is on the disk when it returns. NORMAL: it survives the process, not the machine; the file stays whole. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** Refuses to write, and never checkpoints. The file must exist. */
  readonly readOnly?: boolean;
  /** Bytes; only takes effect on a new file. */
  readonly pageSize?: number;
  /** Pages in the write-ahead log after which a commit copies them into the file; 0: the owner of the connection does it. */
  readonly autoCheckpointPages?: number;
  /** Cache of the connection. */
  readonly cacheBytes?: number;
}

/** How long a connection waits for another one's write transaction. */
const BUSY_TIMEOUT_MS = 10_000;
/** The write-ahead log is cut to this size when a slow reader has let it grow. */
const WAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024;

export class SqliteConnection {
  readonly #database: Libsql.Database;

  constructor(
    readonly file: string,
    options: ConnectionOptions = {},
  ) {
    if (options.readOnly === true && !existsSync(file)) throw new Error(`there is no file ${file}`);
    this.#database = openDatabase(file);
    this.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    if (options.pageSize !== undefined) this.pragma(`page_size = ${options.pageSize}`);
    if (options.cacheBytes !== undefined) this.pragma(`cache_size = -${Math.ceil(options.cacheBytes / 1024)}`);
    if (options.readOnly === true) {
      this.pragma('wal_autocheckpoint = 0');
      this.pragma('query_only = ON');
      return;
    }
    this.pragma('journal_mode = WAL');
    this.pragma(`synchronous = ${options.synchronous ?? 'FULL'}`);
    this.pragma(`journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`);
    if (options.autoCheckpointPages !== undefined) this.pragma(`wal_autocheckpoint = ${options.autoCheckpointPages}`);
  }

  /** Integers come back as numbers, or as bigint with `bigIntegers`. */
  prepare(sql: string, options: { bigIntegers?: boolean } = {}): SqlStatement {
    const statement = this.#database.prepare(sql);
    if (returnsRows(statement)) statement.raw(true);
    if (options.bigIntegers === true) statement.safeIntegers(true);
    return statement as unknown as SqlStatement;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Runs the pragma and returns the first value of its answer. */
  pragma(text: string): SqlValue | undefined {
    return this.prepare(`PRAGMA ${text}`).get([])?.[0];
  }

  /** Runs the work in one write transaction: all of it or nothing. */
  transaction<Result>(work: () => Result): Result {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** SQLite rolls back by itself after some errors (a full disk), so that there may be nothing left to roll back. */
  rollback(): void {
    if (this.#database.inTransaction) this.exec('ROLLBACK');
  }

  /** Copies the write-ahead log into the file as far as readers let it; with `truncate` it waits for them and empties it. */
  checkpoint(mode: 'passive' | 'truncate'): void {
    this.pragma(`wal_checkpoint(${mode})`);
  }

  close(): void {
    this.#database.close();
  }

  /**
   * Closes, and empties the write-ahead log before where that is possible. On a full disk it is not: what was committed stands in the write-ahead log
   * then, as safe as before, and the next connection reads it there.
   */
  closeEmptied(): void {
    try {
      this.checkpoint('truncate');
    } catch {
      // Nothing is lost.
    }
    this.close();
  }
}

/** SQLite's name of the error, like SQLITE_FULL; undefined for errors of another kind. */
export function sqliteCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

export function isDiskFull(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_FULL';
}

/** The first value of the row that the statement finds, as a number. */
export function numberOf(row: SqlRow | undefined): number | undefined {
  const value = row?.[0];
  return value === undefined || value === null ? undefined : Number(value);
}

function openDatabase(file: string): Libsql.Database {
  try {
    return new Libsql(file);
  } catch (error) {
    throw new Error(`cannot open ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function returnsRows(statement: Libsql.Statement): boolean {
  return statement.reader;
}
