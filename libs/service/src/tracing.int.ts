import { credentials } from '@grpc/grpc-js';
import { schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { createLogger, inSpan, type OtlpReceiver, type ReceivedSpan, startOtlpReceiver, startTelemetry, type Telemetry } from '@sluice/telemetry';
import { tracingInterceptor } from './client-tracing';
import { serverStream, unary } from './handlers';
import { type RunningServer, startServer } from './server';
import { refusal } from './sluice-error';

const untouched = { ...process.env };
const lines: { message: string; trace_id?: string }[] = [];
let receiver: OtlpReceiver;
let telemetry: Telemetry;
let server: RunningServer;
let answer: () => Promise<schedulerpb.GetStatusResponse>;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  Object.assign(process.env, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
  telemetry = await startTelemetry({ service: 'test', metricsPort: 0 });
  const logger = createLogger({ service: 'test', destination: { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) } });
  const refuse = unary(async () => {
    throw refusal('ACCOUNT_NOT_FOUND');
  });
  const queries = Object.fromEntries(Object.keys(accountpb.AccountQueryServiceService).map((name) => [name, refuse]));
  server = await startServer({ host: '127.0.0.1', port: 0, logger, metrics: telemetry.metrics }, [
    {
      name: 'sluice.scheduler.v1.SchedulerService',
      definition: { getStatus: schedulerpb.SchedulerServiceService.getStatus },
      implementation: { getStatus: unary(() => answer()) },
    },
    {
      name: 'sluice.account.v1.AccountQueryService',
      definition: accountpb.AccountQueryServiceService,
      implementation: {
        ...queries,
        watchAccount: serverStream(async function* () {
          inSpan('watching', {}, () => undefined);
          yield accountpb.WatchAccountResponse.fromPartial({});
        }),
      },
    },
  ]);

  const scheduler = new schedulerpb.SchedulerServiceClient(server.address, credentials.createInsecure(), { interceptors: [tracingInterceptor] });
  const query = new accountpb.AccountQueryServiceClient(server.address, credentials.createInsecure(), { interceptors: [tracingInterceptor] });
  const ask = () => new Promise((resolve) => scheduler.getStatus({}, (error, response) => resolve(error ?? response)));
  await inSpan('caller', {}, async () => {
    answer = async () => {
      inSpan('deciding', {}, () => undefined);
      return schedulerpb.GetStatusResponse.fromPartial({});
    };
    await ask();
    answer = () => Promise.reject(new TypeError('broken'));
    await ask();
    for await (const _response of query.watchAccount({ accountId: 'a', positionToken: '', positionTokens: [] }));
  });
  scheduler.close();
  query.close();
  metrics = await (await fetch(telemetry.metricsUrl ?? '')).text();
  await server.stop(1_000);
  await telemetry.stop();
});

let metrics: string;

afterAll(() => {
  receiver.stop();
  process.env = untouched;
});

const GET_STATUS = 'sluice.scheduler.v1.SchedulerService/GetStatus';
const spansNamed = (name: string): ReceivedSpan[] => receiver.spans.filter((span) => span.name === name);
const parentOf = (span: ReceivedSpan | undefined): ReceivedSpan | undefined => receiver.spans.find(({ spanId }) => spanId === span?.parentSpanId);

test('a call is one trace: caller, client, server, and what the server does', () => {
  const [deciding] = spansNamed('deciding');
  const path = [deciding];
  while (parentOf(path.at(-1)) !== undefined) path.push(parentOf(path.at(-1)));
  expect(path.map((span) => span?.name)).toEqual(['deciding', GET_STATUS, GET_STATUS, 'caller']);
  expect(new Set(path.map((span) => span?.traceId)).size).toBe(1);
});

test('a stream is one span, and what it does stands below it', () => {
  const [watching] = spansNamed('watching');
  expect(parentOf(watching)?.name).toBe('sluice.account.v1.AccountQueryService/WatchAccount');
});

test('a failed call shows its reason, and the log line names the trace', () => {
  const failed = spansNamed(GET_STATUS).find((span) => span.attributes['error.type'] === 'INTERNAL');
  expect(failed?.failure).toBe('SluiceError');
  expect(lines).toEqual([expect.objectContaining({ message: 'a call failed for a reason of ours', trace_id: failed?.traceId, span_id: failed?.spanId })]);
});

test('calls are counted by method and code', () => {
  expect(metrics).toContain('sluice_call_duration_count{method="/sluice.scheduler.v1.SchedulerService/GetStatus",code="OK"} 1');
  expect(metrics).toContain('sluice_call_duration_count{method="/sluice.scheduler.v1.SchedulerService/GetStatus",code="INTERNAL"} 1');
  expect(metrics).toContain('sluice_call_duration_count{method="/sluice.account.v1.AccountQueryService/WatchAccount",code="OK"} 1');
});
