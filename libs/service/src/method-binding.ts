/**
 * From a service's functions to what grpc-js calls: admit the caller, then decode, run, encode, and turn whatever was
 * thrown into a status. Decoding happens here instead of in grpc-js so that nobody unknown makes us decode, and so that
 * bytes that are no message are the caller's INVALID_REQUEST instead of an INTERNAL of ours.
 */
import {
  type handleUnaryCall,
  type MethodDefinition,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type StatusObject,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { inReceivedSpan, type Instrument, isTracing, type Logger } from '@sluice/telemetry';
import type { Clock } from '@sluice/ports';
import type { Admission, Admitted } from './admission';
import type { AnswerDeadlines } from './answer-deadlines';
import { AnswerFlow, type AnswerStream } from './answer-flow';
import { type AnyCall, CallContext } from './call-context';
import type { Role } from './caller';
import { refusalOfThrown, statusOfThrown } from './error-mapping';
import { type BidiFunction, functionOf, type ServerStreamFunction, type UnaryFunction } from './handlers';
import type { Piece, RoundBudget } from './round-budget';
import { refusal, type SluiceError, statusOf } from './sluice-error';
import { tooLarge } from './transport';

export interface BindingOptions {
  /** Undefined: open to everybody and not counted, as health checks must be. */
  readonly role: Role | undefined;
  readonly admission: Admission;
  readonly streams: OpenStreams;
  readonly pacing: Pacing;
  /** Of callers. What a peer sends on came in within it already, or is the instances' own. */
  readonly maximumMessageBytes: number;
  readonly logger: Logger;
  /** Takes the seconds of a call, by method and code; undefined: nobody counts. */
  readonly duration: Instrument | undefined;
}

/** What all calls of a server share so that a burst of one of them does not stall the event loop. */
export interface Pacing {
  /** Requests that are begun: decoded, checked and queued. */
  readonly reads: RoundBudget;
  /** Answers of every kind of call. */
  readonly answers: RoundBudget;
  /** Of unary calls. */
  readonly deadlines: AnswerDeadlines;
  readonly clock: Clock;
}

export interface BoundMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly handler: UntypedHandleCall;
}

/** Streams that run, so that a server that stops can end them. */
export class OpenStreams {
  private readonly enders = new Set<(reason: SluiceError) => void>();
  private ended: SluiceError | undefined;

  /** Returns how to take it out again. */
  add(end: (reason: SluiceError) => void): () => void {
    this.enders.add(end);
    if (this.ended !== undefined) end(this.ended);
    return () => this.enders.delete(end);
  }

  endAll(reason: SluiceError): void {
    this.ended = reason;
    for (const end of [...this.enders]) end(reason);
  }
}

export function bindMethod(definition: MethodDefinition<unknown, unknown>, handler: UntypedHandleCall, options: BindingOptions): BoundMethod {
  const carried = functionOf(handler);
  if (carried === undefined) return { definition, handler: bindForeign(definition, handler, options) };
  const binding = new Binding(definition, options);
  const bytesOnly = { ...definition, requestDeserialize: asIs, responseSerialize: asIs as (response: unknown) => Buffer };
  switch (carried.form) {
    case 'unary':
      return { definition: bytesOnly, handler: binding.unary(carried.run) as UntypedHandleCall };
    case 'serverStream':
      return { definition: bytesOnly, handler: ((call: ServerWritableStream<Buffer, Buffer>) => binding.serverStream(carried.run, call)) as UntypedHandleCall };
    case 'bidi':
      return {
        definition: bytesOnly,
        handler: ((call: ServerDuplexStream<Buffer, Buffer>) =>
          binding.bidi(carried.run as unknown as BidiFunction<unknown, unknown>, call)) as UntypedHandleCall,
      };
    default:
      return unreachable(carried);
  }
}

function asIs<Value>(value: Value): Value {
  return value;
}

class Binding {
  /** As OpenTelemetry names calls: "sluice.account.v1.AccountQueryService/GetAccount". */
  private readonly spanName: string;
  private readonly spanAttributes: Readonly<Record<string, string>>;

  constructor(
    private readonly definition: MethodDefinition<unknown, unknown>,
    private readonly options: BindingOptions,
  ) {
    this.spanName = definition.path.slice(1);
    const [service = '', method = ''] = this.spanName.split('/');
    this.spanAttributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
  }

  unary(run: UnaryFunction<never, unknown>): handleUnaryCall<Buffer, Buffer> {
    return (call, callback) => {
      if (call.cancelled) return;
      this.admit(
        call,
        (admitted) => {
          this.runUnary(run, call, callback, admitted);
        },
        (refused) => callback(refused),
      );
    };
  }

  serverStream(run: ServerStreamFunction<never, unknown>, call: ServerWritableStream<Buffer, Buffer>): void {
    this.admit(
      call,
      ({ caller, forwardedTo }) => {
        const context = new CallContext(call, caller, forwardedTo);
        this.settle(call, context, () => this.pumpAnswers(run, call, context));
      },
      (refused) => call.emit('error', refused),
    );
  }

