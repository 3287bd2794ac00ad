/**
 * Reads the entries of an account out of its chain of blocks: by number, time or sequence, in either direction. Each search
 * reads O(log n) segments; they never change, so that whoever loads them may keep them.
 */
import type { accountpb } from '@sluice/protocol/account';
import { postingsOf, readBlock, type EntryBlock, type EntryPart } from './entry-block';
import type { BlockPointer, EntrySpine } from './entry-spine';
import { RecordCursor } from './record-columns';

/** Reads a segment's blocks. Throws where there is no such segment. */
export type LoadSegment = (segmentId: string) => Promise<Uint8Array>;

/** What entries are looked for by; both count from 1 without gaps: records are accepted and refused postings, entries the accepted ones. */
export type Numbering = 'record' | 'entry';

export interface StoredRecord {
  readonly recordNumber: number;
  /** 0: refused. */
  readonly entryNumber: number;
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly posting: accountpb.Posting;
  /** Size of the encoded posting. */
  readonly requestBytes: number;
  readonly balanceAfterMinor: bigint;
  readonly heldAfterMinor: bigint;
  readonly rejection: accountpb.Rejection;
  /** Business date at which it is booked, days since 1970-01-01; undefined: the account's branch had no business dates. */
  readonly businessDate: number | undefined;
  /** Business date at which it was initiated. */
  readonly initiatedDate: number | undefined;
}

/** The account right after a commit that had postings of it. */
export interface ChainMoment {
  readonly sequence: number;
  readonly committedAtUs: number;
  readonly balanceMinor: bigint;
  readonly heldMinor: bigint;
  /** Records and entries up to and with that commit. */
  readonly recordCount: number;
  readonly entryCount: number;
  /** Whether the newest records of it that were found were accepted; where not, an earlier commit may have made the balance what it is. */
  readonly changed: boolean;
}

type Start = (pointer: BlockPointer) => number;

const startByNumber: Readonly<Record<Numbering, Start>> = {
  record: (pointer) => pointer.recordsBefore,
  entry: (pointer) => pointer.entriesBefore,
};
const startByTime: Start = (pointer) => pointer.firstCommittedAtUs;
const startBySequence: Start = (pointer) => pointer.firstSequence;

export class EntryChain {
  constructor(
    private readonly accountId: string,
    private readonly spine: EntrySpine,
    private readonly loadSegment: LoadSegment,
  ) {}

  /** The records with the numbers first … last, newest first. */
  async records(numbering: Numbering, first: number, last: number): Promise<StoredRecord[]> {
    const start = startByNumber[numbering];
    const found: StoredRecord[] = [];
    let block = await this.newestBelow(start, last);
    while (block !== undefined) {
      collectRecords(block, numbering, first, last, found);
      const before = numbering === 'record' ? block.recordsBefore : block.entriesBefore;
      if (before < first) break;
      block = await this.descend(block, start, before);
    }
    return found;
  }

  /** The last moment of the account before the time (exclusive); undefined: it had no postings before. */
  async momentBeforeTime(beforeUs: number): Promise<ChainMoment | undefined> {
    const block = await this.newestBelow(startByTime, beforeUs);
    return block === undefined ? undefined : lastMoment(block, (part) => part.committedAtUs < beforeUs);
  }

  /** The last moment of the account before the sequence (exclusive). */
  async momentBeforeSequence(before: number): Promise<ChainMoment | undefined> {
    const block = await this.newestBelow(startBySequence, before);
    return block === undefined ? undefined : lastMoment(block, (part) => part.sequence < before);
  }

  /** The blocks, newest first. */
  async *blocks(): AsyncGenerator<EntryBlock> {
    for (let next: BlockPointer | undefined = this.spine[0]; next !== undefined; ) {
      const block: EntryBlock = await this.read(next);
      yield block;
      next = block.previous;
    }
  }

  /** The newest block that starts below the bound. */
  private async newestBelow(start: Start, bound: number): Promise<EntryBlock | undefined> {
    const { spine } = this;
    const head = spine[0];
    if (head === undefined) return undefined;
    if (start(head) < bound) return this.read(head);
    let root = head;
    for (const next of spine) {
      if (start(next) < bound) break;
      root = next;
    }
    return this.descend(await this.read(root), start, bound);
  }

  /** From a block that starts at or above the bound to the newest one that starts below it. */
  private async descend(from: EntryBlock, start: Start, bound: number): Promise<EntryBlock | undefined> {
    let block = from;
    for (;;) {
      const { previous, jump } = block;
      if (previous === undefined) return undefined;
      if (start(previous) < bound) return this.read(previous);
      block = await this.read(jump !== undefined && start(jump) >= bound ? jump : previous);
    }
  }

  private async read(pointer: BlockPointer): Promise<EntryBlock> {
    return readBlock(await this.loadSegment(pointer.segmentId), pointer, this.accountId);
  }
}

/** Appends the block's records with the numbers first … last, newest first. */
function collectRecords(block: EntryBlock, numbering: Numbering, first: number, last: number, found: StoredRecord[]): void {
  const inBlock: StoredRecord[] = [];
  let records = block.recordsBefore;
  let entries = block.entriesBefore;
  for (const part of block.parts) {
    const before = numbering === 'record' ? records : entries;
    const count = numbering === 'record' ? part.recordCount : part.acceptedCount;
    if (before < last && before + count >= first) collectPart(part, records, entries, numbering, first, last, inBlock);
    records += part.recordCount;
    entries += part.acceptedCount;
  }
  for (let index = inBlock.length - 1; index >= 0; index -= 1) found.push(inBlock[index] as StoredRecord);
}

function collectPart(
  part: EntryPart,
  recordsBefore: number,
  entriesBefore: number,
  numbering: Numbering,
  first: number,
  last: number,
  found: StoredRecord[],
): void {
  const postings = postingsOf(part);
  const { day } = postings;
  const cursor = new RecordCursor(postings, postings.heldAfterMinor);
  let recordNumber = recordsBefore;
  let entryNumber = entriesBefore;
  while (cursor.next()) {
    const accepted = cursor.rejection === 0;
    recordNumber += 1;
    if (accepted) entryNumber += 1;
    else if (numbering === 'entry') continue;
    const number = numbering === 'record' ? recordNumber : entryNumber;
    if (number < first) continue;
    if (number > last) return;
    found.push({
      recordNumber,
      entryNumber: accepted ? entryNumber : 0,
      sequence: part.sequence,
      committedAtUs: part.committedAtUs,
      posting: cursor.posting,
      requestBytes: cursor.request.length,
      balanceAfterMinor: cursor.balanceAfterMinor,
      heldAfterMinor: cursor.heldAfterMinor,
      rejection: cursor.rejection,
      businessDate: day?.businessDate,
      initiatedDate: day?.valueDate ?? day?.businessDate,
    });
  }
}

function lastMoment(block: EntryBlock, isBefore: (part: EntryPart) => boolean): ChainMoment | undefined {
  let last: EntryPart | undefined;
  let recordCount = block.recordsBefore;
  let entryCount = block.entriesBefore;
  for (const part of block.parts) {
    if (!isBefore(part)) break;
    recordCount += part.recordCount;
    entryCount += part.acceptedCount;
    last = part;
  }
  if (last === undefined) return undefined;
  const { sequence, committedAtUs, acceptedCount } = last;
  const { balanceAfterMinor, heldAfterMinor } = postingsOf(last);
  return { sequence, committedAtUs, balanceMinor: balanceAfterMinor, heldMinor: heldAfterMinor, recordCount, entryCount, changed: acceptedCount > 0 };
}
