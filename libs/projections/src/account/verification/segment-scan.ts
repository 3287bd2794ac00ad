/**
 * Reads all entry segments of a partition once, in the order of their keys, and digests each account's records. Walking
 * every account's own chain would read a segment as often as accounts are in it.
 *
 * That the chains lead to these very blocks is checked by sums: each block counts as itself, and its predecessor is taken
 * away; what remains of a whole chain is its newest block. Blocks of a write that was not finished belong to no chain, and
 * make both come out wrong: who differs is looked at by its chain.
 */
import { murmurHash3 } from '@sluice/domain';
import type { ReadCopy } from '@sluice/ports';
import { attemptPrefix } from '../../attempt-prefix';
import { rowsOf } from '../../row-pages';
import { ENTRY_SEGMENTS } from '../collections';
import { postingsOf, readBlocks } from '../entry-block';
import type { BlockPointer } from '../entry-spine';
import { RecordDigest } from './record-digest';
import { digestPart } from './stored-records';

/** Segments are large. */
const SEGMENTS_PER_PAGE = 32;

export class ScannedAccount {
  readonly digest = new RecordDigest();
  private links = 0;

  countBlock(block: BlockPointer, previous: BlockPointer | undefined): void {
    this.links = (this.links + hashPointer(block) - (previous === undefined ? 0 : hashPointer(previous))) | 0;
  }

  /** Whether the blocks are one chain that ends with the newest one. */
  endsWith(newest: BlockPointer | undefined): boolean {
    return this.links === (newest === undefined ? 0 : hashPointer(newest));
  }
}

/**
 * @param boundOf up to which sequence the account's records count; 0: not at all.
 */
export async function scanSegments(
  copy: ReadCopy,
  partition: number,
  boundOf: (accountId: string) => number,
  signal: AbortSignal,
): Promise<Map<string, ScannedAccount>> {
  const accounts = new Map<string, ScannedAccount>();
  // Keys of a partition's segments begin with its prefix, and prefixes are in the order of the partitions.
  const range = { from: attemptPrefix(partition), before: attemptPrefix(partition + 1) };
  for await (const page of rowsOf(copy, { collection: ENTRY_SEGMENTS.name, range }, SEGMENTS_PER_PAGE)) {
    signal.throwIfAborted();
    for (const row of page) scanSegment(row.segment_id as string, row.blocks as Uint8Array, boundOf, accounts);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return accounts;
}

function scanSegment(segmentId: string, blocks: Uint8Array, boundOf: (accountId: string) => number, accounts: Map<string, ScannedAccount>): void {
  for (const { offset, block } of readBlocks(blocks)) {
    const [first] = block.parts;
    if (first === undefined) continue;
    const { accountId } = postingsOf(first);
    const bound = boundOf(accountId);
    if (first.sequence > bound) continue;
    let account = accounts.get(accountId);
    if (account === undefined) {
      account = new ScannedAccount();
      accounts.set(accountId, account);
    }
    const { depth, treeSize, recordsBefore, entriesBefore, previous } = block;
    const pointer = {
      segmentId,
      offset,
      depth,
      treeSize,
      recordsBefore,
      entriesBefore,
      firstCommittedAtUs: first.committedAtUs,
      firstSequence: first.sequence,
    };
    account.countBlock(pointer, previous);
    let before = recordsBefore;
    for (const part of block.parts) {
      if (part.sequence <= bound) digestPart(account.digest, part, before);
      before += part.recordCount;
    }
  }
}

function hashPointer(pointer: BlockPointer): number {
  const { segmentId, offset, depth, treeSize, recordsBefore, entriesBefore, firstCommittedAtUs, firstSequence } = pointer;
  const text = Buffer.from([segmentId, offset, depth, treeSize, recordsBefore, entriesBefore, firstCommittedAtUs, firstSequence].join(' '), 'latin1');
  return murmurHash3(text, 0, text.length, 1);
}
