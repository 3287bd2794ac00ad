/**
 * What postings take of a commit at most, so that a turn stays within the largest record of the log. What an account's group costs beside its
 * requests is in `posting-group.ts`.
 */
import type { CalendarDate } from '@sluice/domain/day';
import { END, EXPIRES_FLAG, HOLD_ID_LENGTH_AND_FLAGS, INITIATED_DATE_FLAG, initiatedDateIn, START, STRIDE, type PostingBatch } from '@sluice/protocol/account';

/** Beside the request itself: balances after, rejection, and a hold with its id. */
const POSTING_BYTES = 192;
/** Account id, the figures of a group, those of its business date with one line, and an event of its own. */
const GROUP_BYTES = 384;
/** High half of an amount from which on a posting stands in a group of its own (`posting-decisions.ts`). */
const HUGE_AMOUNT_HIGH = 1 << 16;

/** A transfer is a debit, a credit, which is recorded or owed to another partition, and a record of the transfer itself. */
const TRANSFER_PARTS = 3;

/** The timer of a hold that expires has the ids of the account and of the hold twice, and this beside them. */
const TIMER_IDS = 2;
const TIMER_BYTES = 96;

/** As if each posting were of another account. @param expires whether one of them may be a hold that expires. */
export function recordBytesOf(batch: PostingBatch, sizeBytes: number, count: number, expires: boolean = batch.someExpire): number {
  const { legs } = batch;
  const postings = sizeBytes + count * (POSTING_BYTES + GROUP_BYTES) + (expires ? timerBytes(sizeBytes, count) : 0);
  return legs === undefined ? postings : postings * TRANSFER_PARTS;
}

/** By the postings themselves: those of one account share a group. */
export function exactRecordBytesOf(batch: PostingBatch, indexes: readonly number[]): number {
  const groups = new GroupCount();
  let bytes = 0;
  for (const index of indexes) {
    groups.add(batch, index);
    const request = requestBytes(batch, index);
    bytes += request + POSTING_BYTES + (isExpiring(batch, index) ? timerBytes(request, 1) : 0);
  }
  return bytes + groups.most * GROUP_BYTES;
}

/** How many groups an atomic batch has at most: what closes the groups of a turn closes all of them (`posting-decisions.ts`). */
class GroupCount {
  /** The business date that the open group of an account was begun with; undefined: its caller names none. */
  private readonly open = new Map<number, CalendarDate | undefined>();
  private readonly accounts = new Set<number>();
  private begun = 0;

  /** The turn may have groups of the accounts that are written first. */
  get most(): number {
    return Math.max(this.begun, this.accounts.size * 2);
  }

  add(batch: PostingBatch, index: number): void {
    const account = batch.accountHashes[index] as number;
    const huge = (batch.amountHalves[index * 2 + 1] as number) >= HUGE_AMOUNT_HIGH;
    const date = initiatedDateOf(batch, index);
    if (huge || (this.open.has(account) && this.open.get(account) !== date)) this.open.clear();
    if (!this.open.has(account)) this.begun += 1;
    this.open.set(account, date);
    // The first posting behind a day cut may be counted to the closed date: then it is a group of its own.
    if (huge || !this.accounts.has(account)) this.open.clear();
    this.accounts.add(account);
  }
}

/** Cuts the postings, in order, into parts that fit a commit each. */
export function partsThatFit(batch: PostingBatch, indexes: readonly number[], roomBytes: number): number[][] {
  const parts: number[][] = [];
  let part: number[] = [];
  let bytes = 0;
  for (const index of indexes) {
    const posting = recordBytesOf(batch, requestBytes(batch, index), 1, isExpiring(batch, index));
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

function timerBytes(requestBytes: number, count: number): number {
  return requestBytes * TIMER_IDS + count * TIMER_BYTES;
}

function initiatedDateOf(batch: PostingBatch, index: number): CalendarDate | undefined {
  const says = ((batch.fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & INITIATED_DATE_FLAG) !== 0;
  return says ? initiatedDateIn(batch.body(index)) : undefined;
}

function isExpiring({ fields }: PostingBatch, index: number): boolean {
  return ((fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & EXPIRES_FLAG) !== 0;
}
