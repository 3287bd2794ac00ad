/**
 * Packs the blocks of a flush into segments of about 64 KiB. One row per segment, not one per posting or per account: a
 * flush appends a few large rows in the order of their keys, whatever it touched. It trades for it that an account whose
 * entries came one by one has them in as many segments.
 */
import type { RowWrite } from '@sluice/ports';
import { ByteWriter, type AccountPostingsHeader } from '@sluice/protocol';
import { ENTRY_SEGMENTS } from './collections';
import { PART_OVERHEAD_BYTES, writeBlock, type EntryPart } from './entry-block';
import { extendSpine, nextJump, nextTreeSize, type BlockPointer, type EntrySpine } from './entry-spine';
import { columnBytes, cutColumns } from './record-columns';

/** Size that segments are filled up to. */
export const SEGMENT_BYTES = 64 * 1024;
/** Postings of one block at most: what a block has beside them always fits the rest of a segment. */
const BLOCK_POSTINGS_BYTES = SEGMENT_BYTES - 4 * 1024;
/** Size that what is too large for a block is cut to; the last posting may reach over it. */
const PIECE_BYTES = BLOCK_POSTINGS_BYTES - 4 * 1024;

/** The postings of one account in one commit. */
export interface PostingsPart {
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly postings: AccountPostingsHeader;
}

export interface ChainEnd {
  readonly spine: EntrySpine;
  readonly recordCount: number;
  readonly entryCount: number;
}

export class SegmentWriter {
  readonly writes: RowWrite[] = [];
  private readonly writer = new ByteWriter(SEGMENT_BYTES + 8 * 1024);
  private count = 0;

  /** @param attempt names the segments; unique for ever. */
  constructor(
    private readonly partition: number,
    private readonly attempt: string,
  ) {}

  /** Appends the postings to the account's chain; returns where the chain ends then. */
  append(accountId: string, chain: ChainEnd, postings: readonly PostingsPart[]): ChainEnd {
    const accountIdUtf8 = Buffer.from(accountId, 'utf8');
    let end = chain;
    let parts: EntryPart[] = [];
    let filled = 0;
    const closeBlock = (): void => {
      end = this.appendBlock(accountIdUtf8, end, parts, filled);
      parts = [];
      filled = 0;
    };
    for (const part of postings) {
      const size = columnBytes(part.postings) + PART_OVERHEAD_BYTES;
      if (filled > 0 && filled + size > BLOCK_POSTINGS_BYTES) closeBlock();
      if (size <= BLOCK_POSTINGS_BYTES) {
        parts.push(wholePart(part));
        filled += size;
        continue;
      }
      for (const piece of cutColumns(part.postings, PIECE_BYTES)) {
        if (filled > 0) closeBlock();
        parts.push({ ...wholePart(part), ...piece });
        filled = columnBytes(piece.columns) + PART_OVERHEAD_BYTES;
      }
    }
    if (parts.length > 0) closeBlock();
    return end;
  }

  /** Ends the last segment. */
  finish(): void {
    if (this.writer.at > 0) this.closeSegment();
  }

  private get segmentId(): string {
    return `${this.attempt}-${this.count.toString(36).padStart(4, '0')}`;
  }

  private appendBlock(accountIdUtf8: Uint8Array, chain: ChainEnd, parts: readonly EntryPart[], size: number): ChainEnd {
    const { writer } = this;
    if (writer.at > 0 && writer.at + size > SEGMENT_BYTES) this.closeSegment();
    const first = parts[0] as EntryPart;
    const previous = chain.spine[0];
    const block: BlockPointer = {
      segmentId: this.segmentId,
      offset: writer.at,
      depth: (previous?.depth ?? 0) + 1,
      treeSize: nextTreeSize(chain.spine),
      recordsBefore: chain.recordCount,
      entriesBefore: chain.entryCount,
      firstCommittedAtUs: first.committedAtUs,
      firstSequence: first.sequence,
    };
    const { depth, treeSize, recordsBefore, entriesBefore } = block;
    writeBlock(writer, accountIdUtf8, { depth, treeSize, recordsBefore, entriesBefore, previous, jump: nextJump(chain.spine) }, parts);
    let { recordCount, entryCount } = chain;
    for (const part of parts) {
      recordCount += part.recordCount;
      entryCount += part.acceptedCount;
    }
    return { spine: extendSpine(chain.spine, block), recordCount, entryCount };
  }

  private closeSegment(): void {
    const row = { segment_id: this.segmentId, partition: this.partition, blocks: this.writer.copy() };
    this.writes.push({ kind: 'put', collection: ENTRY_SEGMENTS.name, row });
    this.writer.reset();
    this.count += 1;
  }
}

function wholePart({ sequence, committedAtUs, postings }: PostingsPart): EntryPart {
  return {
    sequence,
    committedAtUs,
    recordCount: postings.acceptedCount + postings.rejectedCount,
    acceptedCount: postings.acceptedCount,
    balanceAfterMinor: postings.balanceAfterMinor,
    heldAfterMinor: postings.heldAfterMinor,
    columns: postings,
  };
}
