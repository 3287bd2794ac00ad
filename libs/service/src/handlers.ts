/**
 * The forms in which services are written: plain functions of a request and its context. What gRPC wants (callbacks,
 * streams, statuses, back-pressure) is done here, once.
 *
 * A handler made here is an ordinary grpc-js handler that also carries the function itself, by which the server decodes
 * the request only after the caller was admitted.
 */
import type { handleBidiStreamingCall, handleServerStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import type { CallContext } from './call-context';

export type UnaryFunction<Request, Response> = (request: Request, call: CallContext) => Promise<Response>;

/** Answers are sent as the iterable yields them; it is closed when nobody waits any more. */
export type ServerStreamFunction<Request, Response> = (request: Request, call: CallContext) => AsyncIterable<Response>;

/**
 * Sends an answer on a stream. The promise, if there is one, resolves when the next answer may be sent: wait for it, else answers pile up in
 * memory. It rejects with ANSWERS_NOT_READ when the call is ended because its caller reads nothing.
 */
export type Send<Response> = (response: Response) => Promise<void> | undefined;

/**
 * Reads requests as it likes and sends answers in any order; the stream ends when the promise settles. The requests end
 * when the caller has sent the last one and also when the server stops: what was read is to be answered still.
 */
export type BidiFunction<Request, Response> = (requests: AsyncIterable<Request>, send: Send<Response>, call: CallContext) => Promise<void>;

export type ServiceFunction =
  // biome-ignore format: one line per form
  | { readonly form: 'unary'; readonly run: UnaryFunction<never, unknown> }
  | { readonly form: 'serverStream'; readonly run: ServerStreamFunction<never, unknown> }
  | { readonly form: 'bidi'; readonly run: BidiFunction<never, never> };

const FUNCTION = Symbol('sluice service function');

export function unary<Request, Response>(run: UnaryFunction<Request, Response>): handleUnaryCall<Request, Response> {
  return carry({ form: 'unary', run }) as handleUnaryCall<Request, Response>;
}

export function serverStream<Request, Response>(run: ServerStreamFunction<Request, Response>): handleServerStreamingCall<Request, Response> {
  return carry({ form: 'serverStream', run }) as handleServerStreamingCall<Request, Response>;
}

export function bidi<Request, Response>(run: BidiFunction<Request, Response>): handleBidiStreamingCall<Request, Response> {
  return carry({ form: 'bidi', run } as unknown as ServiceFunction) as handleBidiStreamingCall<Request, Response>;
}

/** The function in a handler; undefined: the handler was written against grpc-js itself. */
export function functionOf(handler: object): ServiceFunction | undefined {
  return (handler as { [FUNCTION]?: ServiceFunction })[FUNCTION];
}

function carry(carried: ServiceFunction): object {
  const handler = (): never => {
    throw new Error('this handler runs in a server started by startServer');
  };
  return Object.assign(handler, { [FUNCTION]: carried });
}
