/**
 * Gathers the postings of callers who know nothing of each other into PostBatch calls.
 *
 * States of a posting: waiting → in flight → answered | waiting for its repeat → in flight … A batch leaves at the end of
 * the turn of the event loop in which its first posting came, so that whatever is posted at the same time travels together;
 * while as many batches as allowed are in flight, postings gather for the next one. That trades nothing at low load (one
 * posting, one call, at once) and makes a hot client cheap at high load. Batches overtake each other: who needs one posting
 * after another awaits the first.
 */
import type { accountpb } from '@sluice/protocol/account';
import type { Caller, UnaryMethod } from '../caller';
import type { PostingResult } from './posting';
import type { BatchingOptions } from '../batching-options';
import { outcomeOf } from './posting-outcome';
import { postingSizeBytes } from './posting-wire';
import { isRetryable, sleepMs } from '../retry';
import { SluiceError, toSluiceError } from '../sluice-error';

interface WaitingPosting {
  readonly posting: accountpb.Posting;
  readonly sizeBytes: number;
  readonly deadlineAt: number;
  readonly resolve: (result: PostingResult) => void;
  readonly reject: (error: SluiceError) => void;
}

/** Postings without an answer, and why. */
interface Unanswered {
  readonly items: readonly WaitingPosting[];
  readonly failure: SluiceError;
}

export type PostBatchMethod = UnaryMethod<accountpb.PostBatchRequest, accountpb.PostBatchResponse>;

export class PostingBatcher {
  readonly #caller: Caller;
  readonly #postBatch: PostBatchMethod;
  readonly #onPosition: (positionToken: string) => void;
  readonly #limits: Required<BatchingOptions>;
  #waiting: WaitingPosting[] = [];
  #callsInFlight = 0;
  #flushScheduled = false;

  constructor(caller: Caller, postBatch: PostBatchMethod, onPosition: (positionToken: string) => void, options: BatchingOptions = {}) {
    this.#caller = caller;
    this.#postBatch = postBatch;
    this.#onPosition = onPosition;
    this.#limits = {
      maximumPostings: options.maximumPostings ?? 1_000,
      maximumBytes: options.maximumBytes ?? 1024 * 1024,
      maximumCallsInFlight: options.maximumCallsInFlight ?? 4,
      maximumWaiting: options.maximumWaiting ?? 50_000,
    };
  }

  post(posting: accountpb.Posting, deadlineAt: number): Promise<PostingResult> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= this.#limits.maximumWaiting) {
        const message = `this client has ${this.#waiting.length} postings waiting already; await some of them first`;
        reject(new SluiceError({ code: 'RESOURCE_EXHAUSTED', reason: 'CLIENT_QUEUE_FULL', message, requestId: posting.requestId }));
        return;
      }
      this.#waiting.push({ posting, sizeBytes: postingSizeBytes(posting), deadlineAt, resolve, reject });
      this.#scheduleFlush();
    });
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#callsInFlight >= this.#limits.maximumCallsInFlight) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#callsInFlight < this.#limits.maximumCallsInFlight) {
      this.#callsInFlight += 1;
      void this.#deliver(this.#takeBatch()).finally(() => {
        this.#callsInFlight -= 1;
        this.#scheduleFlush();
      });
    }
  }

  #takeBatch(): WaitingPosting[] {
    const { maximumPostings, maximumBytes } = this.#limits;
    let count = 0;
    let bytes = 0;
    for (const { sizeBytes } of this.#waiting) {
      if (count === maximumPostings || (count > 0 && bytes + sizeBytes > maximumBytes)) break;
      count += 1;
      bytes += sizeBytes;
    }
    return this.#waiting.splice(0, count);
  }

  /**
   * One call, and the repeats of what it left open. It stays in flight meanwhile, so that a server in need gets less from
   * this client, not more. Never rejects: every posting in it gets its own answer.
   */
  async #deliver(batch: readonly WaitingPosting[]): Promise<void> {
    let unanswered = batch;
    for (let repeat = 1; unanswered.length > 0; repeat += 1) {
      const left = await this.#attempt(unanswered);
      unanswered = left === undefined ? [] : await this.#waitForRepeat(left, repeat);
    }
  }

  /** Undefined: every posting has its answer. */
  async #attempt(batch: readonly WaitingPosting[]): Promise<Unanswered | undefined> {
    try {
      // The earliest deadline rules the call; what still has time when it passes is sent again.
      const deadlineAt = earliestDeadline(batch);
      const request = { postings: batch.map((item) => item.posting), atomic: false };
      const response = await this.#caller.attempt(this.#postBatch, request, deadlineAt);
      this.#onPosition(response.positionToken);
      const left = settle(batch, response);
      if (left === undefined) this.#caller.retry.succeeded();
      return left;
    } catch (error) {
      const failure = toSluiceError(error);
      if (isRetryable(failure) || failure.code === 'DEADLINE_EXCEEDED') return { items: batch, failure };
      rejectAll(batch, failure);
      return undefined;
    }
  }

  /** Resolves with what is to be sent again now; the others are answered with what went wrong. */
  async #waitForRepeat({ items, failure }: Unanswered, repeat: number): Promise<readonly WaitingPosting[]> {
    const isTimeOver = failure.code === 'DEADLINE_EXCEEDED';
    const delay = isTimeOver ? 0 : this.#caller.retry.delayMs(repeat, failure);
    // The server answers a little before the deadline of the call: for those whose deadline it was, the time is over all the same.
    const resumedAt = isTimeOver ? earliestDeadline(items) : Date.now() + delay;
    const late = items.filter((item) => resumedAt >= item.deadlineAt);
    const inTime = items.filter((item) => resumedAt < item.deadlineAt);
    rejectAll(late, failure);
    if (inTime.length === 0) return [];
    if (!this.#caller.retry.mayRepeat()) {
      rejectAll(inTime, failure);
      return [];
    }
    await sleepMs(delay);
    return inTime;
  }
}

function earliestDeadline(items: readonly WaitingPosting[]): number {
  return items.reduce((earliest, item) => Math.min(earliest, item.deadlineAt), Number.POSITIVE_INFINITY);
}

/** Answers what has its verdict; returns what is to be sent again. */
function settle(batch: readonly WaitingPosting[], response: accountpb.PostBatchResponse): Unanswered | undefined {
  const open: WaitingPosting[] = [];
  let lastFailure: SluiceError | undefined;
  batch.forEach((item, index) => {
    const outcome = outcomeOf(item.posting, response.results[index], response.positionToken);
    if (outcome.error === undefined) {
      item.resolve(outcome.result);
    } else if (isRetryable(outcome.error)) {
      open.push(item);
      lastFailure = outcome.error;
    } else {
      item.reject(outcome.error);
    }
  });
  return lastFailure === undefined ? undefined : { items: open, failure: lastFailure };
}

function rejectAll(items: readonly WaitingPosting[], failure: SluiceError): void {
  for (const item of items) item.reject(failure.about(item.posting.requestId));
}
