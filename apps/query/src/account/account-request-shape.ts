/** What requests about accounts must look like; the first thing wrong is named by its field. */
import { invalidRequest } from '@sluice/service';
import { MAXIMUM_ID_BYTES } from '../request-shape';

const MAXIMUM_UNIT_BYTES = 16;
export const MAXIMUM_BATCH_ACCOUNTS = 1_000;

/** A filter: empty for all. */
export function checkFilter(field: string, value: string): void {
  const maximum = field === 'unit' ? MAXIMUM_UNIT_BYTES : MAXIMUM_ID_BYTES;
  const bytes = Buffer.byteLength(value, 'utf8');
  if (bytes > maximum) throw invalidRequest(field, `is at most ${maximum} bytes, not ${bytes}`);
}
