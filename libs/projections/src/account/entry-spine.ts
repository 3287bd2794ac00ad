/**
 * The entry chain of an account: its blocks of entries, each pointing to the one before it and, by a jump pointer, far
 * back. The jumps are those of a skew-binary random-access list (E. W. Myers, "An applicative random-access stack",
 * Information Processing Letters 17, 1983): from any block every earlier one is reached in O(log n) steps, a new block is
 * linked in O(1), and nothing that was written is ever touched again, so that no index over entries is needed.
 *
 * A chain of n blocks is a forest of complete trees, newest first; a block that follows two trees of equal size becomes the
 * root over both. The roots are the spine: what the account's row must keep so that the next block can be linked.
 */
import type { ByteReader, ByteWriter } from '@sluice/protocol';

/** Where a block is, and where it begins on each axis that entries are looked for by. */
export interface BlockPointer {
  readonly segmentId: string;
  readonly offset: number;
  /** Number of the block in its chain: 1, 2, 3 … */
  readonly depth: number;
  /** Blocks of the tree that it is the root of. */
  readonly treeSize: number;
  /** Records (accepted and refused postings) of the account before the block. */
  readonly recordsBefore: number;
  /** Entries (accepted postings) of the account before the block. */
  readonly entriesBefore: number;
  readonly firstCommittedAtUs: number;
  readonly firstSequence: number;
}

/** Roots, newest first; empty: a chain without blocks. The first one is the newest block. */
export type EntrySpine = readonly BlockPointer[];

export const EMPTY_SPINE: EntrySpine = Object.freeze([]);

/** Two trees of equal size in front are what the next block grows over. */
const mergesTrees = (spine: EntrySpine): boolean => spine.length > 1 && (spine[0] as BlockPointer).treeSize === (spine[1] as BlockPointer).treeSize;

/** Target of the jump pointer of a block that is to follow. */
export function nextJump(spine: EntrySpine): BlockPointer | undefined {
  return mergesTrees(spine) ? spine[2] : spine[0];
}

export function nextTreeSize(spine: EntrySpine): number {
  return mergesTrees(spine) ? 2 * (spine[0] as BlockPointer).treeSize + 1 : 1;
}

/** The spine after a block that was linked with `nextJump` and `nextTreeSize`. */
export function extendSpine(spine: EntrySpine, block: BlockPointer): EntrySpine {
  return mergesTrees(spine) ? [block, ...spine.slice(2)] : [block, ...spine];
}

/** Names of segments are short, and no spine has more than some dozens of pointers. */
const MAXIMUM_POINTER_BYTES = 256;

export function writePointer(writer: ByteWriter, pointer: BlockPointer): void {
  writer.reserve(MAXIMUM_POINTER_BYTES);
  writer.varint(pointer.segmentId.length);
  writer.at += writer.bytes.write(pointer.segmentId, writer.at, 'latin1');
  writer.varint(pointer.offset);
  writer.varint(pointer.depth);
  writer.varint(pointer.treeSize);
  writer.varint(pointer.recordsBefore);
  writer.varint(pointer.entriesBefore);
  writer.varint(pointer.firstCommittedAtUs);
  writer.varint(pointer.firstSequence);
}

export function readPointer(reader: ByteReader): BlockPointer {
  return {
    segmentId: reader.string(),
    offset: reader.varint(),
    depth: reader.varint(),
    treeSize: reader.varint(),
    recordsBefore: reader.varint(),
    entriesBefore: reader.varint(),
    firstCommittedAtUs: reader.varint(),
    firstSequence: reader.varint(),
  };
}

/** What a spine takes when it is written, at most. */
export const maximumSpineBytes = (spine: EntrySpine): number => spine.length * MAXIMUM_POINTER_BYTES + 8;

/** The writer must have room. */
export function writeSpine(writer: ByteWriter, spine: EntrySpine): void {
  writer.varint(spine.length);
  for (const pointer of spine) writePointer(writer, pointer);
}

export function readSpine(reader: ByteReader): EntrySpine {
  const pointers: BlockPointer[] = [];
  for (let rest = reader.varint(); rest > 0; rest -= 1) pointers.push(readPointer(reader));
  return pointers;
}
