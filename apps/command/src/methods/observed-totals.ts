/** Gauges of what the engine adds up over all aggregates of a kind (`total` of its definition), partition by partition. */
import type { AggregateState, AnyAggregate, Engine } from '@sluice/engine';
import type { CapabilityMetrics } from '@sluice/service';

export type Gauge = Parameters<CapabilityMetrics['observe']>[0][number];
export type TotalledKind = Pick<AnyAggregate, 'capability' | 'aggregate'>;

/**
 * Shows the totals of the partitions of this instance, whenever somebody looks.
 *
 * @param kinds each gauge with the kind whose total it shows.
 * @returns how to end that.
 */
export function observeTotals(metrics: CapabilityMetrics, engine: Engine, kinds: readonly (readonly [Gauge, TotalledKind])[]): () => void {
  const gauges = kinds.map(([gauge]) => gauge);
  return metrics.observe(gauges, (observed) => {
    for (let partition = 0; partition < engine.partitionCount; partition += 1) {
      const owned = engine.partition(partition);
      if (owned?.state !== 'serving') continue;
      for (const [gauge, { capability, aggregate }] of kinds) {
        const total = (owned.stateOf(capability) as AggregateState).totalOf(aggregate);
        if (total !== undefined) observed(gauge, total, { partition });
      }
    }
  });
}
