/**
 * Brings up every service as processes of their own with an OTLP receiver of ours as their collector, sends one posting through them and
 * collects the spans of its trace.
 *
 * What this process itself exports is read from its own environment, so one call at a time.
 */
import { randomUUID } from 'node:crypto';
import { type Distributed, type DistributedOptions, startDistributed } from '@sluice/distributed';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver, startTelemetry } from '@sluice/telemetry';
import { type Addresses, callEveryService, openTracedAccount } from './traced-calls';

/** The spans below which nothing hangs. Each process exports its own when it likes, so the trace is whole when all of them have come with their parents. */
const LAST_SPANS = ['decide', 'write read store', 'sluice.account.v1.AccountQueryService/GetAccount', 'sluice.scheduler.v1.SchedulerService/GetStatus'];
const COLLECTING_LIMIT_MS = 20_000;
const COLLECTING_POLL_MS = 50;
/** How long a process gathers spans before it sends them. */
const EXPORT_DELAY_MS = 100;
/** Postings until one reaches the projector by the bus first; the first one nearly always does. */
const ATTEMPTS = 5;

export interface TracedPosting {
  readonly traceId: string;
  readonly spans: readonly ReceivedSpan[];
  /** Which servers it ran on. */
  readonly servers: string;
}

export async function traceOnePosting(options: Pick<DistributedOptions, 'progress' | 'counts' | 'external'> = {}): Promise<TracedPosting> {
  const receiver = await startOtlpReceiver();
  const collector = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: String(EXPORT_DELAY_MS),
  };
  // The exporter of this process reads them where they stand.
  Object.assign(process.env, collector);
  const telemetry = await startTelemetry({ service: 'sluice-trace' });
  let distributed: Distributed | undefined;
  try {
    distributed = await startDistributed({ ...options, environment: collector });
    const addresses = addressesOf(distributed);
    await openTracedAccount(addresses);
    const servers = `${distributed.mongodb.describe}; ${distributed.nats.describe}`;
    for (let attempt = 1; ; attempt += 1) {
      const traceId = await callEveryService(addresses, randomUUID());
      const spans = await collected(receiver, traceId);
      if (cameByBus(spans) || attempt === ATTEMPTS) return { traceId, spans, servers };
    }
  } finally {
    await telemetry.stop();
    await distributed?.stop();
    receiver.stop();
  }
}

function addressesOf({ of }: Distributed): Addresses {
  const first = (service: 'command' | 'query' | 'scheduler'): string => of(service)[0]?.address ?? '';
  return { command: first('command'), query: first('query'), scheduler: first('scheduler') };
}

/** The projector looks into the log by itself, too: what it finds there before the bus brings it does not hang below the publishing. */
function cameByBus(spans: readonly ReceivedSpan[]): boolean {
  const publish = spans.find(({ name }) => name === 'publish');
  return spans.some(({ name, parentSpanId }) => name === 'project' && parentSpanId === publish?.spanId);
}

/** The spans of the trace, when every service's last ones have come. */
async function collected(receiver: OtlpReceiver, traceId: string): Promise<ReceivedSpan[]> {
  const untilMs = Date.now() + COLLECTING_LIMIT_MS;
  for (;;) {
    const spans = receiver.spans.filter((span) => span.traceId === traceId);
    const missing = LAST_SPANS.filter((name) => !spans.some((span) => span.name === name && span.service !== 'sluice-trace'));
    const orphans = spans.filter((span) => span.parentSpanId !== '' && !spans.some(({ spanId }) => spanId === span.parentSpanId));
    if (missing.length === 0 && orphans.length === 0) return spans;
    if (Date.now() > untilMs)
      throw new Error(
        `the trace is not whole after ${COLLECTING_LIMIT_MS / 1000} s: ${[...missing, ...orphans.map(({ name }) => `parent of ${name}`)].join(', ')} did not come`,
      );
    await new Promise((resolve) => setTimeout(resolve, COLLECTING_POLL_MS));
  }
}
