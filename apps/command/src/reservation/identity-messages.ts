/** The messages that an identity takes, as commands of the domain: their keys, ids and shape checks. */
import { associateIdOf, type IdentityCommand } from '@sluice/domain/reservation';
import { commandMessage } from '@sluice/engine';
import { MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import { checkText, invalidRequest } from '@sluice/service';
import { reportFromProto } from './reservation-names';
import { checkMoney, checkNote, checkTimeUs } from './request-checks';

const KEY_FIELD = 'identity_id';
const MAXIMUM_PLACES = 1_000_000;
const DEFAULT_PARK_MS = 3_600_000;
const MAXIMUM_PARK_MS = 30 * 24 * 3_600_000;
const US_PER_MS = 1_000;
/** Beside the request itself: what two further requests that are sent or ended take of the commit. */
const STEPS_BYTES = 3 << 10;

const key = ({ identityId }: { readonly identityId: string }): string => identityId;
const requestId = ({ requestId: id }: { readonly requestId: string }): string => id;
/** Of deliveries and timers: the engine knows their ids. */
const noRequestId = (): string => '';

export const reserveMessage = commandMessage<reservationpb.ReserveRequest, IdentityCommand>({
  messageName: 'sluice.reservation.v1.ReserveRequest',
  codec: reservationpb.ReserveRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ requestId: id, number, resourceId, places, waitForPlace, expiresAtUs, note, money }) => {
    checkText(number, 'number', 1, MAXIMUM_ID_BYTES);
    checkText(resourceId, 'resource_id', 0, MAXIMUM_ID_BYTES);
    if (resourceId === '' && places > 0) throw invalidRequest('resource_id', 'is empty; places are those of a resource');
    if (resourceId === '' && waitForPlace) throw invalidRequest('resource_id', 'is empty; only places of a resource can be waited for');
    if (places > MAXIMUM_PLACES) throw invalidRequest('places', `is ${places}; it must be 0 to ${MAXIMUM_PLACES}`);
    checkTimeUs(expiresAtUs);
    checkNote(note);
    if (money !== undefined) checkMoney(money);
    const terms = { resourceId, places: places === 0 ? 1 : places, waitForPlace, expiresAtUs: Number(expiresAtUs), note, money };
    return { kind: 'reserveNumber', requestId: id, number, terms };
  },
});

export const associateMessage = commandMessage<reservationpb.AssociateRequest, IdentityCommand>({
  messageName: 'sluice.reservation.v1.AssociateRequest',
  codec: reservationpb.AssociateRequest,
  keyField: KEY_FIELD,
  key,
  requestId,
  command: ({ requestId: id, number, parkMs, note }) => {
    checkText(number, 'number', 0, MAXIMUM_ID_BYTES);
    if (parkMs < 0n || parkMs > MAXIMUM_PARK_MS) throw invalidRequest('park_ms', `is ${parkMs}; it must be 0 to ${MAXIMUM_PARK_MS}`);
    checkNote(note);
    const parkUs = (parkMs === 0n ? DEFAULT_PARK_MS : Number(parkMs)) * US_PER_MS;
    return { kind: 'takeAssociate', associateId: associateIdOf(id), number, parkUs, note };
  },
  recordBytes: (request) => 4 * reservationpb.AssociateRequest.encode(request).finish().length + STEPS_BYTES,
});

export const numberChangedMessage = commandMessage<reservationpb.NumberChanged, IdentityCommand>({
  messageName: 'sluice.reservation.v1.NumberChanged',
  codec: reservationpb.NumberChanged,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ report }) => ({ kind: 'numberChanged', report: reportFromProto(report) }),
});

export const expireParkedMessage = commandMessage<reservationpb.ExpireParked, IdentityCommand>({
  messageName: 'sluice.reservation.v1.ExpireParked',
  codec: reservationpb.ExpireParked,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: ({ associateId }) => ({ kind: 'expireParked', associateId }),
});

export const continueAssociatingMessage = commandMessage<reservationpb.ContinueAssociating, IdentityCommand>({
  messageName: 'sluice.reservation.v1.ContinueAssociating',
  codec: reservationpb.ContinueAssociating,
  keyField: KEY_FIELD,
  key,
  requestId: noRequestId,
  command: () => ({ kind: 'goOn' }),
});
