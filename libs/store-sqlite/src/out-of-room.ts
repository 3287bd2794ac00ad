/** A disk without room, as it shows in errors that come from several threads. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What SQLite and the operating system say: the disk is full, the user's quota is used up, the process may not make a file longer. */
const OUT_OF_ROOM = /database or disk is full|ENOSPC|EDQUOT|EFBIG/;
/** SQLite says no more where a quota is used up, and where its shared memory finds no room. */
const INPUT_OUTPUT_ERROR = /disk I\/O error/;

/** Room that a start needs: SQLite makes its -wal and -shm files, and a new folder its databases. */
export const START_ROOM_BYTES = 4 * 1024 * 1024;

/** Written and removed at once, to see whether there is room. */
const PROBE = '.room';

/** By the codes of the operating system. */
const LIMITS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the user's quota is used up",
  EFBIG: 'the process may not make a file that long, see "ulimit -f"',
};

/** A start needs more room than there is. */
export class NoRoomError extends Error {
  constructor(folder: string, limit: string) {
    super(`there is no room for ${START_ROOM_BYTES / 1024 / 1024} MiB in ${folder} (${limit})`);
    this.name = 'NoRoomError';
  }
}

/** Throws NoRoomError where the folder has no room for a start. */
export function assertRoom(folder: string): void {
  const limit = limitReached(folder);
  if (limit !== undefined) throw new NoRoomError(folder, limit);
}

/**
 * Whether the error comes from a disk without room, or from another limit of that kind.
 * @param folder the one that was written to. It is tried again after an input/output error, which may have another reason.
 */
export function isOutOfRoom(error: unknown, folder: string): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof NoRoomError || OUT_OF_ROOM.test(error.message)) return true;
  if (INPUT_OUTPUT_ERROR.test(error.message)) return limitReached(folder) !== undefined;
  return isOutOfRoom(error.cause, folder);
}

/** The limit because of which so many bytes cannot be written, in words; undefined: they can, or it is no limit that stands in the way. */
function limitReached(folder: string): string | undefined {
  const file = join(folder, PROBE);
  try {
    writeWhole(file);
    return undefined;
  } catch (error) {
    return LIMITS[(error as NodeJS.ErrnoException).code ?? ''];
  } finally {
    rmSync(file, { force: true });
  }
}

function writeWhole(file: string): void {
  const bytes = new Uint8Array(START_ROOM_BYTES);
  const descriptor = openSync(file, 'w', 0o600);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  } finally {
    closeSync(descriptor);
  }
}
