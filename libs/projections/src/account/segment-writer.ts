/**
 * Packs the blocks of a flush into segments of about 64 KiB. One row per segment, not one per posting or per account: a
 * flush appends a few large rows in the order of their keys, whatever it touched. It trades for it that an account whose
 * entries came one by one has them in as many segments.
 */
import type { RowWrite } from '@sluice/ports';
import { ByteWriter } from '@sluice/protocol';
import { ENTRY_SEGMENTS } from './collections';
import { hashAccountId, PART_OVERHEAD_BYTES, writeBlock, type EntryPart } from './entry-block';
import { extendSpine, nextJump, nextTreeSize, type BlockPointer, type EntrySpine } from './entry-spine';
import type { PostingsPart } from './postings-reader';
import { sortableNumber } from '../sortable-number';
import { cutPostings } from './record-columns';

/** Size that segments are filled up to. */
export const SEGMENT_BYTES = 64 * 1024;
/** Postings of one block at most: what a block has beside them always fits the rest of a segment. */
const BLOCK_POSTINGS_BYTES = SEGMENT_BYTES - 4 * 1024;
/** Size that what is too large for a block is cut to; the last posting may reach over it. */
const PIECE_BYTES = BLOCK_POSTINGS_BYTES - 4 * 1024;

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
    const accountHash = hashAccountId(accountId);
    let end = chain;
    let parts: EntryPart[] = [];
    let filled = 0;
    for (const part of postings) {
      const whole = entryPart(part);
      const size = part.end - part.start + PART_OVERHEAD_BYTES;
      for (const piece of size <= BLOCK_POSTINGS_BYTES ? [whole] : cutPart(whole)) {
        const pieceSize = piece.end - piece.start + PART_OVERHEAD_BYTES;
        if (filled > 0 && filled + pieceSize > BLOCK_POSTINGS_BYTES) {
          end = this.appendBlock(accountHash, end, parts, filled);
          parts = [];
          filled = 0;
        }
        parts.push(piece);
        filled += pieceSize;
      }
    }
    return parts.length === 0 ? end : this.appendBlock(accountHash, end, parts, filled);
  }

  /** Ends the last segment. */
  finish(): void {
    if (this.writer.at > 0) this.closeSegment();
  }

  private get segmentId(): string {
    return `${this.attempt}-${sortableNumber(this.count)}`;
  }

  private appendBlock(accountHash: number, chain: ChainEnd, parts: readonly EntryPart[], size: number): ChainEnd {
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
    writeBlock(writer, { accountHash, depth, treeSize, recordsBefore, entriesBefore, previous, jump: nextJump(chain.spine), parts });
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

function entryPart({ sequence, committedAtUs, acceptedCount, rejectedCount, bytes, start, end }: PostingsPart): EntryPart {
  return { sequence, committedAtUs, recordCount: acceptedCount + rejectedCount, acceptedCount, bytes, start, end };
}

function* cutPart({ sequence, committedAtUs, bytes, start, end }: EntryPart): Generator<EntryPart> {
  for (const { message, recordCount, acceptedCount } of cutPostings(bytes.subarray(start, end), PIECE_BYTES)) {
    yield { sequence, committedAtUs, recordCount, acceptedCount, bytes: message, start: 0, end: message.length };
  }
}
