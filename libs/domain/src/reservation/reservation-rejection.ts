/** Why a request on a reservation is refused. */
export type ReservationRejection =
  | 'RESERVATION_NOT_FOUND'
  | 'RESERVATION_NUMBER_TAKEN'
  | 'IDENTITY_MISMATCH'
  | 'RESERVATION_NOT_ASSOCIATED'
  | 'RESERVATION_ASSOCIATED'
  | 'RESERVATION_COMPLETED'
  | 'RESERVATION_CANCELLED'
  | 'RESERVATION_EXPIRED'
  | 'RESERVATION_REJECTED'
  | 'RESERVATION_EXPIRY_PAST'
  | 'RESERVATION_IDENTITY_FULL'
  | 'RESERVATION_PARKED_FULL'
  | 'RESERVATION_PARKED_EXPIRED'
  | 'RESERVATION_RESOURCE_NOT_FOUND'
  | 'RESERVATION_RESOURCE_FULL'
  | 'RESERVATION_WAITING_LIST_FULL'
  | 'RESERVATION_CAPACITY_TAKEN';

/** Not recorded: whether something is there, and how full a buffer is. The same request may pass when it comes again. */
const NOT_RECORDED: ReadonlySet<ReservationRejection> = new Set<ReservationRejection>([
  'RESERVATION_NOT_FOUND',
  'RESERVATION_IDENTITY_FULL',
  'RESERVATION_PARKED_FULL',
]);

export interface Refusal {
  readonly accepted: false;
  readonly rejection: ReservationRejection;
  readonly recorded: boolean;
}

export function refused(rejection: ReservationRejection): Refusal {
  return { accepted: false, rejection, recorded: !NOT_RECORDED.has(rejection) };
}
