/**
 * Sets OpenTelemetry up, or does not: traces and OTLP metrics only when the standard OTEL_* variables ask for them, the
 * Prometheus endpoint only on a port that was given. The SDK is loaded only then; without it the process carries nothing.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, metrics as otelMetrics, propagation, trace } from '@opentelemetry/api';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { activeMetrics, type Metrics, NO_METRICS } from './metrics';
import { setTracing } from './tracing';

export interface TelemetryOptions {
  /** "command", "query", …; "sluice" for all in one process. OTEL_SERVICE_NAME goes before it. */
  readonly service: string;
  readonly instanceId?: string;
  /** Where the OTEL_* variables stand. What of them the SDK reads itself it takes from the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Prometheus endpoint; 0: any free port; undefined: none. */
  readonly metricsPort?: number;
  readonly metricsHost?: string;
}

export interface Telemetry {
  readonly metrics: Metrics;
  readonly tracing: boolean;
  /** URL of the Prometheus endpoint, if there is one. */
  readonly metricsUrl: string | undefined;
  /** Sends what waits, then stops. */
  stop(): Promise<void>;
}

const OFF: Telemetry = Object.freeze({ metrics: NO_METRICS, tracing: false, metricsUrl: undefined, stop: async () => undefined });
/** An exporter that cannot reach its collector must not keep the process from stopping. */
const STOP_TIMEOUT_MS = 3_000;
const METRICS_PATH = '/metrics';

export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const environment = options.environment ?? process.env;
  const tracing = wantsOtlp(environment, 'TRACES');
  const otlpMetrics = wantsOtlp(environment, 'METRICS');
  if (!tracing && !otlpMetrics && options.metricsPort === undefined) return OFF;

  const readers: IMetricReader[] = [];
  let metricsUrl: string | undefined;
  let closeEndpoint = (): void => undefined;
  if (options.metricsPort !== undefined) {
    const { reader, url, close } = await startPrometheus(options.metricsPort, options.metricsHost ?? '127.0.0.1');
    readers.push(reader);
    metricsUrl = url;
    closeEndpoint = close;
  }
  const sdk =
    tracing || otlpMetrics ? await sdkOf(options, { environment, tracing, otlpMetrics, readers }) : await metricsSdkOf(options, { environment, readers });
  return {
    metrics: otlpMetrics || readers.length > 0 ? activeMetrics() : NO_METRICS,
    tracing,
    metricsUrl,
    stop: async () => {
      setTracing(false);
      closeEndpoint();
      await orTimeout(sdk.shutdown().catch(() => undefined));
      for (const api of [trace, otelMetrics, context, propagation]) api.disable();
    },
  };
}

interface Sdk {
  shutdown(): Promise<void>;
}

interface SdkParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readers: readonly IMetricReader[];
}

/** Everything that OpenTelemetry has, as its variables say. */
async function sdkOf(
  options: TelemetryOptions,
  { environment, tracing, otlpMetrics, readers }: SdkParts & { readonly tracing: boolean; readonly otlpMetrics: boolean },
): Promise<Sdk> {
  const { metrics, NodeSDK, resources } = await import('@opentelemetry/sdk-node');
  const exporting = otlpMetrics
    ? [new metrics.PeriodicExportingMetricReader({ exporter: await otlpMetricExporter(environment), exportIntervalMillis: exportInterval(environment) })]
    : [];
  const sdk = new NodeSDK({
    serviceName: serviceNameOf(options, environment),
    resource: resources.resourceFromAttributes(instanceAttributes(options)),
    // Not the process detector: it would send the command line, which may hold a token.
    resourceDetectors: [resources.envDetector],
    metricReaders: [...readers, ...exporting],
    logRecordProcessors: [],
    instrumentations: [],
    ...(tracing ? {} : { spanProcessors: [] }),
  });
  sdk.start();
  setTracing(tracing);
  return sdk;
}

/** The part that the Prometheus endpoint needs. Loading all of the SDK takes a process longer than loading its service. */
async function metricsSdkOf(options: TelemetryOptions, { environment, readers }: SdkParts): Promise<Sdk> {
  const [{ MeterProvider }, { detectResources, envDetector, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
  ]);
  const resource = resourceFromAttributes(instanceAttributes(options))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes({ 'service.name': serviceNameOf(options, environment) }));
  const provider = new MeterProvider({ resource, readers: [...readers] });
  otelMetrics.setGlobalMeterProvider(provider);
  return provider;
}

function serviceNameOf({ service }: TelemetryOptions, environment: Readonly<Record<string, string | undefined>>): string {
  return environment['OTEL_SERVICE_NAME'] ?? service;
}

function instanceAttributes({ instanceId }: TelemetryOptions): Record<string, string> {
  return instanceId === undefined ? {} : { 'service.instance.id': instanceId };
}

/** OTLP is wanted where a variable names an endpoint or the exporter, and nothing says no. */
function wantsOtlp(environment: Readonly<Record<string, string | undefined>>, signal: 'TRACES' | 'METRICS'): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = environment[`OTEL_${signal}_EXPORTER`];
  if (exporter !== undefined && exporter !== '') return exporter !== 'none' && (signal === 'TRACES' || exporter.includes('otlp'));
  return Boolean(environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? environment[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]);
}

/** Its own HTTP server instead of the exporter's, which takes 0 for its default port. */
async function startPrometheus(port: number, host: string) {
  const { PrometheusExporter } = await import('@opentelemetry/exporter-prometheus');
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url?.split('?')[0] === METRICS_PATH) return exporter.getMetricsRequestHandler(request, response);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`cannot listen on ${host}:${port} for metrics: ${cause.message}`, { cause })));
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}${METRICS_PATH}`;
  return { reader: exporter, url, close: () => server.close().closeIdleConnections() };
}

async function otlpMetricExporter(environment: Readonly<Record<string, string | undefined>>) {
  const protocol = environment['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'] ?? environment['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/protobuf';
  switch (protocol) {
    case 'grpc':
      return new (await import('@opentelemetry/exporter-metrics-otlp-grpc')).OTLPMetricExporter();
    case 'http/json':
      return new (await import('@opentelemetry/exporter-metrics-otlp-http')).OTLPMetricExporter();
    default:
      return new (await import('@opentelemetry/exporter-metrics-otlp-proto')).OTLPMetricExporter();
  }
}

function exportInterval(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const milliseconds = Number(environment['OTEL_METRIC_EXPORT_INTERVAL']);
  return milliseconds > 0 ? milliseconds : undefined;
}

async function orTimeout(stopped: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([stopped, new Promise<void>((resolve) => (timer = setTimeout(resolve, STOP_TIMEOUT_MS)))]);
  clearTimeout(timer);
}
