/** Reservations to the messages that travel, and back. */
import { randomUUID } from 'node:crypto';
import { reservationpb } from '@sluice/protocol/reservation';
import { missingResult, refusedItem } from '../item-error';
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
  if (result === undefined) return { requestId, number, error: missingResult('item', requestId) };
  const { state, waiting, reason, repeated, error } = result;
  if (error !== undefined) return { requestId, number, error: refusedItem(error, { identity_id: identityId, number }, requestId) };
  return { requestId, number, result: { requestId, identityId, number, state: stateFromWire(state), waiting, reason, repeated, positionToken } };
}

export function associateOutcomeOf(
  { requestId, identityId }: reservationpb.AssociateRequest,
  result: reservationpb.AssociateResult | undefined,
  positionToken: string,
): AssociateOutcome {
  if (result === undefined) return { requestId, identityId, error: missingResult('item', requestId) };
  const { state, number, reason, repeated, error } = result;
  if (error !== undefined) return { requestId, identityId, error: refusedItem(error, { identity_id: identityId }, requestId) };
  return { requestId, identityId, result: { requestId, identityId, state: associateStateFromWire(state), number, reason, repeated, positionToken } };
}

/** Undefined: unspecified. */
export function stateFromWire(state: reservationpb.ReservationState): ReservationState | undefined {
  return RESERVATION_STATES.find((name) => reservationpb.ReservationState[`RESERVATION_STATE_${name}`] === state);
}

function associateStateFromWire(state: reservationpb.AssociateState): AssociateState | undefined {
  return ASSOCIATE_STATES.find((name) => reservationpb.AssociateState[`ASSOCIATE_STATE_${name}`] === state);
}
