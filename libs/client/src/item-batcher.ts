/**
 * Gathers the items of callers who know nothing of each other into batches.
 *
 * States of an item: waiting → in flight → answered | waiting for its repeat → in flight … A batch leaves at the end of
 * the turn of the event loop in which its first item came, so that whatever is sent at the same time travels together;
 * while as many batches as allowed are in flight, items gather for the next one. That trades nothing at low load (one
 * item, one call, at once) and makes a hot client cheap at high load. Batches overtake each other: who needs one item
 * after another awaits the first.
 */
import type { BatchingOptions } from './batching-options';
import type { Caller } from './caller';
import { isRetryable, sleepMs } from './retry';
import { SluiceError, toSluiceError } from './sluice-error';

/** What became of one item of a batch. */
export type BatchedOutcome<Result> = { readonly result: Result; readonly error?: undefined } | { readonly result?: undefined; readonly error: SluiceError };

/** The batches of one kind of item. */
export interface BatchedItems<Item, Result> {
  /** "postings", for messages. */
  readonly plural: string;
  requestIdOf(item: Item): string;
  /** About as many bytes as it takes on the wire. */
  sizeBytes(item: Item): number;
  /** The item as bytes. Throws where no message can say it, like an amount of more than 64 bits. */
  encode(item: Item): Uint8Array;
  /** One call; resolves with one outcome per item, in order. */
  send(items: readonly Item[], deadlineAt: number): Promise<readonly BatchedOutcome<Result>[]>;
}

interface WaitingItem<Item, Result> {
  readonly item: Item;
  readonly sizeBytes: number;
  readonly deadlineAt: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: SluiceError) => void;
}

/** Items without an answer, and why. */
interface Unanswered<Item, Result> {
  readonly items: readonly WaitingItem<Item, Result>[];
  readonly failure: SluiceError;
}

export class ItemBatcher<Item, Result> {
  readonly #caller: Caller;
  readonly #batches: BatchedItems<Item, Result>;
  readonly #limits: Required<BatchingOptions>;
  #waiting: WaitingItem<Item, Result>[] = [];
  #callsInFlight = 0;
  #flushScheduled = false;

  constructor(caller: Caller, batches: BatchedItems<Item, Result>, options: BatchingOptions = {}) {
    this.#caller = caller;
    this.#batches = batches;
    this.#limits = {
      maximumPostings: options.maximumPostings ?? 1_000,
      maximumBytes: options.maximumBytes ?? 1024 * 1024,
      maximumCallsInFlight: options.maximumCallsInFlight ?? 4,
      maximumWaiting: options.maximumWaiting ?? 50_000,
    };
  }

  add(item: Item, deadlineAt: number): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= this.#limits.maximumWaiting) {
        const message = `this client has ${this.#waiting.length} ${this.#batches.plural} waiting already; await some of them first`;
        reject(new SluiceError({ code: 'RESOURCE_EXHAUSTED', reason: 'CLIENT_QUEUE_FULL', message, requestId: this.#batches.requestIdOf(item) }));
        return;
      }
      this.#waiting.push({ item, sizeBytes: this.#batches.sizeBytes(item), deadlineAt, resolve, reject });
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

  #takeBatch(): WaitingItem<Item, Result>[] {
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
   * this client, not more. Never rejects: every item in it gets its own answer.
   */
  async #deliver(batch: readonly WaitingItem<Item, Result>[]): Promise<void> {
    let unanswered = batch;
    for (let repeat = 1; unanswered.length > 0; repeat += 1) {
      const left = await this.#attempt(unanswered);
      unanswered = left === undefined ? [] : await this.#waitForRepeat(left, repeat);
    }
  }

  /** Undefined: every item has its answer. */
  async #attempt(batch: readonly WaitingItem<Item, Result>[]): Promise<Unanswered<Item, Result> | undefined> {
    try {
      // The earliest deadline rules the call; what still has time when it passes is sent again.
      const outcomes = await this.#batches.send(
        batch.map(({ item }) => item),
        earliestDeadline(batch),
      );
      const left = settle(batch, outcomes);
      if (left === undefined) this.#caller.retry.succeeded();
      return left;
    } catch (error) {
      const failure = toSluiceError(error);
      if (isRetryable(failure) || failure.code === 'DEADLINE_EXCEEDED') return { items: batch, failure };
      const sendable = batch.filter((item) => this.#isEncodable(item));
      if (sendable.length < batch.length) return sendable.length === 0 ? undefined : this.#attempt(sendable);
      this.#rejectAll(batch, failure);
      return undefined;
    }
  }

  /** Whether the item could be sent; if it could not, it is refused. One that could not has kept the whole batch from being sent. */
  #isEncodable({ item, reject }: WaitingItem<Item, Result>): boolean {
    try {
      this.#batches.encode(item);
      return true;
    } catch (error) {
      const message = `the request cannot be encoded: ${error instanceof Error ? error.message : String(error)}`;
      reject(new SluiceError({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', message, requestId: this.#batches.requestIdOf(item), cause: error }));
      return false;
    }
  }

  /** Resolves with what is to be sent again now; the others are answered with what went wrong. */
  async #waitForRepeat({ items, failure }: Unanswered<Item, Result>, repeat: number): Promise<readonly WaitingItem<Item, Result>[]> {
    const isTimeOver = failure.code === 'DEADLINE_EXCEEDED';
    const delay = isTimeOver ? 0 : this.#caller.retry.delayMs(repeat, failure);
    // The server answers a little before the deadline of the call: for those whose deadline it was, the time is over all the same.
    const resumedAt = isTimeOver ? earliestDeadline(items) : Date.now() + delay;
    const late = items.filter((item) => resumedAt >= item.deadlineAt);
    const inTime = items.filter((item) => resumedAt < item.deadlineAt);
    this.#rejectAll(late, failure);
    if (inTime.length === 0) return [];
    if (!this.#caller.retry.mayRepeat()) {
      this.#rejectAll(inTime, failure);
      return [];
    }
    await sleepMs(delay);
    return inTime;
  }

  #rejectAll(items: readonly WaitingItem<Item, Result>[], failure: SluiceError): void {
    for (const { item, reject } of items) reject(failure.about(this.#batches.requestIdOf(item)));
  }
}

function earliestDeadline(items: readonly WaitingItem<unknown, never>[]): number {
  return items.reduce((earliest, item) => Math.min(earliest, item.deadlineAt), Number.POSITIVE_INFINITY);
}

/** Answers what has its verdict; returns what is to be sent again. */
function settle<Item, Result>(batch: readonly WaitingItem<Item, Result>[], outcomes: readonly BatchedOutcome<Result>[]): Unanswered<Item, Result> | undefined {
  const open: WaitingItem<Item, Result>[] = [];
  let lastFailure: SluiceError | undefined;
  batch.forEach((item, index) => {
    const outcome = outcomes[index] as BatchedOutcome<Result>;
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
