/** What requests must look like; the first thing wrong is named by its field. */
import { usFromTimestamp } from '@sluice/protocol';
import { invalidRequest } from '@sluice/service';

export const MAXIMUM_ID_BYTES = 128;
const DEFAULT_PAGE_SIZE = 100;
const MAXIMUM_PAGE_SIZE = 1_000;

/** Refuses what cannot be the key of an aggregate. */
export function checkKey(field: string, key: string): void {
  const bytes = Buffer.byteLength(key, 'utf8');
  if (bytes < 1 || bytes > MAXIMUM_ID_BYTES) throw invalidRequest(field, `is 1 to ${MAXIMUM_ID_BYTES} bytes, not ${bytes}`);
}

export function checkedPageSize(pageSize: number): number {
  if (pageSize < 0 || pageSize > MAXIMUM_PAGE_SIZE)
    throw invalidRequest('page_size', `is 1 to ${MAXIMUM_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}; not ${pageSize}`);
  return pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize;
}

export function checkedTimeUs(field: string, timestamp: Parameters<typeof usFromTimestamp>[0]): number {
  try {
    return Number(usFromTimestamp(timestamp));
  } catch (error) {
    if (error instanceof RangeError) throw invalidRequest(field, `is not a time: ${error.message}`);
    throw error;
  }
}
