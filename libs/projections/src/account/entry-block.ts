/**
 * A block: consecutive records (postings with their verdicts) of one account out of one flush, written once, never changed.
 *
 *   version | hash of the account id | depth | tree size | records before | entries before | pointers to the previous block
 *   and to the jump block (but for the first block) | count of parts | part …
 *   part: sequence | commit time | records | accepted | length | AccountPostings as in the commit
 *
 * A part is what one commit has of the account; where that is too large for a block it is continued in the next one. Blocks
 * of many accounts share a segment (segment-writer.ts).
 */
import { ByteReader, type ByteWriter } from '@sluice/protocol';
import { type AccountPostingsHeader, readAccountPostings } from '@sluice/protocol/account';
import { readPointer, writePointer, type BlockPointer } from './entry-spine';

/** What a block has of one commit. */
export interface EntryPart {
  readonly sequence: number;
  readonly committedAtUs: number;
  /** Postings in it, refused ones included, and the accepted ones among them. */
  readonly recordCount: number;
  readonly acceptedCount: number;
  /** The encoded AccountPostings is bytes[start, end). */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The records of the part, and the account after the whole commit. */
export function postingsOf(part: EntryPart): AccountPostingsHeader {
  return readAccountPostings(part.bytes.subarray(part.start, part.end));
}

export interface EntryBlock {
  readonly accountHash: number;
  readonly depth: number;
  readonly treeSize: number;
  readonly recordsBefore: number;
  readonly entriesBefore: number;
  readonly previous: BlockPointer | undefined;
  readonly jump: BlockPointer | undefined;
  readonly parts: readonly EntryPart[];
}

const BLOCK_VERSION = 1;
/** What a part takes beside its postings, at most. */
export const PART_OVERHEAD_BYTES = 40;

/** By which a block is known to be of the account that it is read for: FNV-1a over the UTF-16 units, as that needs no buffer. */
export function hashAccountId(accountId: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < accountId.length; at += 1) hash = Math.imul(hash ^ accountId.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

export function writeBlock(writer: ByteWriter, block: EntryBlock): void {
  const { previous, jump, parts } = block;
  writer.reserve(64);
  writer.byte(BLOCK_VERSION);
  writer.varint(block.accountHash);
  writer.varint(block.depth);
  writer.varint(block.treeSize);
  writer.varint(block.recordsBefore);
  writer.varint(block.entriesBefore);
  if (previous !== undefined) {
    writePointer(writer, previous);
    writer.reserve(1);
    writer.byte(jump === undefined ? 0 : 1);
    if (jump !== undefined) writePointer(writer, jump);
  }
  writer.reserve(8);
  writer.varint(parts.length);
  for (const part of parts) {
    writer.reserve(PART_OVERHEAD_BYTES);
    writer.varint(part.sequence);
    writer.varint(part.committedAtUs);
    writer.varint(part.recordCount);
    writer.varint(part.acceptedCount);
    writer.varint(part.end - part.start);
    writer.raw(part.bytes, part.start, part.end);
  }
}

/** Reads the block that the pointer leads to and checks that it is the one meant. */
export function readBlock(segment: Uint8Array, pointer: BlockPointer, accountId: string): EntryBlock {
  const block = readBlockAt(new ByteReader(segment, pointer.offset, segment.length));
  if (block.accountHash !== hashAccountId(accountId) || block.depth !== pointer.depth) {
    throw new Error(
      `segment ${pointer.segmentId}: at ${pointer.offset} is block ${block.depth} of account hash ${block.accountHash}, not block ${pointer.depth} of "${accountId}"`,
    );
  }
  return block;
}

/** All blocks of a segment, with their offsets. */
export function* readBlocks(segment: Uint8Array): Generator<{ readonly offset: number; readonly block: EntryBlock }> {
  const reader = new ByteReader(segment, 0, segment.length);
  while (!reader.done) {
    const offset = reader.at;
    yield { offset, block: readBlockAt(reader) };
  }
}

function readBlockAt(reader: ByteReader): EntryBlock {
  const version = reader.varint();
  if (version !== BLOCK_VERSION) throw new Error(`entry block version ${version} is not known to this version of Sluice`);
  const accountHash = reader.varint();
  const depth = reader.varint();
  const treeSize = reader.varint();
  const recordsBefore = reader.varint();
  const entriesBefore = reader.varint();
  const previous = depth > 1 ? readPointer(reader) : undefined;
  const jump = depth > 1 && reader.varint() === 1 ? readPointer(reader) : undefined;
  const parts: EntryPart[] = [];
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    const sequence = reader.varint();
    const committedAtUs = reader.varint();
    const recordCount = reader.varint();
    const acceptedCount = reader.varint();
    const length = reader.length();
    const start = reader.at;
    reader.at += length;
    parts.push({ sequence, committedAtUs, recordCount, acceptedCount, bytes: reader.bytes, start, end: reader.at });
  }
  return { accountHash, depth, treeSize, recordsBefore, entriesBefore, previous, jump, parts };
}
