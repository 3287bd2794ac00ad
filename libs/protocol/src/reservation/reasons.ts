/** The reasons that only reservations give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const reservationReasons = {
  RESERVATION_NOT_FOUND: reason('NOT_FOUND', 'Nothing is reserved under this number.', 'Check the number, or reserve it first.'),
  RESERVATION_NUMBER_TAKEN: reason('ALREADY_EXISTS', 'The number is reserved for another identity, or was.', 'Use another number.'),
  IDENTITY_MISMATCH: reason('FAILED_PRECONDITION', 'The number is reserved for another identity.', 'Check identity and number.'),
  RESERVATION_NOT_ASSOCIATED: reason('FAILED_PRECONDITION', 'The reservation is not associated yet.', 'Associate it, then send a new request.'),
  RESERVATION_ASSOCIATED: reason('FAILED_PRECONDITION', 'The reservation is associated: it does not expire any more.', 'Nothing to do.'),
  RESERVATION_COMPLETED: reason('FAILED_PRECONDITION', 'The reservation is completed.', 'Nothing to do.'),
  RESERVATION_CANCELLED: reason('FAILED_PRECONDITION', 'The reservation was cancelled.', 'Reserve another number.'),
  RESERVATION_EXPIRED: reason('FAILED_PRECONDITION', 'The reservation expired before it was associated.', 'Reserve another number.'),
  RESERVATION_REJECTED: reason('FAILED_PRECONDITION', 'The reservation was refused by its resource or by its account.', 'Reserve another number.'),
  RESERVATION_EXPIRY_PAST: reason('FAILED_PRECONDITION', '`expires_at_us` is not in the future.', 'Send a later time, with a new request.'),
  RESERVATION_IDENTITY_FULL: reason(
    'RESOURCE_EXHAUSTED',
    'The identity has 1,000 reservations that are not over.',
    'Send the request again when one of them is over.',
  ),
  RESERVATION_PARKED_FULL: reason(
    'RESOURCE_EXHAUSTED',
    'The identity has 64 associate requests that are not over.',
    'Send the request again when one of them is over.',
  ),
  RESERVATION_PARKED_EXPIRED: reason('FAILED_PRECONDITION', 'No number came for the associate request while it was parked.', 'Send a new request.'),
  RESERVATION_RESOURCE_NOT_FOUND: reason('NOT_FOUND', 'The resource has no capacity: it was never set.', 'Set it, then reserve another number.'),
  RESERVATION_RESOURCE_FULL: reason(
    'FAILED_PRECONDITION',
    'The resource has fewer places left than are wanted, or others wait for them, or it has not so many at all.',
    'Reserve another number later, or wait for a place.',
  ),
  RESERVATION_WAITING_LIST_FULL: reason('RESOURCE_EXHAUSTED', 'The waiting list of the resource has 10,000 reservations.', 'Reserve another number later.'),
  RESERVATION_CAPACITY_TAKEN: reason(
    'FAILED_PRECONDITION',
    'More places are taken than the new capacity has.',
    'Cancel reservations, then send a new request.',
  ),
} as const satisfies Readonly<Record<string, ReasonDefinition>>;
