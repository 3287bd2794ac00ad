/** What a capability measures, by name without its prefix and by attributes: "waiting q". */
import type { Instrument, Metrics } from '@sluice/telemetry';

type Values = Record<string, number>;
type Read = (observed: (name: string, value: number, attributes?: object) => void) => void;

/** Counters are added up, the values of histograms too; gauges are read when they are asked for. */
export class Measured {
  private readonly sums: Values = {};
  private readonly readers = new Set<Read>();

  readonly metrics = { enabled: true, of: () => this.instruments } as unknown as Metrics;

  private readonly instruments = {
    enabled: true,
    counter: (name: string) => this.adding(name),
    histogram: (name: string) => this.adding(name),
    observe: (_names: readonly string[], read: Read) => {
      this.readers.add(read);
      return () => this.readers.delete(read);
    },
  };

  /** @param prefix of the names of the capability's metrics, like "sluice.task.". */
  constructor(private readonly prefix: string) {}

  get values(): Values {
    const gauges: Values = {};
    for (const read of this.readers)
      read((name, value, attributes) => {
        gauges[this.keyOf(name, attributes)] = value;
      });
    return { ...this.sums, ...gauges };
  }

  private adding(name: string): Instrument {
    return (value, attributes) => {
      const key = this.keyOf(name, attributes);
      this.sums[key] = (this.sums[key] ?? 0) + value;
    };
  }

  private keyOf(name: string, attributes: object = {}): string {
    return [name.slice(this.prefix.length), ...Object.values(attributes)].join(' ');
  }
}
