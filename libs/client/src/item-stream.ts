/**
 * Items over one stream call, with a bounded number under way.
 *
 * What was sent and has no answer is kept; when the connection breaks it is sent again over a new one, under the retry
 * policy. Items that the server could not take (UNAVAILABLE, a full queue) are sent again as well. Order per aggregate is
 * kept while the connection lives; a caller who needs it across repeats awaits each item instead.
 */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Caller } from './caller';
import type { ItemOutcome } from './item-batch';
import type { ItemStreamOptions } from './item-stream-options';
import { isRetryable } from './retry';
import { SluiceError, toSluiceError } from './sluice-error';

/** The messages of a stream call. */
export interface StreamedItems<Input, Item, Message, Answer, Outcome> {
  open(): ClientDuplexStream<Message, Answer>;
  item(input: Input): Item;
  message(item: Item): Message;
  /** Names the request; an item and its answer have the same one. */
  keyOfItem(item: Item): string;
  keyOfAnswer(answer: Answer): string;
  outcome(item: Item, answer: Answer): Outcome;
  onPosition(positionToken: string): void;
}

const STREAM_ENDED = new SluiceError({ code: 'UNAVAILABLE', reason: '', message: 'the server ended the stream' });
const DEFAULT_IN_FLIGHT = 1_000;

/** What the loop waits for: an answer, the end of a stream, or the source. */
type Happening<Input, Stream, Answer> =
  | { readonly kind: 'answer'; readonly stream: Stream; readonly answer: Answer }
  | { readonly kind: 'broken'; readonly stream: Stream; readonly failure: SluiceError }
  | { readonly kind: 'source'; readonly next: IteratorResult<Input> }
  | { readonly kind: 'sourceFailed'; readonly error: unknown };

class Happenings<Happened> {
  readonly #happened: Happened[] = [];
  #wake: (() => void) | undefined;

  push(happening: Happened): void {
    this.#happened.push(happening);
    this.#wake?.();
  }

  async next(): Promise<Happened> {
    for (;;) {
      const happening = this.#happened.shift();
      if (happening !== undefined) return happening;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}

/** Items without an answer, by request. Two with the same key may be under way: the answers are alike. */
class UnansweredItems<Item> {
  readonly #byRequest = new Map<string, Item[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(key: string, item: Item): void {
    const alike = this.#byRequest.get(key);
    if (alike === undefined) this.#byRequest.set(key, [item]);
    else alike.push(item);
    this.#count += 1;
  }

  take(key: string): Item | undefined {
    const alike = this.#byRequest.get(key);
    const item = alike?.shift();
    if (item === undefined) return undefined;
    if (alike?.length === 0) this.#byRequest.delete(key);
    this.#count -= 1;
    return item;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const alike of this.#byRequest.values()) yield* alike;
  }
}

/** A request id is unique in its aggregate. */
export function requestKey(aggregateId: string, requestId: string): string {
  return `${aggregateId.length}:${aggregateId}${requestId}`;
}

export async function* streamItems<Input, Item, Message, Answer extends { readonly positionToken: string }, Outcome extends ItemOutcome>(
  caller: Caller,
  streamed: StreamedItems<Input, Item, Message, Answer, Outcome>,
  inputs: AsyncIterable<Input> | Iterable<Input>,
  options: ItemStreamOptions = {},
): AsyncGenerator<Outcome, void, undefined> {
  type Stream = ClientDuplexStream<Message, Answer>;
  const maximumInFlight = options.maximumInFlight ?? DEFAULT_IN_FLIGHT;
  const source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  const happenings = new Happenings<Happening<Input, Stream, Answer>>();
  const unanswered = new UnansweredItems<Item>();
  let sourceAsked = false;
  let sourceEnded = false;
  let repeat = 0;
  let giveUpAt = caller.deadlineAt(options);

  // Opened when something is to be sent, so that an idle caller keeps no broken stream alive.
  let current: Stream | undefined;
  const connect = (): Stream => {
    const stream = streamed.open();
    current = stream;
    stream.on('data', (answer: Answer) => happenings.push({ kind: 'answer', stream, answer }));
    stream.on('end', () => happenings.push({ kind: 'broken', stream, failure: STREAM_ENDED }));
    stream.on('error', (error) => happenings.push({ kind: 'broken', stream, failure: toSluiceError(error) }));
    return stream;
  };
  const askSource = (): void => {
    sourceAsked = true;
    Promise.resolve(source.next()).then(
      (next) => happenings.push({ kind: 'source', next }),
      (error: unknown) => happenings.push({ kind: 'sourceFailed', error }),
    );
  };

  try {
    for (;;) {
      if (!sourceAsked && !sourceEnded && unanswered.count < maximumInFlight) askSource();
      if (sourceEnded && unanswered.count === 0) return;
      const happening = await happenings.next();
      switch (happening.kind) {
        case 'source': {
          sourceAsked = false;
          if (happening.next.done === true) {
            sourceEnded = true;
            break;
          }
          const item = streamed.item(happening.next.value);
          if (unanswered.count === 0) giveUpAt = caller.deadlineAt(options);
          unanswered.add(streamed.keyOfItem(item), item);
          (current ?? connect()).write(streamed.message(item));
          break;
        }
        case 'sourceFailed':
          throw happening.error;
        case 'answer': {
          const { answer } = happening;
          const key = streamed.keyOfAnswer(answer);
          const item = unanswered.take(key);
          if (item === undefined) break;
          const outcome = streamed.outcome(item, answer);
          if (outcome.error !== undefined && isRetryable(outcome.error)) {
            unanswered.add(key, item);
            repeat += 1;
            await caller.waitForRepeat(outcome.error, repeat, giveUpAt);
            current?.write(streamed.message(item));
            break;
          }
          repeat = 0;
          giveUpAt = caller.deadlineAt(options);
          caller.retry.succeeded();
          streamed.onPosition(answer.positionToken);
          yield outcome;
          break;
        }
        case 'broken': {
          if (happening.stream !== current) break;
          current = undefined;
          if (unanswered.count === 0 && isRetryable(happening.failure)) break;
          if (!isRetryable(happening.failure)) throw happening.failure;
          repeat += 1;
          await caller.waitForRepeat(happening.failure, repeat, giveUpAt);
          for (const item of unanswered) (current ?? connect()).write(streamed.message(item));
          break;
        }
        default:
          return happening satisfies never;
      }
    }
  } finally {
    current?.end();
    current?.cancel();
    if (!sourceEnded) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}
