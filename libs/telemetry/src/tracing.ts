/**
 * Spans, by OpenTelemetry's API alone. Everything here first asks whether anybody wants traces: when nobody does a call
 * costs one comparison and the work runs as if it stood alone.
 */
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const TRACER = 'sluice';
/** A batch commit links the requests that it carries; more links than this would make the span a burden. */
const MAXIMUM_LINKS = 32;

let enabled = false;

/** Whether spans go anywhere. */
export function isTracing(): boolean {
  return enabled;
}

/** For who starts and stops the exporters. */
export function setTracing(on: boolean): void {
  enabled = on;
}

export interface SpanOptions {
  readonly kind?: keyof typeof SpanKind;
  readonly attributes?: Attributes;
  /** W3C traceparent of the span that this one continues; default: the active span. */
  readonly parent?: string;
  /** W3C traceparents of other spans that this one has to do with; at most 32 are kept. */
  readonly links?: readonly string[];
  /** When it began, if not now: microseconds since the epoch. */
  readonly startUs?: number;
}

/** Runs the work in a span, which ends when the work does; what it throws becomes the span's status and goes on. */
export function inSpan<Result>(name: string, options: SpanOptions, work: (span: Span | undefined) => Result): Result {
  if (!enabled) return work(undefined);
  const parent = contextOf(options.parent) ?? context.active();
  return runIn(startSpan(name, options, parent), parent, work);
}

/** `inSpan` for a call that came in with a carrier (gRPC metadata, message headers): continues the trace that it names. */
export function inReceivedSpan<Result>(
  name: string,
  options: SpanOptions,
  read: (key: string) => string | undefined,
  work: (span: Span | undefined) => Result,
): Result {
  if (!enabled) return work(undefined);
  const parent = propagation.extract(ROOT_CONTEXT, undefined, { get: (_carrier, key) => read(key), keys: () => [] });
  return runIn(startSpan(name, options, parent), parent, work);
}

/** Hands the active trace to a carrier, key by key. */
export function injectTrace(write: (key: string, value: string) => void): void {
  if (enabled) propagation.inject(context.active(), undefined, { set: (_carrier, key, value) => write(key, value) });
}

/** A span that is over already, for work whose times were taken elsewhere. */
export function recordSpan(name: string, options: SpanOptions & { readonly startUs: number; readonly endUs: number }): string | undefined {
  if (!enabled) return undefined;
  const span = startSpan(name, options, contextOf(options.parent) ?? context.active());
  span.end(options.endUs / 1_000);
  return formatTraceparent(span.spanContext());
}

/** A span that ends later, when its work does; undefined: nobody wants traces. */
export function beginSpan(name: string, options: SpanOptions): { readonly traceparent: string; ended(error?: unknown): void } | undefined {
  if (!enabled) return undefined;
  const span = startSpan(name, options, contextOf(options.parent) ?? context.active());
  return {
    traceparent: formatTraceparent(span.spanContext()),
    ended: (error) => {
      if (error !== undefined) span.setStatus(failureStatus(error));
      span.end();
    },
  };
}

/** The active span as traceparent, if it is sampled; undefined otherwise. What a commit carries of a request. */
export function activeTraceparent(): string | undefined {
  if (!enabled) return undefined;
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined || (active.traceFlags & 1) === 0 ? undefined : formatTraceparent(active);
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
}

/** Undefined for what is no traceparent. */
export function parseTraceparent(traceparent: string): SpanContext | undefined {
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent);
  if (parts === null || parts[1] === 'ff' || (parts[1] === '00' && parts[5] !== undefined)) return undefined;
  const parsed = { traceId: parts[2] as string, spanId: parts[3] as string, traceFlags: Number.parseInt(parts[4] as string, 16), isRemote: true };
  return isSpanContextValid(parsed) ? parsed : undefined;
}

function startSpan(name: string, options: SpanOptions, parent: Context): Span {
  const links: Link[] = [];
  for (const traceparent of options.links ?? []) {
    const linked = parseTraceparent(traceparent);
    if (linked !== undefined && links.length < MAXIMUM_LINKS) links.push({ context: linked });
  }
  const startTime = options.startUs === undefined ? undefined : options.startUs / 1_000;
  return trace.getTracer(TRACER).startSpan(name, { kind: SpanKind[options.kind ?? 'INTERNAL'], attributes: options.attributes, links, startTime }, parent);
}

function runIn<Result>(span: Span, parent: Context, work: (span: Span) => Result): Result {
  const fail = (thrown: unknown): never => {
    span.setStatus(failureStatus(thrown));
    span.end();
    throw thrown;
  };
  return context.with(trace.setSpan(parent, span), () => {
    let result: Result;
    try {
      result = work(span);
    } catch (thrown) {
      return fail(thrown);
    }
    if (!isPromise(result)) {
      span.end();
      return result;
    }
    return result.then((value) => {
      span.end();
      return value;
    }, fail) as Result;
  });
}

/** The kind of error only: messages may hold what traces should not. */
function failureStatus(thrown: unknown): SpanStatus {
  return { code: SpanStatusCode.ERROR, message: thrown instanceof Error ? thrown.name : 'error' };
}

function contextOf(traceparent: string | undefined): Context | undefined {
  const parsed = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  return parsed === undefined ? undefined : trace.setSpanContext(ROOT_CONTEXT, parsed);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}
