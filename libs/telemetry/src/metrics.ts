/**
 * The metrics that every capability has in common; capabilities declare further ones. docs/metrics.md is the table of all; a test compares. Names are
 * OpenTelemetry's way of writing them; Prometheus shows dots as underscores and adds `_total` to counters.
 */
import { type Attributes, type BatchObservableResult, metrics as otel } from '@opentelemetry/api';

export type MetricKind = 'counter' | 'histogram' | 'gauge';

export interface MetricDefinition {
  readonly kind: MetricKind;
  readonly unit: string;
  /** Attributes that its values carry. */
  readonly attributes: readonly string[];
  readonly meaning: string;
  /** Bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** Buckets of durations. */
export const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
const BYTES = [1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

export const METRICS = Object.freeze({
  'sluice.commands': { kind: 'counter', unit: '{command}', attributes: ['partition'], meaning: 'Commands that were decided, refused ones included.' },
  'sluice.rejections': { kind: 'counter', unit: '{command}', attributes: ['reason'], meaning: 'Commands that were refused, by the reason of docs/errors.md.' },
  'sluice.turns': { kind: 'counter', unit: '{turn}', attributes: ['partition'], meaning: 'Turns: runs of a partition’s writer over what waited.' },
  'sluice.turn.commands': { kind: 'histogram', unit: '{command}', attributes: ['partition'], meaning: 'Batch size: commands of one turn.', buckets: COUNTS },
  'sluice.commit.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['partition'],
    meaning: 'Commit latency: from handing a commit to the log until it is durable.',
    buckets: SECONDS,
  },
  'sluice.commit.size': { kind: 'histogram', unit: 'By', attributes: ['partition'], meaning: 'Size of an encoded commit.', buckets: BYTES },
  'sluice.queue.commands': { kind: 'gauge', unit: '{command}', attributes: ['partition'], meaning: 'Queue depth: commands that wait at a partition.' },
  'sluice.engine.troubles': {
    kind: 'counter',
    unit: '{event}',
    attributes: ['partition'],
    meaning: 'What went wrong in the engine and was recovered from; the log says what.',
  },
  'sluice.engine.unreadable': {
    kind: 'gauge',
    unit: '{partition}',
    attributes: ['partition'],
    meaning:
      '1: the instance does not serve the partition, because its log cannot be read or the keyring lacks keys of its accounts; the log line says which. 0: it can be served again.',
  },
  'sluice.deliveries.unfinished': {
    kind: 'gauge',
    unit: '{delivery}',
    attributes: ['partition'],
    meaning: 'Deliveries that the partition owes to others and that have no verdict yet, dead letters included.',
  },
  'sluice.deliveries.dead': {
    kind: 'gauge',
    unit: '{delivery}',
    attributes: ['partition'],
    meaning: 'Dead letters: deliveries that their target could not decide within the budget. `sluice unfinished list --dead` names them.',
  },
  'sluice.deliveries.taken': {
    kind: 'counter',
    unit: '{delivery}',
    attributes: ['partition'],
    meaning: 'Deliveries of other partitions that were decided, those that were rejected included; repeats are not counted.',
  },
  'sluice.deliveries.settled': {
    kind: 'counter',
    unit: '{delivery}',
    attributes: ['partition'],
    meaning: 'Deliveries whose verdict the partition that owes them has recorded.',
  },
  'sluice.timers.pending': {
    kind: 'gauge',
    unit: '{timer}',
    attributes: ['partition'],
    meaning: 'Timers that wait, parked ones included.',
  },
  'sluice.timers.parked': {
    kind: 'gauge',
    unit: '{timer}',
    attributes: ['partition'],
    meaning: 'Timers whose command the owner’s version of Sluice cannot decide: they wait until the partition is loaded again; the log names them.',
  },
  'sluice.timers.fired': {
    kind: 'counter',
    unit: '{timer}',
    attributes: ['partition'],
    meaning: 'Timers that fired, those whose command was rejected included.',
  },
  'sluice.timers.lateness': {
    kind: 'histogram',
    unit: 's',
    attributes: ['partition'],
    meaning: 'From due to decided, of the last timer of each step of firing.',
    buckets: SECONDS,
  },
  'sluice.projection.commits': { kind: 'counter', unit: '{commit}', attributes: ['partition'], meaning: 'Commits that the read store has.' },
  'sluice.projection.postings': {
    kind: 'counter',
    unit: '{posting}',
    attributes: ['partition'],
    meaning: 'Postings that the read store has, refused ones included.',
  },
  'sluice.projection.lag': {
    kind: 'histogram',
    unit: 's',
    attributes: ['partition'],
    meaning: 'Projection lag: from commit to read store, of the newest commit of each flush.',
    buckets: SECONDS,
  },
  'sluice.projection.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['partition'],
    meaning: 'Time that one flush took to project and to write.',
    buckets: SECONDS,
  },
  'sluice.projection.set_aside': {
    kind: 'counter',
    unit: '{aggregate}',
    attributes: ['partition'],
    meaning: 'Aggregates whose projection threw and that were set aside: look at them.',
  },
  'sluice.projection.blocked': {
    kind: 'gauge',
    unit: '{partition}',
    attributes: ['partition'],
    meaning: '1: a commit of the partition cannot be read, nothing after it is projected; the log names it. 0: it goes on, or another process has it.',
  },
  'sluice.projection.bus_discards': {
    kind: 'counter',
    unit: '{commit}',
    attributes: ['partition'],
    meaning: 'Commits of the bus that were changed, or that are not the next one of the log: they are read from the log instead.',
  },
  'sluice.projection.troubles': {
    kind: 'counter',
    unit: '{event}',
    attributes: ['partition'],
    meaning: 'What went wrong in the projector and was recovered from; the log says what.',
  },
  'sluice.call.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: ['method', 'code'],
    meaning: 'gRPC calls by method and status code; of streams, their life.',
    buckets: SECONDS,
  },
} as const satisfies MetricTable);

