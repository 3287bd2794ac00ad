/** The messages that a number takes, as commands of the domain. A number is hashed whole. */
import type { ReservationCommand } from '@sluice/domain/reservation';
import { commandMessage } from '@sluice/engine';
import { MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import { checkText } from '@sluice/service';
import { checkNote, checkTimeUs } from './request-checks';

const KEY_FIELD = 'number';
/** The event, and what the number owes its identity, its resource and its account about it. */
const CHANGE_BYTES = 3 << 10;

const key = ({ number }: { readonly number: string }): string => number;
const requestId = ({ requestId: id }: { readonly requestId: string }): string => id;
/** Of deliveries and timers: the engine knows their ids. */
const noRequestId = (): string => '';

const ofNumber = { keyField: KEY_FIELD, key, wholeKey: true } as const;

export const reserveNumberMessage = commandMessage<reservationpb.ReserveNumber, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.ReserveNumber',
  codec: reservationpb.ReserveNumber,
  requestId: noRequestId,
  command: ({ identityId, resourceId, places, waitForPlace, expiresAtUs, note, money }) => ({
    kind: 'reserve',
    ...{ identityId, resourceId, places, waitForPlace, expiresAtUs: Number(expiresAtUs), note, money },
  }),
});

export const associateNumberMessage = commandMessage<reservationpb.AssociateNumber, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.AssociateNumber',
  codec: reservationpb.AssociateNumber,
  requestId: noRequestId,
  command: ({ identityId, associateId, note }) => ({ kind: 'associate', identityId, associateId, note }),
});

export const completeMessage = commandMessage<reservationpb.CompleteRequest, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.CompleteRequest',
  codec: reservationpb.CompleteRequest,
  requestId,
  command: ({ identityId, note }) => ({ kind: 'complete', ...checked(identityId, note) }),
  recordBytes: () => CHANGE_BYTES,
});

export const cancelMessage = commandMessage<reservationpb.CancelRequest, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.CancelRequest',
  codec: reservationpb.CancelRequest,
  requestId,
  command: ({ identityId, note }) => ({ kind: 'cancel', ...checked(identityId, note) }),
  recordBytes: () => CHANGE_BYTES,
});

export const extendHoldMessage = commandMessage<reservationpb.ExtendHoldRequest, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.ExtendHoldRequest',
  codec: reservationpb.ExtendHoldRequest,
  requestId,
  command: ({ identityId, expiresAtUs }) => {
    checkTimeUs(expiresAtUs);
    return { kind: 'extendHold', identityId: checked(identityId, '').identityId, expiresAtUs: Number(expiresAtUs) };
  },
});

export const expireReservationMessage = commandMessage<reservationpb.ExpireReservation, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.ExpireReservation',
  codec: reservationpb.ExpireReservation,
  requestId: noRequestId,
  command: () => ({ kind: 'expire' }),
});

export const placesComeFreeMessage = commandMessage<reservationpb.PlacesComeFree, ReservationCommand>({
  ...ofNumber,
  messageName: 'sluice.reservation.v1.PlacesComeFree',
  codec: reservationpb.PlacesComeFree,
  requestId: noRequestId,
  command: () => ({ kind: 'placesComeFree' }),
});

function checked(identityId: string, note: string): { readonly identityId: string; readonly note: string } {
  checkText(identityId, 'identity_id', 0, MAXIMUM_ID_BYTES);
  checkNote(note);
  return { identityId, note };
}
