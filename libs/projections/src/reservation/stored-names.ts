/** States as rows have them: the names of their messages without what all of them begin with. */
import { reservationpb } from '@sluice/protocol/reservation';

const RESERVATION_STATE_PREFIX = 'RESERVATION_STATE_';
const ASSOCIATE_STATE_PREFIX = 'ASSOCIATE_STATE_';

export function storedReservationState(state: reservationpb.ReservationState): string {
  return reservationpb.ReservationState[state].slice(RESERVATION_STATE_PREFIX.length);
}

export function storedAssociateState(state: reservationpb.AssociateState): string {
  return reservationpb.AssociateState[state].slice(ASSOCIATE_STATE_PREFIX.length);
}
