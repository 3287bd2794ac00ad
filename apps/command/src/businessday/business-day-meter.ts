/** What is measured of ends of day. What happened is counted when it is durable; how many are under way is a total that the engine keeps for each partition. */
import type { BranchEvent } from '@sluice/domain/businessday';
import type { Engine } from '@sluice/engine';
import type { CapabilityMetrics } from '@sluice/service';
import type { Instrument } from '@sluice/telemetry';
import { observeTotals } from '../methods/observed-totals';
import { BRANCH } from './business-day-names';

export class BusinessDayMeter {
  /** Counts a step that a partition refused. */
  readonly refused: Instrument;
  private readonly cuts: Instrument;
  private readonly runs: Instrument;
  private readonly steps: Instrument;
  private readonly setAside: Instrument;

  constructor(private readonly metrics: CapabilityMetrics) {
    this.refused = metrics.counter('sluice.businessday.refused');
    this.cuts = metrics.counter('sluice.businessday.cuts');
    this.runs = metrics.counter('sluice.businessday.runs_ended');
    this.steps = metrics.counter('sluice.businessday.steps_ended');
    this.setAside = metrics.counter('sluice.businessday.set_aside');
  }

  count(events: readonly BranchEvent[]): void {
    for (const event of events) {
      if (event.kind === 'onlineDateMoved') this.cuts(1);
      else if (event.kind === 'stepEnded') this.steps(1);
      else if (event.kind === 'batchDateMoved') this.runs(1, { outcome: event.forcedReason === '' ? 'WHOLE' : 'FORCED' });
      else if (event.kind === 'stepAdvanced' && event.done.setAside.length > 0) this.setAside(event.done.setAside.length);
    }
  }

  /** Shows how many runs are under way in the partitions of this instance, whenever somebody looks. @returns how to end that. */
  show(engine: Engine): () => void {
    return observeTotals(this.metrics, engine, [['sluice.businessday.under_way', BRANCH]]);
  }
}
