/** Checks of fields that several requests on reservations have. */
import { checkText, invalidRequest } from '@sluice/service';

const MAXIMUM_NOTE_BYTES = 256;

export function checkNote(note: string): void {
  checkText(note, 'note', 0, MAXIMUM_NOTE_BYTES);
}

export function checkTimeUs(expiresAtUs: bigint): void {
  if (expiresAtUs < 0n || expiresAtUs > Number.MAX_SAFE_INTEGER)
    throw invalidRequest('expires_at_us', `is ${expiresAtUs}; it must be 0 to ${Number.MAX_SAFE_INTEGER}`);
}