type NamesOf<Table, Kind extends MetricKind> = { [Name in keyof Table]: Table[Name] extends { readonly kind: Kind } ? Name : never }[keyof Table];

/** Takes one value; does nothing where nobody asks for metrics. */
export type Instrument = (value: number, attributes?: Attributes) => void;

/** The instruments of a table. */
export interface MetricsOf<Table> {
  /** False: nobody asks, every instrument does nothing. */
  readonly enabled: boolean;
  counter(name: NamesOf<Table, 'counter'>): Instrument;
  histogram(name: NamesOf<Table, 'histogram'>): Instrument;
  gauge(name: NamesOf<Table, 'gauge'>): Instrument;
  /** Has the values of gauges read whenever somebody asks for them. @returns how to end that. */
  observe<Name extends NamesOf<Table, 'gauge'>>(
    names: readonly Name[],
    read: (observed: (name: Name, value: number, attributes?: Attributes) => void) => void,
  ): () => void;
}

export interface Metrics extends MetricsOf<typeof METRICS> {
  /** The instruments of another table. */
  of<Table extends MetricTable>(table: Table): MetricsOf<Table>;
}

const nothing: Instrument = () => undefined;
const noInstruments = { enabled: false, counter: () => nothing, histogram: () => nothing, gauge: () => nothing, observe: () => () => undefined };

export const NO_METRICS: Metrics = Object.freeze({ ...noInstruments, of: () => noInstruments });

/** Instruments of the meter provider in force; to be called after it was set. */
export function activeMetrics(): Metrics {
  return { ...instrumentsOf(METRICS), of: instrumentsOf };
}

function instrumentsOf<Table extends MetricTable>(table: Table): MetricsOf<Table> {
  const meter = otel.getMeter('sluice');
  const describe = (name: string) => {
    const { unit, meaning, buckets } = table[name] as MetricDefinition;
    return { unit, description: meaning, advice: buckets && { explicitBucketBoundaries: [...buckets] } };
  };
  return {
    enabled: true,
    counter: (named) => {
      const name = String(named);
      const counter = meter.createCounter(name, describe(name));
      return (value, attributes) => counter.add(value, attributes);
    },
    histogram: (named) => {
      const name = String(named);
      const histogram = meter.createHistogram(name, describe(name));
      return (value, attributes) => histogram.record(value, attributes);
    },
    gauge: (named) => {
      const name = String(named);
      const gauge = meter.createGauge(name, describe(name));
      return (value, attributes) => gauge.record(value, attributes);
    },
    observe: (names, read) => {
      const gauges = new Map(names.map((name) => [name, meter.createObservableGauge(String(name), describe(String(name)))] as const));
      const callback = (result: BatchObservableResult): void =>
        read((name, value, attributes) => {
          const gauge = gauges.get(name);
          if (gauge !== undefined) result.observe(gauge, value, attributes);
        });
      meter.addBatchObservableCallback(callback, [...gauges.values()]);
      return () => meter.removeBatchObservableCallback(callback, [...gauges.values()]);
    },
  };
}
