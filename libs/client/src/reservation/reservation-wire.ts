/** Reservations to the messages that travel, and back. */
import { randomUUID } from 'node:crypto';
import { reservationpb } from '@sluice/protocol/reservation';
import { SluiceError, statusName } from '../sluice-error';
import { microseconds } from '../time-wire';
import {
  ASSOCIATE_STATES,
  type AssociateInput,
  type AssociateOutcome,
  type AssociateState,
  RESERVATION_STATES,
  type ReservationState,
  type ReserveInput,
  type ReserveOutcome,
} from './reservation';

/** Of an item without its texts, or with money without its texts. */
const FIXED_FIELDS_BYTES = 64;

export function reserveToWire(input: ReserveInput): reservationpb.ReserveRequest {
  const { identityId, number, resourceId = '', places = 0, waitForPlace = false, expiresAt, money, note = '', requestId = randomUUID() } = input;
  return { requestId, identityId, number, resourceId, places, waitForPlace, expiresAtUs: usOf(expiresAt), note, money: money && { ...money } };
}

export function associateToWire({ identityId, number = '', parkMs = 0, note = '', requestId = randomUUID() }: AssociateInput): reservationpb.AssociateRequest {
  return { requestId, identityId, number, parkMs: BigInt(parkMs), note };
}

/** 0: never. */
export function usOf(time: Date | undefined): bigint {
  return time === undefined ? 0n : BigInt(microseconds(time));
}

/** About as many bytes as it takes on the wire, never less than the texts in it. */
export function reserveSizeBytes({ requestId, identityId, number, resourceId, note, money }: reservationpb.ReserveRequest): number {
  return sizeOf(requestId, identityId, number, resourceId, note, money?.accountId, money?.unit, money?.payeeAccountId);
}

/** About as many bytes as it takes on the wire, never less than the texts in it. */
export function associateSizeBytes({ requestId, identityId, number, note }: reservationpb.AssociateRequest): number {
  return sizeOf(requestId, identityId, number, note);
}

function sizeOf(...texts: readonly (string | undefined)[]): number {
  return texts.reduce((sum, text = '') => sum + Buffer.byteLength(text), FIXED_FIELDS_BYTES);
}

export function reserveOutcomeOf(
  { requestId, identityId, number }: reservationpb.ReserveRequest,
  result: reservationpb.ReserveResult | undefined,
  positionToken: string,
): ReserveOutcome {
  const error = errorOf(result, { identity_id: identityId, number }, requestId);
  if (error !== undefined || result === undefined) return { requestId, number, error: error as SluiceError };
  const { state, waiting, reason, repeated } = result;
  return { requestId, number, result: { requestId, identityId, number, state: stateFromWire(state), waiting, reason, repeated, positionToken } };
}

export function associateOutcomeOf(
  { requestId, identityId }: reservationpb.AssociateRequest,
  result: reservationpb.AssociateResult | undefined,
  positionToken: string,
): AssociateOutcome {
  const error = errorOf(result, { identity_id: identityId }, requestId);
  if (error !== undefined || result === undefined) return { requestId, identityId, error: error as SluiceError };
  const { state, number, reason, repeated } = result;
  return { requestId, identityId, result: { requestId, identityId, state: associateStateFromWire(state), number, reason, repeated, positionToken } };
}

/** Why an item of a batch was refused, as the error that a unary call would have thrown; undefined: it was accepted. */
function errorOf(
  result: { readonly error?: reservationpb.ItemError | undefined } | undefined,
  metadata: Readonly<Record<string, string>>,
  requestId: string,
): SluiceError | undefined {
  if (result === undefined) return new SluiceError({ code: 'INTERNAL', reason: '', message: 'the answer has no result for this item', requestId });
  const { error } = result;
  return error && new SluiceError({ code: statusName(error.code), reason: error.reason, message: error.message, metadata, requestId });
}

/** Undefined: unspecified. */
export function stateFromWire(state: reservationpb.ReservationState): ReservationState | undefined {
  return RESERVATION_STATES.find((name) => reservationpb.ReservationState[`RESERVATION_STATE_${name}`] === state);
}

function associateStateFromWire(state: reservationpb.AssociateState): AssociateState | undefined {
  return ASSOCIATE_STATES.find((name) => reservationpb.AssociateState[`ASSOCIATE_STATE_${name}`] === state);
}
