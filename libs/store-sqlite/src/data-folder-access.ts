/**
 * Whether this process may use the files of a data folder. The operating system is asked before anything is opened, so that a start that is refused
 * changes nothing, and names the file that stands in the way.
 */
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';

const { R_OK, W_OK, X_OK } = constants;
/** SQLite keeps these beside a database. */
const SUFFIXES = ['', '-wal', '-shm'];
const PERMISSION_BITS = 0o777;

/** The folder, or a file in it, may not be used as it has to be. */
export class InaccessibleDataFileError extends Error {
  constructor(
    readonly file: string,
    reason: string,
    advice: string,
  ) {
    super(`${file} ${reason}: ${advice}`);
    this.name = 'InaccessibleDataFileError';
  }
}

export interface UsedFiles {
  /** SQLite files, which are read and written. */
  readonly databases: readonly string[];
  /** Files that are only read. */
  readonly read: readonly string[];
}

/** Throws InaccessibleDataFileError. What is missing may be made, so it is in nobody's way. */
export function assertAccess(folder: string, { databases, read }: UsedFiles): void {
  assertUsable(existingFolder(resolve(folder)), R_OK | W_OK | X_OK, 'rwx');
  for (const database of databases) for (const suffix of SUFFIXES) assertUsable(`${database}${suffix}`, R_OK | W_OK, 'rw');
  for (const file of read) assertUsable(file, R_OK, 'r');
}

/** The folder, or where it is missing the one in which it is to be made. */
function existingFolder(folder: string): string {
  const parent = dirname(folder);
  return parent === folder || statOf(folder) !== undefined ? folder : existingFolder(parent);
}

function assertUsable(path: string, mode: number, permissions: string): void {
  const code = codeOf(() => accessSync(path, mode));
  if (code === undefined || code === 'ENOENT') return;
  if (code === 'EROFS') throw new InaccessibleDataFileError(path, 'is on a file system that is mounted read-only', 'mount it for writing');
  const { uid, mode: given } = statOf(path) ?? {};
  const self = process.getuid?.();
  if (self !== undefined && uid !== undefined && uid !== self) {
    throw new InaccessibleDataFileError(
      path,
      `belongs to user ${uid}, and this process runs as user ${self}`,
      `run the server as user ${uid}, or give it the folder with all that is in it ("chown -R ${self}")`,
    );
  }
  const is = given === undefined ? 'cannot be reached' : `has the permissions ${(given & PERMISSION_BITS).toString(8)}`;
  throw new InaccessibleDataFileError(path, `${is} (${code})`, `let the server use it ("chmod u+${permissions}")`);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Why it fails, as the operating system names it; undefined: it does not. */
function codeOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'an unknown reason';
  }
}
