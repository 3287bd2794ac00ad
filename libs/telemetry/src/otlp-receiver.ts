/**
 * A collector in a few lines: takes traces by OTLP over gRPC and keeps them in memory, for a person who wants to see one
 * trace and for tests. Reads of each span what a tree needs, by hand: the protos of OTLP are not ours to carry.
 */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { type handleUnaryCall, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';

export interface ReceivedSpan {
  /** Of the process that made it. */
  readonly service: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Empty: the first of its trace. */
  readonly parentSpanId: string;
  readonly name: string;
  /** Nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string>>;
  /** Span ids that it links. */
  readonly links: readonly string[];
  /** What its status says when it failed; undefined: it did not fail. */
  readonly failure: string | undefined;
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT, with OTEL_EXPORTER_OTLP_PROTOCOL=grpc. */
  readonly endpoint: string;
  /** Everything that came so far; at most 100,000 spans, then the oldest go. */
  readonly spans: readonly ReceivedSpan[];
  /** Names of the metrics that came. */
  readonly metricNames: ReadonlySet<string>;
  stop(): void;
}

const MAXIMUM_SPANS = 100_000;
const STATUS_CODE_ERROR = 2;

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metricNames = new Set<string>();
  const server = new Server();
  server.addService(exportService('opentelemetry.proto.collector.trace.v1.TraceService'), {
    export: taking((bytes) => {
      spans.push(...readSpans(bytes));
      if (spans.length > MAXIMUM_SPANS) spans.splice(0, spans.length - MAXIMUM_SPANS);
    }),
  });
  server.addService(exportService('opentelemetry.proto.collector.metrics.v1.MetricsService'), {
    export: taking((bytes) => {
      for (const name of readMetricNames(bytes)) metricNames.add(name);
    }),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { endpoint: `http://127.0.0.1:${port}`, spans, metricNames, stop: () => server.forceShutdown() };
}

function exportService(name: string): ServiceDefinition {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    export: {
      path: `/${name}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  };
}

/** The answer of every export is an empty message. */
function taking(take: (bytes: Buffer) => void): handleUnaryCall<Buffer, Buffer> {
  return ({ request }, callback) => {
    take(request);
    callback(null, Buffer.alloc(0));
  };
}

type FieldReader = (reader: BinaryReader) => void;

/** Reads a message, field by field; fields that nobody asks for are skipped. */
function readFields(bytes: Uint8Array, fields: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields[number];
    if (field === undefined) reader.skip(wireType, number);
    else field(reader);
  }
}

function readSpans(request: Uint8Array): ReceivedSpan[] {
  const spans: ReceivedSpan[] = [];
  readFields(request, {
    1: (resourceSpans) => {
      let service = '';
      const encoded: Uint8Array[] = [];
      readFields(resourceSpans.bytes(), {
        1: (resource) => {
          const attributes: Record<string, string> = {};
          readFields(resource.bytes(), { 1: (attribute) => readAttribute(attribute.bytes(), attributes) });
          service = attributes['service.name'] ?? '';
        },
        2: (scopeSpans) => readFields(scopeSpans.bytes(), { 2: (span) => encoded.push(span.bytes()) }),
      });
      for (const span of encoded) spans.push(readSpan(span, service));
    },
  });
  return spans;
}

function readSpan(bytes: Uint8Array, service: string): ReceivedSpan {
  const attributes: Record<string, string> = {};
  const links: string[] = [];
  let [traceId, spanId, parentSpanId, name, message] = ['', '', '', '', ''];
  let [startNs, endNs] = [0n, 0n];
  let failed = false;
  readFields(bytes, {
    1: (field) => (traceId = hex(field)),
    2: (field) => (spanId = hex(field)),
    4: (field) => (parentSpanId = hex(field)),
    5: (field) => (name = field.string()),
    7: (field) => (startNs = BigInt(field.fixed64())),
    8: (field) => (endNs = BigInt(field.fixed64())),
    9: (field) => readAttribute(field.bytes(), attributes),
    13: (link) => readFields(link.bytes(), { 2: (field) => links.push(hex(field)) }),
    15: (status) =>
      readFields(status.bytes(), {
        2: (field) => (message = field.string()),
        3: (field) => (failed = field.int32() === STATUS_CODE_ERROR),
      }),
  });
  return { service, traceId, spanId, parentSpanId, name, startNs, endNs, attributes, links, failure: failed ? message : undefined };
}

function readAttribute(bytes: Uint8Array, attributes: Record<string, string>): void {
  let key = '';
  let value = '';
  readFields(bytes, {
    1: (field) => (key = field.string()),
    2: (field) =>
      readFields(field.bytes(), {
        1: (text) => (value = text.string()),
        2: (boolean) => (value = String(boolean.bool())),
        3: (integer) => (value = String(integer.int64())),
        4: (double) => (value = String(double.double())),
      }),
  });
  attributes[key] = value;
}

function readMetricNames(request: Uint8Array): string[] {
  const names: string[] = [];
  const metric: FieldReader = (field) => readFields(field.bytes(), { 1: (name) => names.push(name.string()) });
  const scopeMetrics: FieldReader = (field) => readFields(field.bytes(), { 2: metric });
  readFields(request, { 1: (resourceMetrics) => readFields(resourceMetrics.bytes(), { 2: scopeMetrics }) });
  return names;
}

function hex(field: BinaryReader): string {
  return Buffer.from(field.bytes()).toString('hex');
}
