/** Times of rows as messages have them. */
import type { Row } from '@sluice/ports';
import { timestampFromUs } from '@sluice/protocol';

/** @param us microseconds; 0, or none: undefined. */
export function timeOfRow(us: Row[string] | undefined): ReturnType<typeof timestampFromUs> | undefined {
  return us === 0 || us === undefined || us === null ? undefined : timestampFromUs(us as number);
}
