/**
 * What postings take of a commit at most, so that a turn stays within the largest record of the log. What an account's group costs beside its
 * requests is in `posting-group.ts`.
 */
import { END, START, STRIDE, type PostingBatch } from '@sluice/protocol/account';

/** Beside the request itself: balances after, rejection, and a hold with its id. */
const POSTING_BYTES = 192;
/** Account id, the figures of a group, and an event of its own. */
const GROUP_BYTES = 384;
/** High half of an amount from which on a posting stands in a group of its own (`account-state.ts`). */
const HUGE_AMOUNT_HIGH = 1 << 16;

/** A transfer is a debit, a credit, which is recorded or owed to another partition, and a record of the transfer itself. */
const TRANSFER_PARTS = 3;

/** Without a look at the postings: as if each were of another account. */
export function recordBytesOf({ legs }: PostingBatch, sizeBytes: number, count: number): number {
  const postings = sizeBytes + count * (POSTING_BYTES + GROUP_BYTES);
  return legs === undefined ? postings : postings * TRANSFER_PARTS;
}

/** By the postings themselves: those of one account share a group. */
export function exactRecordBytesOf(batch: PostingBatch, indexes: readonly number[]): number {
  const accounts = new Set<number>();
  let bytes = 0;
  for (const index of indexes) {
    const huge = (batch.amountHalves[index * 2 + 1] as number) >= HUGE_AMOUNT_HIGH;
    accounts.add(batch.accountHashes[index] as number);
    bytes += requestBytes(batch, index) + POSTING_BYTES + (huge ? GROUP_BYTES : 0);
  }
  return bytes + accounts.size * 2 * GROUP_BYTES;
}

/** Cuts the postings, in order, into parts that fit a commit each. */
export function partsThatFit(batch: PostingBatch, indexes: readonly number[], roomBytes: number): number[][] {
  const parts: number[][] = [];
  let part: number[] = [];
  let bytes = 0;
  for (const index of indexes) {
    const posting = recordBytesOf(batch, requestBytes(batch, index), 1);
    if (part.length > 0 && bytes + posting > roomBytes) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(index);
    bytes += posting;
  }
  parts.push(part);
  return parts;
}

function requestBytes({ fields }: PostingBatch, index: number): number {
  return (fields[index * STRIDE + END] as number) - (fields[index * STRIDE + START] as number);
}
