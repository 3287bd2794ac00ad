/** What is said of a file of the data folder that is damaged, or that somebody else put there. */

/** A file of the folder is no SQLite file, or is damaged. */
export class UnreadableDataFileError extends Error {
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(`${file} cannot be read: ${reason}`);
    this.name = 'UnreadableDataFileError';
  }
}

/** What SQLite says of a file that is damaged, or is not one of its own. */
const DAMAGED = /malformed|not a database/;

/** Opens what is in the file. Throws UnreadableDataFileError where the file is damaged, or is no SQLite file. */
export async function openingDataFile<Opened>(file: string, open: () => Opened | Promise<Opened>): Promise<Opened> {
  try {
    return await open();
  } catch (error) {
    throw named(file, error);
  }
}

/** Reads from the file. Throws UnreadableDataFileError where it is damaged. */
export function readingDataFile<Found>(file: string, read: () => Found): Found {
  try {
    return read();
  } catch (error) {
    throw named(file, error);
  }
}

function named(file: string, error: unknown): unknown {
  return error instanceof Error && DAMAGED.test(error.message) ? new UnreadableDataFileError(file, error.message) : error;
}
