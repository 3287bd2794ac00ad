/**
 * The answers of one streaming call on their way to its caller.
 *
 *   flowing ──the transport is full──► held ──the caller reads──► flowing …
 *                                       │
 *                                       └──nothing read for UNREAD_MS──► ended (RESOURCE_EXHAUSTED, ANSWERS_NOT_READ)
 *
 * `send` paces the answers over the rounds of the event loop and holds back the sender while the caller does not read. So a call holds no more
 * than what the transport takes (16 answers, and the bytes of the HTTP/2 window) and what its sender waits with. A call whose caller reads
 * nothing is ended: else it would hold that for ever.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import type { CallContext } from './call-context';
import type { RoundBudget } from './round-budget';
import { refusal, type SluiceError } from './sluice-error';

export type AnswerStream = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** How long a caller may read none of the answers that wait for it. */
export const UNREAD_MS = 60_000;

export class AnswerFlow {
  /** While the transport is full; stays rejected when the call was ended. */
  private held: Promise<void> | undefined;

  constructor(
    private readonly call: AnswerStream,
    private readonly context: CallContext,
    private readonly budget: RoundBudget,
    private readonly clock: Clock,
  ) {}

  /**
   * Sends an answer. The promise, if there is one, resolves when the next answer may be sent, and rejects with ANSWERS_NOT_READ. Answers
   * leave in the order of the calls; what is sent to a caller that has gone is dropped.
   */
  send(answer: Buffer): Promise<void> | undefined {
    const room = this.budget.room(this.context, answer.length);
    return room === undefined ? this.write(answer) : handled(room.then(() => this.write(answer)));
  }

  private write(answer: Buffer): Promise<void> | undefined {
    const { call } = this;
    if (call.cancelled || call.destroyed) return undefined;
    if (call.write(answer)) return undefined;
    this.held ??= this.hold();
    return this.held;
  }

  private hold(): Promise<void> {
    return handled(
      this.untilRead().then(() => {
        this.held = undefined;
      }),
    );
  }

  /** Resolves when the caller has read what was handed to the transport, or has gone. */
  private untilRead(): Promise<void> {
    const { call, clock } = this;
    return new Promise((resolve, reject) => {
      let unread = call.writableLength;
      const watch = (): (() => void) =>
        clock.after(UNREAD_MS, () => {
          const left = call.writableLength;
          if (left < unread) {
            unread = left;
            cancel = watch();
            return;
          }
          settled();
          reject(this.end());
        });
      let cancel = watch();
      const settled = (): void => {
        cancel();
        call.off('drain', read);
        call.off('close', read);
        call.off('cancelled', read);
      };
      const read = (): void => {
        settled();
        resolve();
      };
      call.on('drain', read);
      call.on('close', read);
      call.on('cancelled', read);
    });
  }

  private end(): SluiceError {
    const ended = refusal('ANSWERS_NOT_READ');
    this.context.end(ended);
    // A status would wait behind the answers that are not read. Callers see this code as RESOURCE_EXHAUSTED.
    http2StreamOf(this.call)?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return ended;
  }
}

/** A sender that does not wait for the promise must not end the process by a rejection that is not handled. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** The HTTP/2 stream under a call of grpc-js, which has no method that resets it; undefined where a later grpc-js keeps it elsewhere. */
function http2StreamOf(call: AnswerStream): ServerHttp2Stream | undefined {
  return (call as unknown as { readonly call?: { readonly stream?: ServerHttp2Stream } }).call?.stream;
}
