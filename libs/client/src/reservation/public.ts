/** What users of the library see of reservations. */
export {
  ASSOCIATE_STATES,
  type Associated,
  type AssociateInput,
  type AssociateOutcome,
  type AssociateState,
  type CapacitySet,
  type MoneyHold,
  RESERVATION_STATES,
  type ReservationChange,
  type ReservationChanged,
  type ReservationState,
  type Reserved,
  type ReserveInput,
  type ReserveOutcome,
} from './reservation';
export {
  type IdentityReservation,
  MONEY_STATES,
  type MoneyState,
  type ParkedFilter,
  type ParkedRequest,
  PLACES_STATES,
  type PlacesState,
  type Reservation,
  type ReservationFilter,
  type ReservationMoney,
  type Resource,
  type UserState,
} from './reservation-state';
export type { ReservationsClient } from './reservations-client';
