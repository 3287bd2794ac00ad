/** Request ids that no caller can ask for. */
import { MAXIMUM_ID_BYTES } from '@sluice/protocol';

/**
 * It has one byte more than an id of a caller may have, so no request of a caller has it or names it. What stands before the last slash is the maker's own name of the request, so two
 * names never have the same id.
 */
export function engineMadeId(name: string): string {
  return `${name}/${'-'.repeat(MAXIMUM_ID_BYTES - Buffer.byteLength(name))}`;
}
