/** The events of reservations are those of three kinds of aggregates. The rows of a kind pass over those of the other two. */
import type { EventHandlersOf } from '@sluice/protocol';
import type { reservationEvents } from '@sluice/protocol/reservation';
import { passOver } from '../row-change';

/** What rows make of each event; undefined: nothing. */
export type HandlersOf<Result> = EventHandlersOf<typeof reservationEvents, undefined, Result | undefined>;

type IdentityEventName = 'NumberAsked' | 'NumberReported' | 'AssociateTaken' | 'AssociateSent' | 'AssociateParked' | 'AssociateEnded';
type ResourceEventName = 'CapacitySet' | 'PlacesTaken' | 'PlacesQueued' | 'PlacesGranted' | 'PlacesReturned';
type NumberEventName = Exclude<keyof HandlersOf<undefined>, IdentityEventName | ResourceEventName>;

export const IDENTITY_EVENTS_PASSED_OVER: Pick<HandlersOf<never>, IdentityEventName> = {
  NumberAsked: passOver,
  NumberReported: passOver,
  AssociateTaken: passOver,
  AssociateSent: passOver,
  AssociateParked: passOver,
  AssociateEnded: passOver,
};

export const RESOURCE_EVENTS_PASSED_OVER: Pick<HandlersOf<never>, ResourceEventName> = {
  CapacitySet: passOver,
  PlacesTaken: passOver,
  PlacesQueued: passOver,
  PlacesGranted: passOver,
  PlacesReturned: passOver,
};

export const NUMBER_EVENTS_PASSED_OVER: Pick<HandlersOf<never>, NumberEventName> = {
  NumberReserved: passOver,
  PlaceAwaited: passOver,
  PlaceObtained: passOver,
  MoneyHeld: passOver,
  ReservationRejected: passOver,
  ReservationAssociated: passOver,
  ReservationCompleted: passOver,
  ReservationCancelled: passOver,
  ReservationExpired: passOver,
  HoldExtended: passOver,
  LatePlacesReturned: passOver,
  LateMoneyReleased: passOver,
  MoneyCaptured: passOver,
  MoneyPaid: passOver,
  MoneyReturned: passOver,
};
