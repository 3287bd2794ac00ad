/**
 * The requests that a turn has gathered, in the order in which they were decided; each is linked to the next one of its account. All accounts
 * share these columns: with arrays of its own for each, emptying them would cost more than deciding a posting, because V8 sets the length of an
 * array in its runtime and frees what it held.
 */
import type { PostingBatch } from '@sluice/protocol/account';

/** Behind the last request of an account. */
export const NO_REQUEST = -1;
const INITIAL_REQUESTS = 1_024;

export class GatheredRequests {
  private count = 0;
  private readonly batches: (PostingBatch | undefined)[] = [];
  private indexes = new Int32Array(INITIAL_REQUESTS);
  private nexts = new Int32Array(INITIAL_REQUESTS);

  /** Adds a request behind another one of its account. Returns its number. */
  add(batch: PostingBatch, index: number, before: number): number {
    const item = this.count;
    if (item === this.indexes.length) this.grow();
    this.count += 1;
    this.batches[item] = batch;
    this.indexes[item] = index;
    this.nexts[item] = NO_REQUEST;
    if (before !== NO_REQUEST) this.nexts[before] = item;
    return item;
  }

  batch(item: number): PostingBatch {
    return this.batches[item] as PostingBatch;
  }

  /** Where it stands in its batch. */
  index(item: number): number {
    return this.indexes[item] as number;
  }

  next(item: number): number {
    return this.nexts[item] as number;
  }

  /** Lets go of the batches. */
  clear(): void {
    this.batches.fill(undefined, 0, this.count);
    this.count = 0;
  }

  private grow(): void {
    const { indexes, nexts } = this;
    this.indexes = new Int32Array(indexes.length * 2);
    this.indexes.set(indexes);
    this.nexts = new Int32Array(nexts.length * 2);
    this.nexts.set(nexts);
  }
}
