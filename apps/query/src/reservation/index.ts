/** Reservations, as the query service plugs them in. */
import type { ReadCopy } from '@sluice/ports';
import { projection, reservationMessage, RESERVATIONS } from '@sluice/projections/reservation';
import { reservationpb } from '@sluice/protocol/reservation';
import type { QueryCapability } from '../query-capability';
import { type Seen, SharedWatches } from '../shared-watches';
import { reservationQueryService } from './reservation-query-service';

export const queryCapability: QueryCapability = {
  name: 'reservation',
  projection,
  definitions: [reservationpb.ReservationQueryServiceService],
  start({ feed, freshness, clock, logger }) {
    const trouble = (error: unknown): void => logger.warn({ error }, 'watched reservations cannot be read; trying again');
    const reservations = new SharedWatches(feed, clock, readChangedReservations, trouble);
    return { registrations: [reservationQueryService(freshness, reservations)], stop: () => reservations.stop() };
  },
};

async function readChangedReservations(copy: ReadCopy, known: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Seen<reservationpb.Reservation>>> {
  const changed = new Map<string, Seen<reservationpb.Reservation>>();
  for (const row of await copy.getMany(RESERVATIONS.name, [...known.keys()])) {
    if (row === undefined || row.sequence === known.get(row.number as string)) continue;
    changed.set(row.number as string, { state: reservationMessage(row), sequence: row.sequence as number });
  }
  return changed;
}
