/** A disk without room, as it shows in errors that come from several threads. */

/** What SQLite and the operating system say. */
const OUT_OF_ROOM = /database or disk is full|ENOSPC|EDQUOT/;

/** Whether the disk had no room left, or the user's quota. */
export function isOutOfRoom(error: unknown): boolean {
  return error instanceof Error && (OUT_OF_ROOM.test(error.message) || isOutOfRoom(error.cause));
}
