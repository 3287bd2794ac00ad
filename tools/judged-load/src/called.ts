/** A unary call as a promise. */
import { Metadata, type requestCallback } from '@grpc/grpc-js';

export const CALL_LIMIT_MS = 30_000;

/** A call without an end: the caller waits as long as it takes. */
export const NO_DEADLINE = 'no deadline';

export interface CallOptions {
  readonly metadata?: Metadata;
  readonly limitMs?: number | typeof NO_DEADLINE;
}

type Call<Request, Response> = (request: Request, metadata: Metadata, options: { deadline?: number }, done: requestCallback<Response>) => unknown;

/** Rejects with the call's error, DEADLINE_EXCEEDED after the limit. */
export function called<Request, Response>(call: Call<Request, Response>, request: Request, options: CallOptions = {}): Promise<Response> {
  const { metadata = new Metadata(), limitMs = CALL_LIMIT_MS } = options;
  return new Promise((resolve, reject) => {
    call(request, metadata, limitMs === NO_DEADLINE ? {} : { deadline: Date.now() + limitMs }, (error, response) => {
      if (error !== null || response === undefined) reject(error ?? new Error('an empty answer'));
      else resolve(response);
    });
  });
}
