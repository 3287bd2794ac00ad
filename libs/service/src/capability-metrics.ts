/** The metrics that capabilities declare, as one table. */
import type { Metrics, MetricsOf, MetricTable } from '@sluice/telemetry';
import { SERVICE_CAPABILITIES } from './capabilities.generated';
import type { ServiceCapability } from './service-capability';

type MetricsIn<Capability> = Capability extends { readonly metrics: infer Table } ? Table : never;
/** A union of tables as one that has the metrics of each. */
type Merged<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void ? All : never;

/** Every metric of every one of the capabilities. */
type DeclaredMetrics<Capabilities extends readonly ServiceCapability[]> = Merged<MetricsIn<Capabilities[number]>> & object;

export const CAPABILITY_METRICS = declaredMetrics(SERVICE_CAPABILITIES);

export type CapabilityMetrics = MetricsOf<typeof CAPABILITY_METRICS>;

/** Throws for a metric whose name does not begin with that of its capability, so that no two capabilities declare the same one. */
export function declaredMetrics<const Capabilities extends readonly ServiceCapability[]>(capabilities: Capabilities): DeclaredMetrics<Capabilities> {
  const declared: Record<string, MetricTable[string]> = {};
  for (const { name: capability, metrics = {} } of capabilities) {
    for (const [name, metric] of Object.entries(metrics)) {
      if (!name.startsWith(`sluice.${capability}.`)) throw new Error(`the metric ${name} must begin with sluice.${capability}., after its capability`);
      declared[name] = metric;
    }
  }
  return declared as DeclaredMetrics<Capabilities>;
}

export function capabilityMetrics(metrics: Metrics): CapabilityMetrics {
  return metrics.of(CAPABILITY_METRICS);
}
