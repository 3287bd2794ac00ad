/**
 * The projection of reservations. A number, a resource, an identity and an associate request are a row each, in the partition of the aggregate whose
 * events they are folded from. The rows of one reservation may be of different moments.
 */
import type { Projection } from '../projection';
import { projectRows } from '../row-projection';
import { associateRows } from './associate-rows';
import { RESERVATION_PROJECTION } from './collections';
import { identityRows } from './identity-rows';
import { reservationRows } from './reservation-rows';
import { reservationVerification } from './reservation-verification';
import { resourceRows } from './resource-rows';

export const reservationProjection: Projection = {
  ...RESERVATION_PROJECTION,
  ...projectRows(reservationRows, resourceRows, identityRows, associateRows),
  verification: reservationVerification,
};
