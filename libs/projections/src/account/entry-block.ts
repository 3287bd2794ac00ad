/**
 * A block: consecutive records (postings with their verdicts) of one account out of one flush, written once, never changed.
 *
 *   version | account id | depth | tree size | records before | entries before | pointer to the previous block and jump
 *   pointer (but for the first block) | count of parts | part …
 *   part: sequence | commit time | records | accepted | balance after | held after | the five columns of record-columns.ts,
         each with its length, as in the commit
 *
 * A part is what one commit has of the account; where that is too large for a block it is continued in the next one, each
 * piece with the commit's balance after. Blocks of many accounts share a segment (segment-writer.ts).
 */
import { ByteReader, type ByteWriter } from '@sluice/protocol';
import { readPointer, writePointer, type BlockPointer } from './entry-spine';
import type { RecordColumns } from './record-columns';

export interface EntryPart {
  readonly sequence: number;
  readonly committedAtUs: number;
  /** Postings in it, refused ones included, and the accepted ones among them. */
  readonly recordCount: number;
  readonly acceptedCount: number;
  /** After the whole commit. */
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly columns: RecordColumns;
}

export interface EntryBlock {
  readonly accountId: string;
  readonly depth: number;
  readonly treeSize: number;
  readonly recordsBefore: number;
  readonly entriesBefore: number;
  readonly previous: BlockPointer | undefined;
  readonly jump: BlockPointer | undefined;
  readonly parts: readonly EntryPart[];
}

const BLOCK_VERSION = 1;
/** What a part takes beside its columns, at most. */
export const PART_OVERHEAD_BYTES = 80;

export type BlockLinks = Omit<EntryBlock, 'accountId' | 'parts'>;

export function writeBlock(writer: ByteWriter, accountIdUtf8: Uint8Array, links: BlockLinks, parts: readonly EntryPart[]): void {
  writer.reserve(accountIdUtf8.length + 64);
  writer.byte(BLOCK_VERSION);
  writer.varint(accountIdUtf8.length);
  writer.raw(accountIdUtf8, 0, accountIdUtf8.length);
  writer.reserve(64);
  writer.varint(links.depth);
  writer.varint(links.treeSize);
  writer.varint(links.recordsBefore);
  writer.varint(links.entriesBefore);
  if (links.previous !== undefined) {
    writePointer(writer, links.previous);
    writer.reserve(1);
    writer.byte(links.jump === undefined ? 0 : 1);
    if (links.jump !== undefined) writePointer(writer, links.jump);
  }
  writer.reserve(8);
  writer.varint(parts.length);
  for (const part of parts) {
    writer.reserve(PART_OVERHEAD_BYTES);
    writer.varint(part.sequence);
    writer.varint(part.committedAtUs);
    writer.varint(part.recordCount);
    writer.varint(part.acceptedCount);
    writeZigzag(writer, part.balanceAfterMinor);
    writeZigzag(writer, part.heldAfterMinor);
    const { columns } = part;
    writeColumn(writer, columns.requests);
    writeColumn(writer, columns.balancesAfter);
    writeColumn(writer, columns.holdsAfter);
    writeColumn(writer, columns.rejectedPositions);
    writeColumn(writer, columns.rejections);
  }
}

function writeColumn(writer: ByteWriter, column: Uint8Array): void {
  writer.reserve(8);
  writer.varint(column.length);
  writer.raw(column, 0, column.length);
}

const SPLIT_BIG = new BigInt64Array(1);
const SPLIT = new Int32Array(SPLIT_BIG.buffer);

function writeZigzag(writer: ByteWriter, value: bigint): void {
  SPLIT_BIG[0] = value;
  writer.zigzag64(SPLIT[0] as number, SPLIT[1] as number);
}

/** Reads the block that the pointer leads to and checks that it is the one meant. */
export function readBlock(segment: Uint8Array, pointer: BlockPointer, accountId: string): EntryBlock {
  const block = readBlockAt(new ByteReader(segment, pointer.offset, segment.length));
  if (block.accountId !== accountId || block.depth !== pointer.depth) {
    throw new Error(
      `segment ${pointer.segmentId}: block ${block.depth} of account "${block.accountId}" stands at ${pointer.offset} where block ${pointer.depth} of "${accountId}" belongs`,
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
  const accountId = reader.string();
  const depth = reader.varint();
  const treeSize = reader.varint();
  const recordsBefore = reader.varint();
  const entriesBefore = reader.varint();
  const previous = depth > 1 ? readPointer(reader) : undefined;
  const jump = depth > 1 && reader.varint() === 1 ? readPointer(reader) : undefined;
  const parts: EntryPart[] = [];
  for (let rest = reader.varint(); rest > 0; rest -= 1) {
    parts.push({
      sequence: reader.varint(),
      committedAtUs: reader.varint(),
      recordCount: reader.varint(),
      acceptedCount: reader.varint(),
      balanceAfterMinor: reader.sint64(),
      heldAfterMinor: reader.sint64(),
      columns: {
        requests: reader.view(),
        balancesAfter: reader.view(),
        holdsAfter: reader.view(),
        rejectedPositions: reader.view(),
        rejections: reader.view(),
      },
    });
  }
  return { accountId, depth, treeSize, recordsBefore, entriesBefore, previous, jump, parts };
}
