/**
 * What telemetry costs: the same postings at servers that differ in nothing but what they tell, in the same minutes. In batches, where a
 * call is many postings, and one by one, where each posting is a call and may be a trace.
 */
import type { Bench, EmbeddedTarget } from '../bench';
import type { CollectorAnswer, CollectorOrder } from '../collector/collector-order';
import type { Calls } from '../load/load-order';
import { proveAccount, sumOfProofs } from '../measure/proof';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { FigureName, TelemetryCost } from '../report/report';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';

const BATCHES_IN_FLIGHT = 8;
const SINGLES_IN_FLIGHT = 64;
/** Of a hundred traces one, as a busy service is usually sampled. */
const SAMPLED_RATIO = '0.01';

const LEVELS = ['off', 'metrics', 'sampled', 'traced'] as const;
type Level = (typeof LEVELS)[number];

const TITLES: Readonly<Record<Level, string>> = {
  off: 'telemetry off',
  metrics: 'metrics',
  sampled: 'metrics, 1 % of traces',
  traced: 'metrics, every trace',
};

export const telemetry: Scenario = {
  run: async (bench) => {
    const collector = bench.startWorker<CollectorOrder, CollectorAnswer>('collector/collector.process');
    const { endpoint } = await collector.ask({ kind: 'start' });
    const targets = {} as Record<Level, EmbeddedTarget>;
    for (const level of LEVELS) targets[level] = await startTarget(bench, level, endpoint);
    const forms = {
      batches: await measure(bench, targets, 'in batches', {
        calls: { kind: 'batches', batchSize: bench.options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } },
        inFlight: bench.options.inFlight ?? BATCHES_IN_FLIGHT,
      }),
      singles: await measure(bench, targets, 'one by one', {
        calls: { kind: 'singles', account: { kind: 'one', accountId: HOT_ACCOUNT } },
        inFlight: bench.options.inFlight ?? SINGLES_IN_FLIGHT,
      }),
    };
    const proofs = [];
    for (const level of LEVELS) proofs.push(await proveAccount(bench, targets[level], HOT_ACCOUNT));
    const { exports } = await collector.ask({ kind: 'received' });
    if (exports === 0) bench.complaints.push('no trace was exported: the ratios say nothing about traces');
    bench.remarks.push(`${exports} exports of traces came to the collector; what the SDK's queue does not take it drops.`);

    const skipped: Partial<Record<FigureName, string>> = {};
    const peakRssBytes = targets.traced.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(forms.batches.off),
        ...ackFigures(forms.batches.off),
        ...lagFigures(forms.batches.off),
        readyMs: targets.off.server.readyMs,
        peakRssBytes,
        ...sumOfProofs(proofs),
      },
      telemetry: { batches: costOf(forms.batches), singles: costOf(forms.singles) },
      skipped,
      tables: Object.values(forms).map((form) => sidesTable(LEVELS.map((level) => ({ name: TITLES[level], rounds: form[level] })))),
    };
  },
};

async function startTarget(bench: Bench, level: Level, endpoint: string): Promise<EmbeddedTarget> {
  const target = await bench.startEmbedded(`the server: ${TITLES[level]}`, environmentOf(level, endpoint));
  await target.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
  return target;
}

function environmentOf(level: Level, endpoint: string): Record<string, string> {
  const metrics = { SLUICE_METRICS_PORT: '0' };
  const traces = { ...metrics, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  switch (level) {
    case 'off':
      return {};
    case 'metrics':
      return metrics;
    case 'sampled':
      return { ...traces, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: SAMPLED_RATIO };
    case 'traced':
      return { ...traces, OTEL_TRACES_SAMPLER: 'always_on' };
    default:
      return level satisfies never;
  }
}

type Form = Readonly<Record<Level, Rounds>>;

async function measure(bench: Bench, targets: Readonly<Record<Level, EmbeddedTarget>>, how: string, load: { calls: Calls; inFlight: number }): Promise<Form> {
  const side = (level: Level) => bench.targetSide(`${TITLES[level]}, ${how}`, targets[level], load.calls, load.inFlight);
  const rounds = await bench.measure({ off: side('off'), metrics: side('metrics'), sampled: side('sampled'), traced: side('traced') });
  return rounds as Form;
}

function costOf(form: Form): TelemetryCost {
  const toOff = (level: Level): number => ratio(form[level], form.off) ?? 0;
  return { offPerSecond: medianPerSecond(form.off), metrics: toOff('metrics'), sampled: toOff('sampled'), traced: toOff('traced') };
}
