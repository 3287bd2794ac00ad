/** Reads segments of a copy, one after the other. */
import type { ReadCopy } from '@sluice/ports';
import { ENTRY_SEGMENTS } from './collections';
import type { LoadSegment } from './entry-chain';

/** Segments of one account follow each other: the last one read is the likely next one. */
export function segmentLoader(copy: ReadCopy): LoadSegment {
  let newest: { readonly segmentId: string; readonly blocks: Uint8Array } | undefined;
  return async (segmentId) => {
    if (newest?.segmentId === segmentId) return newest.blocks;
    const row = await copy.get(ENTRY_SEGMENTS.name, segmentId);
    if (row === undefined) throw new Error(`entry segment ${segmentId} is missing`);
    newest = { segmentId, blocks: row.blocks as Uint8Array };
    return newest.blocks;
  };
}
