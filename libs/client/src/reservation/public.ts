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
export type { ReservationsClient } from './reservations-client';
