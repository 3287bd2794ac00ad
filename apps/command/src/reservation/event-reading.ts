/** The events of reservations are those of three kinds of aggregates: each kind reads its own, and finds no others in its commits. */
import type { EventHandlersOf } from '@sluice/protocol';
import type { reservationEvents } from '@sluice/protocol/reservation';

export type ReadingOf<Event> = EventHandlersOf<typeof reservationEvents, undefined, Event>;

function refuse(): never {
  throw new Error('the event is one of another kind of aggregates');
}

export const ofAnotherKind: ReadingOf<never> = {
  NumberAsked: refuse,
  NumberReported: refuse,
  AssociateTaken: refuse,
  AssociateSent: refuse,
  AssociateParked: refuse,
  AssociateEnded: refuse,
  NumberReserved: refuse,
  PlaceAwaited: refuse,
  PlaceObtained: refuse,
  ReservationRejected: refuse,
  ReservationAssociated: refuse,
  ReservationCompleted: refuse,
  ReservationCancelled: refuse,
  ReservationExpired: refuse,
  HoldExtended: refuse,
  LatePlacesReturned: refuse,
  MoneyHeld: refuse,
  LateMoneyReleased: refuse,
  MoneyCaptured: refuse,
  MoneyPaid: refuse,
  MoneyReturned: refuse,
  CapacitySet: refuse,
  PlacesTaken: refuse,
  PlacesQueued: refuse,
  PlacesGranted: refuse,
  PlacesReturned: refuse,
};