  bidi(run: BidiFunction<unknown, unknown>, call: ServerDuplexStream<Buffer, Buffer>): void {
    this.admit(
      call,
      ({ caller, forwardedTo }) => {
        const context = new CallContext(call, caller, forwardedTo);
        this.settle(call, context, () => this.exchange(run, call, context));
      },
      (refused) => call.emit('error', refused),
    );
  }

  /** Whoever is admitted has to leave. */
  private admit(call: AnyCall, admitted: (admitted: Admitted) => void, refused: (status: StatusObject) => void): void {
    const refuse = (thrown: unknown): void => refused(this.statusOf(thrown));
    let entered: Admitted | Promise<Admitted>;
    try {
      entered = this.options.admission.enter(call, this.options.role ?? 'operate');
    } catch (thrown) {
      refuse(thrown);
      return;
    }
    if (entered instanceof Promise) entered.then(admitted, refuse);
    else admitted(entered);
  }

  /** Begins the call when it is its caller's turn: large requests of one caller must not keep the event loop from those of others. */
  private runUnary(run: UnaryFunction<never, unknown>, call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>, admitted: Admitted): void {
    const startedMs = this.now();
    const { reads, answers, deadlines } = this.options.pacing;
    const context = new CallContext(call, admitted.caller, admitted.forwardedTo);
    let isAnswered = false;
    const answerOnce = (answer: Piece): void => {
      if (isAnswered) return;
      isAnswered = true;
      withdraw?.();
      answers.run(context, answer);
    };
    const fail = (thrown: unknown): void => answerOnce(() => this.refuse(thrown, callback, startedMs));
    const withdraw = deadlines.watch(context.deadlineMs - Date.now(), () => {
      const late = this.lateRefusal(context);
      fail(late);
      context.end(late);
    });
    const { length } = call.request;
    const begin = (): number => {
      this.begin(run, call, context).then((response) => answerOnce(() => this.answer(response, callback, startedMs)), fail);
      return length;
    };
    if (reads.isCrowdedBy(context)) fail(refusal('TOO_MANY_CALLS'));
    else reads.run(context, begin, length);
  }

  /** Says what a call waits for whose time is nearly over. */
  private lateRefusal({ awaitedPartition }: CallContext): SluiceError {
    if (awaitedPartition === undefined) return refusal('DEADLINE_EXCEEDED', `the time of the call is over before ${this.awaited()}`);
    const message = `the time of the call is over before partition ${awaitedPartition} has answered; the outcome may be unknown`;
    return refusal('DEADLINE_EXCEEDED', message, { partition: String(awaitedPartition) });
  }

  private awaited(): string {
    const { role } = this.options;
    switch (role) {
      case 'post':
        return 'every partition that it needs has answered; the outcome may be unknown';
      case 'read':
        return 'the read store has answered';
      case undefined:
      case 'operate':
      case 'peer':
        return 'the work is done';
      default:
        return unreachable(role);
    }
  }

  private begin(run: UnaryFunction<never, unknown>, call: ServerUnaryCall<Buffer, Buffer>, context: CallContext): Promise<unknown> {
    return new Promise((resolve) => {
      // It may have waited for its turn.
      if (context.ended) throw refusal(context.deadlinePassed ? 'DEADLINE_EXCEEDED' : 'CANCELLED');
      const request = this.decode(call.request, context) as never;
      resolve(isTracing() ? this.traced(call, () => run(request, context)) : run(request, context));
    });
  }

  /** Returns the bytes of the answer. */
  private answer(response: unknown, callback: sendUnaryData<Buffer>, startedMs: number): number {
    let bytes: Buffer;
    try {
      bytes = this.definition.responseSerialize(response);
    } catch (thrown) {
      return this.refuse(thrown, callback, startedMs);
    }
    callback(null, bytes);
    this.left(startedMs, status.OK);
    return bytes.length;
  }

  private refuse(thrown: unknown, callback: sendUnaryData<Buffer>, startedMs: number): number {
    const refused = this.statusOf(thrown);
    callback(refused);
    this.left(startedMs, refused.code);
    return 0;
  }

