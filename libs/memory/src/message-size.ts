/** What a message counts for where messages are bounded in bytes. */
import type { BusMessage } from '@sluice/ports';

/** Charged beside the bytes, so that pointers and tiny commits are bounded too. */
const OVERHEAD_BYTES = 256;

export function heldBytes(message: BusMessage): number {
  return OVERHEAD_BYTES + (message.bytes?.length ?? 0);
}
