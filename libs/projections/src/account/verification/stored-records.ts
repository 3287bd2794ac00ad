/** The records of an account as the read store has them, digested on the way along its chain: what a statement would show. */
import type { ReadCopy } from '@sluice/ports';
import type { AccountState } from '../account-state';
import { ENTRY_SEGMENTS } from '../collections';
import { type EntryPart, postingsOf } from '../entry-block';
import { EntryChain } from '../entry-chain';
import { RecordCursor } from '../record-columns';
import { RecordDigest } from './record-digest';

/** Segments of one account follow each other: the last one read is the likely next one. */
export function segmentLoader(copy: ReadCopy): (segmentId: string) => Promise<Uint8Array> {
  let newest: { readonly segmentId: string; readonly blocks: Uint8Array } | undefined;
  return async (segmentId) => {
    if (newest?.segmentId === segmentId) return newest.blocks;
    const row = await copy.get(ENTRY_SEGMENTS.name, segmentId);
    if (row === undefined) throw new Error(`entry segment ${segmentId} is missing`);
    newest = { segmentId, blocks: row.blocks as Uint8Array };
    return newest.blocks;
  };
}

/** @param bound records of later commits are left out. */
export async function digestChain(copy: ReadCopy, account: AccountState, bound: number): Promise<RecordDigest> {
  const digest = new RecordDigest();
  for await (const block of new EntryChain(account.accountId, account.spine, segmentLoader(copy)).blocks()) {
    let recordsBefore = block.recordsBefore;
    for (const part of block.parts) {
      if (part.sequence <= bound) digestPart(digest, part, recordsBefore);
      recordsBefore += part.recordCount;
    }
  }
  return digest;
}

export function digestPart(digest: RecordDigest, part: EntryPart, recordsBefore: number): void {
  const postings = postingsOf(part);
  const cursor = new RecordCursor(postings, postings.heldAfterMinor);
  while (cursor.next()) {
    const { posting, rejection, balanceAfterMinor, heldAfterMinor } = cursor;
    digest.add({ recordNumber: recordsBefore + cursor.position + 1, sequence: part.sequence, posting, balanceAfterMinor, heldAfterMinor, rejection });
  }
}
