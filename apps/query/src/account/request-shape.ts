/** What requests must look like; the first thing wrong is named by its field. */
import { usFromTimestamp } from '@sluice/protocol';
import { invalidRequest } from '@sluice/service';

const MAXIMUM_ID_BYTES = 128;
const MAXIMUM_UNIT_BYTES = 16;
export const DEFAULT_PAGE_SIZE = 100;
export const MAXIMUM_PAGE_SIZE = 1_000;
export const MAXIMUM_BATCH_ACCOUNTS = 1_000;

export function checkAccountId(field: string, accountId: string): void {
  const bytes = Buffer.byteLength(accountId, 'utf8');
  if (bytes < 1 || bytes > MAXIMUM_ID_BYTES) throw invalidRequest(field, `is 1 to ${MAXIMUM_ID_BYTES} bytes, not ${bytes}`);
}

/** A filter: empty for all. */
export function checkFilter(field: string, value: string): void {
  const maximum = field === 'unit' ? MAXIMUM_UNIT_BYTES : MAXIMUM_ID_BYTES;
  const bytes = Buffer.byteLength(value, 'utf8');
  if (bytes > maximum) throw invalidRequest(field, `is at most ${maximum} bytes, not ${bytes}`);
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
