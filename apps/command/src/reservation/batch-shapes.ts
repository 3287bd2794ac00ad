/** How the messages of ReserveBatch and AssociateBatch hold their items and results. */
import { reservationpb } from '@sluice/protocol/reservation';
import type { BulkShape } from '../methods/bulk-command-method';
import type { CompleteReply } from '../methods/reply-completion';
import { associateMessage, reserveMessage } from './identity-messages';

type ReserveShape = BulkShape<reservationpb.ReserveBatchRequest, reservationpb.ReserveBatchResponse, reservationpb.ReserveRequest, reservationpb.ReserveResult>;

export const reserveBatchShape = (complete: CompleteReply): ReserveShape => ({
  field: 'reservations',
  items: ({ reservations }) => reservations,
  withItems: (reservations) => ({ reservations }),
  body: (item) => reserveMessage.bodyOf(item),
  complete,
  accepted: (reply, repeated) => {
    const { state, waiting, reason } = reservationpb.ReserveResponse.decode(reply);
    return { state, waiting, reason, repeated, error: undefined };
  },
  refused: (error) => ({
    ...{ state: reservationpb.ReservationState.RESERVATION_STATE_UNSPECIFIED, waiting: false, reason: '', repeated: false },
    error,
  }),
  response: (results, positionToken) => ({ results, positionToken }),
  resultsOf: (response) => response,
});

type AssociateShape = BulkShape<
  reservationpb.AssociateBatchRequest,
  reservationpb.AssociateBatchResponse,
  reservationpb.AssociateRequest,
  reservationpb.AssociateResult
>;

export const associateBatchShape = (complete: CompleteReply): AssociateShape => ({
  field: 'associates',
  items: ({ associates }) => associates,
  withItems: (associates) => ({ associates }),
  body: (item) => associateMessage.bodyOf(item),
  complete,
  accepted: (reply, repeated) => {
    const { state, number, reason } = reservationpb.AssociateResponse.decode(reply);
    return { state, number, reason, repeated, error: undefined };
  },
  refused: (error) => ({
    ...{ state: reservationpb.AssociateState.ASSOCIATE_STATE_UNSPECIFIED, number: '', reason: '', repeated: false },
    error,
  }),
  response: (results, positionToken) => ({ results, positionToken }),
  resultsOf: (response) => response,
});
