/**
 * Spans of calls that this process makes: an interceptor for clients, so that a call which goes on to another process
 * stays one trace. Give it to a client only where `isTracing()`: others need not carry it.
 */
import { type Interceptor, InterceptingCall, ListenerBuilder, RequesterBuilder, status } from '@grpc/grpc-js';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { injectTrace } from '@sluice/telemetry';

export const tracingInterceptor: Interceptor = (options, nextCall) => {
  const name = options.method_definition.path.slice(1);
  const span = trace.getTracer('sluice').startSpan(name, { kind: SpanKind.CLIENT, attributes: { 'rpc.system': 'grpc' } });
  const requester = new RequesterBuilder()
    .withStart((metadata, _listener, next) => {
      context.with(trace.setSpan(context.active(), span), () => injectTrace((key, value) => metadata.set(key, value)));
      const ending = new ListenerBuilder().withOnReceiveStatus((received, proceed) => {
        if (received.code !== status.OK) span.setStatus({ code: SpanStatusCode.ERROR, message: status[received.code] });
        span.end();
        proceed(received);
      });
      next(metadata, ending.build());
    })
    .build();
  return new InterceptingCall(nextCall(options), requester);
};
