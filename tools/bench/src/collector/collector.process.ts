/**
 * Where telemetry goes while its cost is measured: takes OTLP over gRPC, reads nothing of it and says that it was taken. What a real
 * collector does with it is spent on another machine.
 */
import * as grpc from '@grpc/grpc-js';
import { answerOrders } from '../machine/orders';
import type { CollectorAnswer, CollectorOrder } from './collector-order';

const SIGNALS = ['trace.v1.TraceService', 'metrics.v1.MetricsService'] as const;

let taken = 0;
let endpoint: string | undefined;

answerOrders<CollectorOrder, CollectorAnswer>(async () => {
  endpoint ??= await start();
  return { endpoint, exports: taken };
});

async function start(): Promise<string> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  for (const signal of SIGNALS) {
    const take: grpc.handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
      if (signal === SIGNALS[0]) taken += 1;
      callback(null, Buffer.alloc(0));
    };
    server.addService(exportOf(signal), { export: take });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return `http://127.0.0.1:${port}`;
}

function exportOf(signal: (typeof SIGNALS)[number]): grpc.ServiceDefinition {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    export: {
      path: `/opentelemetry.proto.collector.${signal}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}
