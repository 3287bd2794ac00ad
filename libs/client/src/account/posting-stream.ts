/**
 * Postings over one PostStream call, with a bounded number under way.
 *
 * What was sent and has no answer is kept; when the connection breaks it is sent again over a new one, under the retry
 * policy. Items that the server could not take (UNAVAILABLE, a full queue) are sent again as well. Order per account is
 * kept while the connection lives; a caller who needs it across repeats awaits each posting instead.
 */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { accountpb } from '@sluice/protocol/account';
import type { Caller } from '../caller';
import type { PostingInput, PostingOutcome } from './posting';
import type { PostStreamOptions } from './posting-options';
import { outcomeOf } from './posting-outcome';
import { postingToWire } from './posting-wire';
import { isRetryable } from '../retry';
import { SluiceError, toSluiceError } from '../sluice-error';

type Stream = ClientDuplexStream<accountpb.PostStreamRequest, accountpb.PostStreamResponse>;

const STREAM_ENDED = new SluiceError({ code: 'UNAVAILABLE', reason: '', message: 'the server ended the stream' });

/** What the loop waits for: an answer, the end of a stream, or the source. */
type Happening =
  | { readonly kind: 'answer'; readonly stream: Stream; readonly answer: accountpb.PostStreamResponse }
  | { readonly kind: 'broken'; readonly stream: Stream; readonly failure: SluiceError }
  | { readonly kind: 'source'; readonly next: IteratorResult<PostingInput> }
  | { readonly kind: 'sourceFailed'; readonly error: unknown };

class Happenings {
  readonly #happened: Happening[] = [];
  #wake: (() => void) | undefined;

  push(happening: Happening): void {
    this.#happened.push(happening);
    this.#wake?.();
  }

  async next(): Promise<Happening> {
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

/** Postings without an answer, by request. Two with the same account and id may be under way: the answers are alike. */
class UnansweredPostings {
  readonly #byRequest = new Map<string, accountpb.Posting[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(posting: accountpb.Posting): void {
    const key = requestKey(posting);
    const alike = this.#byRequest.get(key);
    if (alike === undefined) this.#byRequest.set(key, [posting]);
    else alike.push(posting);
    this.#count += 1;
  }

  take(request: { readonly accountId: string; readonly requestId: string }): accountpb.Posting | undefined {
    const key = requestKey(request);
    const alike = this.#byRequest.get(key);
    const posting = alike?.shift();
    if (posting === undefined) return undefined;
    if (alike?.length === 0) this.#byRequest.delete(key);
    this.#count -= 1;
    return posting;
  }

  *[Symbol.iterator](): Iterator<accountpb.Posting> {
    for (const alike of this.#byRequest.values()) yield* alike;
  }
}

function requestKey(request: { readonly accountId: string; readonly requestId: string }): string {
  return `${request.accountId.length}:${request.accountId}${request.requestId}`;
}

export async function* streamPostings(
  caller: Caller,
  open: () => Stream,
  inputs: AsyncIterable<PostingInput> | Iterable<PostingInput>,
  onPosition: (positionToken: string) => void,
  options: PostStreamOptions = {},
): AsyncGenerator<PostingOutcome, void, undefined> {
  const maximumInFlight = options.maximumInFlight ?? 1_000;
  const source = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  const happenings = new Happenings();
  const unanswered = new UnansweredPostings();
  let sourceAsked = false;
  let sourceEnded = false;
  let repeat = 0;
  let giveUpAt = caller.deadlineAt(options);

  // Opened when something is to be sent, so that an idle caller keeps no broken stream alive.
  let current: Stream | undefined;
  const connect = (): Stream => {
    const stream = open();
    current = stream;
    stream.on('data', (answer: accountpb.PostStreamResponse) => happenings.push({ kind: 'answer', stream, answer }));
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
          const posting = postingToWire(happening.next.value);
          if (unanswered.count === 0) giveUpAt = caller.deadlineAt(options);
          unanswered.add(posting);
          (current ?? connect()).write({ posting });
          break;
        }
        case 'sourceFailed':
          throw happening.error;
        case 'answer': {
          const posting = unanswered.take(happening.answer);
          if (posting === undefined) break;
          const outcome = outcomeOf(posting, happening.answer.result, happening.answer.positionToken);
          if (outcome.error !== undefined && isRetryable(outcome.error)) {
            unanswered.add(posting);
            repeat += 1;
            await caller.waitForRepeat(outcome.error, repeat, giveUpAt);
            current?.write({ posting });
            break;
          }
          repeat = 0;
          giveUpAt = caller.deadlineAt(options);
          caller.retry.succeeded();
          onPosition(happening.answer.positionToken);
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
          for (const posting of unanswered) (current ?? connect()).write({ posting });
          break;
        }
      }
    }
  } finally {
    current?.end();
    current?.cancel();
    if (!sourceEnded) void Promise.resolve(source.return?.()).catch(() => undefined);
  }
}
