/**
 * Keeps a data folder for one process. The lock is a write transaction on the file `lock` in the folder, open as long as
 * the process lives: the operating system takes it back when the process ends, however it ends, so that nothing stale is
 * ever left. The file names the process that holds it, for the message to the second one.
 *
 * Nobody may open and close the file by other means in the holding process: POSIX would drop the lock with that.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Libsql from 'libsql';
import { sqliteCode } from './sqlite-connection';

export class DataFolderInUseError extends Error {
  constructor(
    readonly folder: string,
    readonly processId: number | undefined,
  ) {
    super(`the data folder ${folder} is in use by another process${processId === undefined ? '' : ` (${processId})`}; stop it, or choose another data folder`);
    this.name = 'DataFolderInUseError';
  }
}

export class DataFolderLock {
  readonly #database: Libsql.Database;

  private constructor(
    readonly folder: string,
    database: Libsql.Database,
  ) {
    this.#database = database;
  }

  /** Makes the folder where it is missing. Throws `DataFolderInUseError` at once if another process has it. */
  static acquire(folder: string): DataFolderLock {
    const absolute = resolve(folder);
    mkdirSync(absolute, { recursive: true, mode: 0o700 });
    const database = new Libsql(join(absolute, 'lock'));
    try {
      // The first transaction leaves the name of the holder for others to read; the second one is the lock.
      database.exec('BEGIN IMMEDIATE');
      database.exec('CREATE TABLE IF NOT EXISTS holder (process_id INTEGER NOT NULL)');
      database.exec('DELETE FROM holder');
      database.exec(`INSERT INTO holder (process_id) VALUES (${process.pid})`);
      database.exec('COMMIT');
      database.exec('BEGIN IMMEDIATE');
    } catch (error) {
      const holder = holderOf(database);
      database.close();
      if (sqliteCode(error)?.startsWith('SQLITE_BUSY') === true) throw new DataFolderInUseError(absolute, holder);
      throw error;
    }
    return new DataFolderLock(absolute, database);
  }

  release(): void {
    if (!this.#database.open) return;
    this.#database.exec('ROLLBACK');
    this.#database.close();
  }
}

function holderOf(database: Libsql.Database): number | undefined {
  try {
    if (database.inTransaction) database.exec('ROLLBACK');
    const row = database.prepare('SELECT process_id FROM holder').raw(true).get([]) as [number] | undefined;
    return row?.[0];
  } catch {
    return undefined;
  }
}
