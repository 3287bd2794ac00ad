/**
 * What is measured of parked requests and of waiting lists. What happened is counted when it is durable, where it was decided. How many are parked or wait
 * is a total that the engine keeps for each partition (`total` of the aggregates), so that nobody looks through identities and resources.
 */
import type { Identity, IdentityEvent, ResourceEvent } from '@sluice/domain/reservation';
import type { Engine } from '@sluice/engine';
import type { CapabilityMetrics } from '@sluice/service';
import type { Instrument } from '@sluice/telemetry';
import { observeTotals } from '../methods/observed-totals';
import { IDENTITY, RESOURCE } from './reservation-names';

export class ReservationMeter {
  private readonly parked: Instrument;
  private readonly ended: Instrument;
  private readonly begun: Instrument;
  private readonly left: Instrument;

  constructor(private readonly metrics: CapabilityMetrics) {
    this.parked = metrics.counter('sluice.reservation.associates_parked');
    this.ended = metrics.counter('sluice.reservation.associates_ended');
    this.begun = metrics.counter('sluice.reservation.waits_begun');
    this.left = metrics.counter('sluice.reservation.waits_ended');
  }

  /** Counts what happens to the identity, which is as it is before the events. @returns what to do when the events are durable. */
  ofIdentity(identity: Identity, events: readonly IdentityEvent[]): () => void {
    const parked = parkedBy(identity, events);
    return () => {
      if (parked > 0) this.parked(parked);
      for (const event of events) if (event.kind === 'associateEnded') this.ended(1, { state: event.state });
    };
  }

  ofResource(events: readonly ResourceEvent[]): void {
    for (const event of events) {
      if (event.kind === 'placesQueued') this.begun(1);
      else if (event.kind === 'placesGranted') this.left(1, { outcome: 'GRANTED' });
      else if (event.kind === 'placesReturned' && event.waited) this.left(1, { outcome: 'LEFT' });
    }
  }

  /** Shows how many are parked and wait in the partitions of this instance, whenever somebody looks. @returns how to end that. */
  show(engine: Engine): () => void {
    return observeTotals(this.metrics, engine, [
      ['sluice.reservation.parked', IDENTITY],
      ['sluice.reservation.waiting', RESOURCE],
    ]);
  }
}

/** Requests of the identity that are parked. */
export function parkedOf({ associates }: Identity): number {
  let parked = 0;
  for (const { sentTo } of associates.values()) if (sentTo === '') parked += 1;
  return parked;
}

/** How many requests are parked behind the events that were not parked before them. */
function parkedBy({ associates }: Identity, events: readonly IdentityEvent[]): number {
  const parked = new Set<string>();
  for (const event of events) {
    if (event.kind === 'associateTaken' || event.kind === 'associateParked') parked.add(event.associateId);
    else if (event.kind === 'associateSent' || event.kind === 'associateEnded') parked.delete(event.associateId);
  }
  for (const associateId of parked) if (associates.get(associateId)?.sentTo === '') parked.delete(associateId);
  return parked.size;
}
