/**
 * How this library calls: a promise per unary call, a deadline that covers all attempts, repeats under the retry policy,
 * and SluiceErrors. What is asked for by a stream is an async iterable that cancels its call when it is left.
 */
import type { CallOptions as GrpcCallOptions, ClientReadableStream, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import { isRetryable, type RetryPolicy, sleepMs } from './retry';
import { type SluiceError, toSluiceError } from './sluice-error';

export interface CallOptions {
  /** Milliseconds until the call is given up, repeats included; default: the client's. */
  readonly deadlineMs?: number;
}

export interface StreamOptions {
  /** Ends the stream quietly when it is aborted. */
  readonly signal?: AbortSignal;
}

export type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<GrpcCallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CallerOptions {
  readonly deadlineMs: number;
  readonly retry: RetryPolicy;
  readonly metadata: () => Metadata;
}

export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  get retry(): RetryPolicy {
    return this.#options.retry;
  }

  metadata(): Metadata {
    return this.#options.metadata();
  }

  /** When a call that starts now is given up, milliseconds since the epoch. */
  deadlineAt(options: CallOptions | undefined): number {
    return Date.now() + (options?.deadlineMs ?? this.#options.deadlineMs);
  }

  /** One attempt. */
  attempt<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, deadlineAt: number): Promise<Response> {
    return new Promise((resolve, reject) => {
      method(request, this.#options.metadata(), { deadline: deadlineAt }, (error, response) => {
        if (error === null) resolve(response);
        else reject(toSluiceError(error));
      });
    });
  }

  /** As many attempts as the deadline and the budget allow. */
  async unary<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, options?: CallOptions): Promise<Response> {
    const deadlineAt = this.deadlineAt(options);
    for (let repeat = 1; ; repeat += 1) {
      try {
        const response = await this.attempt(method, request, deadlineAt);
        this.retry.succeeded();
        return response;
      } catch (error) {
        const failure = toSluiceError(error);
        if (!isRetryable(failure)) throw failure;
        await this.waitForRepeat(failure, repeat, deadlineAt);
      }
    }
  }

  /** Waits before the repeat; throws what made it necessary when the deadline or the budget forbids it. */
  async waitForRepeat(failure: SluiceError, repeat: number, deadlineAt: number): Promise<void> {
    const delay = this.retry.delayMs(repeat, failure);
    if (Date.now() + delay >= deadlineAt || !this.retry.mayRepeat()) throw failure;
    await sleepMs(delay);
  }

  /** The messages of a server stream; leaving the loop cancels the call. */
  async *stream<Response>(open: (metadata: Metadata) => ClientReadableStream<Response>, options?: StreamOptions): AsyncGenerator<Response, void, undefined> {
    const signal = options?.signal;
    if (isAborted(signal)) return;
    const call = open(this.#options.metadata());
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call) yield message as Response;
    } catch (error) {
      if (isAborted(signal)) return;
      throw toSluiceError(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      call.on('error', () => undefined);
      call.cancel();
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
