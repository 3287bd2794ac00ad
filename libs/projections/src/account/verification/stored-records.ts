/** The records of an account as the read store has them, digested on the way along its chain: what a statement would show. */
import type { ReadCopy } from '@sluice/ports';
import type { AccountState } from '../account-state';
import { type EntryPart, postingsOf } from '../entry-block';
import { EntryChain } from '../entry-chain';
import { RecordCursor } from '../record-columns';
import { segmentLoader } from '../segment-loader';
import { RecordDigest } from './record-digest';

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
