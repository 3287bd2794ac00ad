/** Reservations, as the client plugs them in. */
import { reservationpb } from '@sluice/protocol/reservation';
import type { ClientCapability } from '../client-capability';
import { ReservationsClient } from './reservations-client';

export const clientCapability: ClientCapability<{ readonly reservations: ReservationsClient }> = {
  name: 'reservation',
  clients: ({ caller, positions, reads, batching, command, query }) => ({
    reservations: new ReservationsClient({
      caller,
      commands: command(reservationpb.ReservationCommandServiceClient),
      queries: query(reservationpb.ReservationQueryServiceClient),
      positions,
      reads,
      batching,
    }),
  }),
};
