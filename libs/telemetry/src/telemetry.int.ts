import { engineObserver, projectorObserver } from './observers';
import { silentLogger } from './logger';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './otlp-receiver';
import { startTelemetry, type Telemetry } from './telemetry';
import { activeTraceparent, inReceivedSpan, inSpan, injectTrace, isTracing, recordSpan } from './tracing';

const untouched = { ...process.env };
let receiver: OtlpReceiver;
let telemetry: Telemetry | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
});

afterEach(async () => {
  await telemetry?.stop();
  telemetry = undefined;
  process.env = { ...untouched };
  receiver.stop();
});

function named(name: string): ReceivedSpan {
  const found = receiver.spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span "${name}" among ${receiver.spans.map((span) => span.name).join(', ')}`);
  return found;
}

async function startTraced(environment: Record<string, string> = {}): Promise<Telemetry> {
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', ...environment });
  return startTelemetry({ service: 'command', instanceId: 'one' });
}

test('without OTEL variables nothing is traced, work runs as it is, and nothing has a trace id', async () => {
  telemetry = await startTelemetry({ service: 'command', environment: {} });
  expect(telemetry).toMatchObject({ tracing: false, metricsUrl: undefined });
  expect(isTracing()).toBe(false);
  expect(inSpan('work', {}, (span) => [span, activeTraceparent()])).toEqual([undefined, undefined]);
  expect(
    inReceivedSpan(
      'work',
      {},
      () => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      () => activeTraceparent(),
    ),
  ).toBeUndefined();
});

test.each`
  environment                                                                  | tracing
  ${{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x' }}                               | ${true}
  ${{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://x' }}                        | ${true}
  ${{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://x' }}                       | ${false}
  ${{ OTEL_TRACES_EXPORTER: 'otlp' }}                                          | ${true}
  ${{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_TRACES_EXPORTER: 'none' }} | ${false}
  ${{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'true' }}    | ${false}
`('$environment: traced is $tracing', async ({ environment, tracing }: { environment: Record<string, string>; tracing: boolean }) => {
  // Whatever is started here has nobody to talk to; only the decision counts.
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_TIMEOUT: '1' });
  telemetry = await startTelemetry({ service: 'command', environment });
  expect(telemetry.tracing).toBe(tracing);
});

test('spans nest, their failures show by kind only, and all come from the service', async () => {
  telemetry = await startTraced();
  await inSpan('outer', { kind: 'SERVER' }, async () => {
    await Promise.resolve();
    inSpan('inner', {}, () => undefined);
    await expect(inSpan('failing', {}, () => Promise.reject(new RangeError('with a secret')))).rejects.toThrow(RangeError);
  });
  await telemetry.stop();
  const [outer, inner, failing] = ['outer', 'inner', 'failing'].map((name) => named(name));
  expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId });
  expect(failing).toMatchObject({ parentSpanId: outer?.spanId, failure: 'RangeError' });
  expect(receiver.spans.map(({ failure }) => failure)).not.toContain('with a secret');
  expect(new Set(receiver.spans.map(({ service }) => service))).toEqual(new Set(['command']));
});

test('a trace goes over a carrier and through a commit’s traceparent, and a batch links the others', async () => {
  telemetry = await startTraced();
  const carrier = new Map<string, string>();
  inSpan('client', { kind: 'CLIENT' }, () => injectTrace((key, value) => carrier.set(key, value)));
  const traceparent = inReceivedSpan(
    'server',
    { kind: 'SERVER' },
    (key) => carrier.get(key),
    () => activeTraceparent(),
  );
  const other = inSpan('other request', { parent: '00-11111111111111111111111111111111-2222222222222222-01' }, () => activeTraceparent());
  inSpan('project', { parent: traceparent, links: [other ?? '', 'garbage'] }, () => undefined);
  recordSpan('write', { parent: traceparent, startUs: 1_795_363_200_000_000, endUs: 1_795_363_200_002_500 });
  await telemetry.stop();
  const [client, server, project, write] = ['client', 'server', 'project', 'write'].map((name) => named(name));
  expect(server).toMatchObject({ traceId: client?.traceId, parentSpanId: client?.spanId });
  expect(project).toMatchObject({ traceId: client?.traceId, parentSpanId: server?.spanId, links: [named('other request').spanId] });
  expect(write).toMatchObject({ traceId: client?.traceId, startNs: 1_795_363_200_000_000_000n, endNs: 1_795_363_200_002_500_000n });
});

test('what was not sampled is not handed on', async () => {
  telemetry = await startTraced({ OTEL_TRACES_SAMPLER: 'always_off' });
  expect(inSpan('work', {}, () => activeTraceparent())).toBeUndefined();
  await telemetry.stop();
  expect(receiver.spans).toEqual([]);
});

test('metrics are on the Prometheus endpoint, and go by OTLP when asked', async () => {
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: receiver.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  telemetry = await startTelemetry({ service: 'command', metricsPort: 0 });
  const engine = engineObserver(telemetry.metrics, silentLogger);
  engine.turnDecided(3, 250);
  engine.committed(3, 20_000, 1_200);
  engine.queued(3, 7);
  engine.rejected('INSUFFICIENT_FUNDS', 2);
  const projector = projectorObserver(telemetry.metrics, silentLogger);
  projector.flushed({
    partition: 3,
    commitCount: 1,
    newestUs: 1_000_000,
    postings: 250,
    startUs: 1_010_000,
    writeStartUs: 1_020_000,
    endUs: 1_040_000,
    publishTraceparent: undefined,
    traceparents: [],
  });
  const text = await (await fetch(telemetry.metricsUrl ?? '')).text();
  expect(text).toContain('sluice_commands_total{partition="3"} 250');
  expect(text).toContain('sluice_rejections_total{reason="INSUFFICIENT_FUNDS"} 2');
  expect(text).toContain('sluice_queue_commands{partition="3"} 7');
  expect(text).toContain('sluice_turn_commands_bucket{partition="3",le="500"} 1');
  expect(text).toMatch(/sluice_projection_lag_sum\{partition="3"\} 0\.04\b/);
  await telemetry.stop();
  expect([...receiver.metricNames]).toEqual(expect.arrayContaining(['sluice.commands', 'sluice.commit.duration', 'sluice.projection.lag']));
});

test('the Prometheus endpoint alone has the metrics, and says whose they are', async () => {
  Object.assign(process.env, { OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test' });
  telemetry = await startTelemetry({ service: 'command', instanceId: 'one', environment: {}, metricsPort: 0 });
  engineObserver(telemetry.metrics, silentLogger).queued(3, 7);
  const text = await (await fetch(telemetry.metricsUrl ?? '')).text();
  expect(text).toContain('sluice_queue_commands{partition="3"} 7');
  const [target = ''] = text.split('\n').filter((line) => line.startsWith('target_info'));
  for (const label of ['service_name="command"', 'service_instance_id="one"', 'deployment_environment="test"']) expect(target).toContain(label);
});

test('a metrics port in use is an error, not a silence', async () => {
  telemetry = await startTelemetry({ service: 'command', environment: {}, metricsPort: 0 });
  const { port } = new URL(telemetry.metricsUrl ?? '');
  await expect(startTelemetry({ service: 'command', environment: {}, metricsPort: Number(port) })).rejects.toThrow('EADDRINUSE');
});
