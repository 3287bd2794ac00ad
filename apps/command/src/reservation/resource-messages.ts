/** The messages that a resource takes, as commands of the domain. */
import { GRANTS_PER_STEP, type ResourceCommand } from '@sluice/domain/reservation';
import { commandMessage } from '@sluice/engine';
import { reservationpb } from '@sluice/protocol/reservation';
import { invalidRequest } from '@sluice/service';

const KEY_FIELD = 'resource_id';
const MAXIMUM_CAPACITY = 1_000_000_000;
/** What a number of the waiting list that gets its places takes of the commit. */
const GRANT_BYTES = 1 << 10;

const key = ({ resourceId }: { readonly resourceId: string }): string => resourceId;
/** Of deliveries and timers: the engine knows their ids. */
const noRequestId = (): string => '';

export const setCapacityMessage = commandMessage<reservationpb.SetCapacityRequest, ResourceCommand>({
  messageName: 'sluice.reservation.v1.SetCapacityRequest',
  codec: reservationpb.SetCapacityRequest,
  keyField: KEY_FIELD,
  key,
  requestId: ({ requestId }) => requestId,
  command: ({ capacity }) => {
    if (capacity < 1n || capacity > MAXIMUM_CAPACITY) throw invalidRequest('capacity', `is ${capacity}; it must be 1 to ${MAXIMUM_CAPACITY}`);
    return { kind: 'setCapacity', capacity: Number(capacity) };
  },
  recordBytes: () => (GRANTS_PER_STEP + 2) * GRANT_BYTES,
});

export const takePlacesMessage = commandMessage<reservationpb.TakePlaces, ResourceCommand>({
  messageName: 'sluice.reservation.v1.TakePlaces',
  codec: reservationpb.TakePlaces,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ number, places, waitForPlace }) => ({ kind: 'takePlaces', number, places, waitForPlace }),
});

export const givePlacesBackMessage = commandMessage<reservationpb.GivePlacesBack, ResourceCommand>({
  messageName: 'sluice.reservation.v1.GivePlacesBack',
  codec: reservationpb.GivePlacesBack,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ number, places }) => ({ kind: 'givePlacesBack', number, places }),
});

export const grantPlacesMessage = commandMessage<reservationpb.GrantPlaces, ResourceCommand>({
  messageName: 'sluice.reservation.v1.GrantPlaces',
  codec: reservationpb.GrantPlaces,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: () => ({ kind: 'grantPlaces' }),
});