  private async pumpAnswers(run: ServerStreamFunction<never, unknown>, call: ServerWritableStream<Buffer, Buffer>, context: CallContext): Promise<void> {
    const flow = this.flowOf(call, context);
    const iterator = run(this.decode(call.request, context) as never, context)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await unlessAborted(iterator.next(), context.signal);
        if (next.done === true) return;
        const sent = flow.send(this.definition.responseSerialize(next.value));
        if (sent !== undefined) await unlessAborted(sent, context.signal);
      }
    } finally {
      // Not waited for: an iterator that is stuck in a wait of its own must not keep the stream open.
      void Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }

  private async exchange(run: BidiFunction<unknown, unknown>, call: ServerDuplexStream<Buffer, Buffer>, context: CallContext): Promise<void> {
    const { signal } = context;
    const flow = this.flowOf(call, context);
    const requests = new IncomingRequests(call, context, this.options.pacing.reads);
    await run(
      requests.decodedBy((bytes) => this.decode(bytes, context)),
      (response) => flow.send(this.definition.responseSerialize(response)),
      context,
    );
    // The server stops and the caller had more to say: it is told to go on elsewhere.
    if (signal.aborted && !requests.complete) throw signal.reason;
  }

  /** Ends the stream when its work settles, and lets the caller leave. */
  private settle(call: AnswerStream, context: CallContext, work: () => Promise<void>): void {
    const startedMs = this.now();
    const remove = this.options.streams.add((reason) => context.end(reason));
    let code = status.OK;
    (isTracing() ? this.traced(call, work) : work())
      .then(
        () => {
          if (!call.cancelled) call.end();
        },
        (thrown: unknown) => {
          const refused = this.statusOf(thrown);
          code = refused.code;
          if (!call.cancelled) call.emit('error', refused);
        },
      )
      .finally(() => {
        remove();
        this.left(startedMs, code);
      });
  }

  private flowOf(call: AnswerStream, context: CallContext): AnswerFlow {
    const { answers, clock } = this.options.pacing;
    return new AnswerFlow(call, context, answers, clock);
  }

  private left(startedMs: number, code: status): void {
    this.options.admission.leave();
    this.options.duration?.((this.now() - startedMs) / 1_000, { method: this.definition.path, code: status[code] });
  }

  private now(): number {
    return this.options.duration === undefined ? 0 : performance.now();
  }

  /** In a span that continues the caller's trace; a fault is logged while the span is active, so that the line names it. */
  private traced<Result>(call: AnyCall, work: () => Promise<Result>): Promise<Result> {
    const read = (key: string): string | undefined => call.metadata.get(key)[0]?.toString();
    return inReceivedSpan(this.spanName, { kind: 'SERVER', attributes: this.spanAttributes }, read, (span) =>
      work().catch((thrown: unknown) => {
        const refused = refusalOfThrown(thrown, this.definition.path, this.options.logger);
        span?.setAttribute('error.type', refused.reason);
        throw refused;
      }),
    );
  }

  private decode(bytes: Buffer, { forwarded }: CallContext): unknown {
    const { maximumMessageBytes } = this.options;
    if (bytes.length > maximumMessageBytes && !forwarded) throw refusal('MESSAGE_TOO_LARGE', tooLarge(maximumMessageBytes));
    try {
      return this.definition.requestDeserialize(bytes);
    } catch (cause) {
      throw refusal('INVALID_REQUEST', `the bytes are not a request of ${this.definition.path}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }

  private statusOf(thrown: unknown): StatusObject {
    return statusOfThrown(thrown, this.definition.path, this.options.logger);
  }
}

/** The requests of a stream, in order, until the caller has sent the last, has gone away, or the server stops. */
class IncomingRequests {
  /** The caller has sent its last request, and it was read. */
  complete = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly call: ServerDuplexStream<Buffer, Buffer>,
    private readonly context: CallContext,
    private readonly budget: RoundBudget,
  ) {
    call.on('readable', () => this.wake());
    call.on('close', () => this.wake());
    call.on('end', () => {
      this.complete = true;
      this.wake();
    });
    context.signal.addEventListener('abort', () => this.wake(), { once: true });
  }

  async *decodedBy<Request>(decode: (bytes: Buffer) => Request): AsyncGenerator<Request> {
    while (!this.context.signal.aborted && !this.complete && !this.call.destroyed) {
      const bytes = this.call.read() as Buffer | null;
      if (bytes !== null) {
        const room = this.budget.room(this.context, bytes.length);
        if (room !== undefined) await room;
        yield decode(bytes);
      } else if (!this.complete) await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

/** The promise's outcome, or the signal's reason if that comes first. Leaves nothing behind on the signal, which may live long. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * A handler that was written against grpc-js itself (health, reflection): it is admitted like the others unless it is
 * open, and streams end when the server stops.
 */
function bindForeign(definition: MethodDefinition<unknown, unknown>, handler: UntypedHandleCall, options: BindingOptions): UntypedHandleCall {
  const { role, admission, streams, logger } = options;
  const run = handler as (call: AnyCall, callback?: sendUnaryData<unknown>) => void;
  const answered = (call: AnyCall, callback: sendUnaryData<unknown> | undefined, sent: StatusObject): void => {
    if (callback !== undefined) callback(sent);
    else call.emit('error', sent);
  };
  return (call: AnyCall, callback?: sendUnaryData<unknown>): void => {
    const remove = definition.responseStream ? streams.add((reason) => call.emit('error', statusOf(reason))) : () => undefined;
    const start = (counted: boolean): void => {
      // grpc-js says "cancelled" at the end of every call, whatever the end.
      call.once('cancelled', () => {
        remove();
        if (counted) admission.leave();
      });
      run(call, callback);
    };
    const refuse = (thrown: unknown): void => {
      remove();
      answered(call, callback, statusOfThrown(thrown, definition.path, logger));
    };
    if (role === undefined) {
      start(false);
      return;
    }
    try {
      const entered = admission.enter(call, role);
      if (entered instanceof Promise) entered.then(() => start(true), refuse);
      else start(true);
    } catch (thrown) {
      refuse(thrown);
    }
  };
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
