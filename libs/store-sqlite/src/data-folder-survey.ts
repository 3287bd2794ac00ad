/**
 * What a data folder holds, looked at before anything is opened for writing: which log, and of which logs the other files were made. It
 * changes nothing, and makes no file.
 */
import { statSync } from 'node:fs';
import { hasCopies } from './read-copies';
import { hasCommits, identityIn } from './log-schema';
import { numberOf, SqliteConnection } from './sqlite-connection';
import { UnreadableDataFileError } from './unreadable-data-file';

export interface SurveyedFiles {
  readonly log: string;
  readonly snapshots: string;
  readonly read: string;
  readonly keyring: string;
}

export interface DataFolderSurvey {
  /** Undefined: there is none, or an empty file. */
  readonly log: { readonly incarnation: string; readonly formerIncarnations: readonly string[]; readonly hasCommits: boolean } | undefined;
  /** Incarnations of the logs that rows of the read store were made from. */
  readonly readStoreOf: readonly string[];
  readonly hasSnapshots: boolean;
  readonly signingKeys: number;
}

/** Throws UnreadableDataFileError. */
export function surveyDataFolder(files: SurveyedFiles): DataFolderSurvey {
  return {
    log: look(files.log, logIn),
    readStoreOf: look(files.read, readStoreIn) ?? [],
    hasSnapshots: (look(files.snapshots, (connection) => blocksIn(connection, 'partition/')) ?? 0) > 0,
    signingKeys: look(files.keyring, (connection) => blocksIn(connection, 'key/')) ?? 0,
  };
}

function look<Found>(file: string, read: (connection: SqliteConnection) => Found): Found | undefined {
  // The content of a file whose write-ahead log was never copied stands in that alone; its first page is in the file always.
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined;
  try {
    const connection = new SqliteConnection(file, { readOnly: true });
    try {
      return read(connection);
    } finally {
      connection.close();
    }
  } catch (error) {
    throw new UnreadableDataFileError(file, error instanceof Error ? error.message : String(error));
  }
}

function logIn(connection: SqliteConnection): DataFolderSurvey['log'] {
  const identity = identityIn(connection);
  if (identity === undefined) return undefined;
  const { incarnation, formerIncarnations = [] } = identity;
  return { incarnation, formerIncarnations, hasCommits: hasCommits(connection) };
}

function readStoreIn(connection: SqliteConnection): string[] {
  if (!hasCopies(connection)) return [];
  return connection
    .prepare(
      `SELECT DISTINCT incarnation FROM copies
       WHERE incarnation IS NOT NULL AND state <> 'replaced' AND EXISTS (SELECT 1 FROM projection_checkpoints WHERE copy = number)`,
    )
    .all([])
    .map(([incarnation]) => String(incarnation));
}

/** Blocks whose names begin with the prefix. */
function blocksIn(connection: SqliteConnection, prefix: string): number {
  if (connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'blocks'").get([]) === undefined) return 0;
  return numberOf(connection.prepare('SELECT count(*) FROM blocks WHERE substr(name, 1, ?) = ?').get([prefix.length, prefix])) ?? 0;
}
