/** The kinds of aggregates of reservations, and how states are named in messages. */
import type { EndedAssociate, NumberReport, ReservationState } from '@sluice/domain/reservation';
import { reservationpb } from '@sluice/protocol/reservation';

export const IDENTITY = { capability: 'reservation', aggregate: 'identity' } as const;
export const NUMBER = { capability: 'reservation', aggregate: 'number' } as const;
export const RESOURCE = { capability: 'reservation', aggregate: 'resource' } as const;

const {
  RESERVATION_STATE_UNSPECIFIED,
  RESERVATION_STATE_PENDING,
  RESERVATION_STATE_RESERVED,
  RESERVATION_STATE_ASSOCIATED,
  RESERVATION_STATE_COMPLETED,
  RESERVATION_STATE_REJECTED,
  RESERVATION_STATE_CANCELLED,
  RESERVATION_STATE_EXPIRED,
} = reservationpb.ReservationState;

const STATES: Readonly<Record<ReservationState, reservationpb.ReservationState>> = {
  NONE: RESERVATION_STATE_UNSPECIFIED,
  PENDING: RESERVATION_STATE_PENDING,
  RESERVED: RESERVATION_STATE_RESERVED,
  ASSOCIATED: RESERVATION_STATE_ASSOCIATED,
  COMPLETED: RESERVATION_STATE_COMPLETED,
  REJECTED: RESERVATION_STATE_REJECTED,
  CANCELLED: RESERVATION_STATE_CANCELLED,
  EXPIRED: RESERVATION_STATE_EXPIRED,
};
const STATES_BY_PROTO = new Map(Object.entries(STATES).map(([state, proto]) => [proto, state as ReservationState]));

export function stateToProto(state: ReservationState): reservationpb.ReservationState {
  return STATES[state];
}

export function stateFromProto(proto: reservationpb.ReservationState): ReservationState {
  const state = STATES_BY_PROTO.get(proto);
  if (state === undefined) throw new Error(`there is no reservation state ${proto}`);
  return state;
}

const { ASSOCIATE_STATE_ASSOCIATED, ASSOCIATE_STATE_REJECTED, ASSOCIATE_STATE_EXPIRED } = reservationpb.AssociateState;

const ENDED_STATES: Readonly<Record<EndedAssociate['state'], reservationpb.AssociateState>> = {
  ASSOCIATED: ASSOCIATE_STATE_ASSOCIATED,
  REJECTED: ASSOCIATE_STATE_REJECTED,
  EXPIRED: ASSOCIATE_STATE_EXPIRED,
};
const ENDED_STATES_BY_PROTO = new Map(Object.entries(ENDED_STATES).map(([state, proto]) => [proto, state as EndedAssociate['state']]));

export function endedStateToProto(state: EndedAssociate['state']): reservationpb.AssociateState {
  return ENDED_STATES[state];
}

export function endedStateFromProto(proto: reservationpb.AssociateState): EndedAssociate['state'] {
  const state = ENDED_STATES_BY_PROTO.get(proto);
  if (state === undefined) throw new Error(`an associate request does not end as ${proto}`);
  return state;
}

export function reportToProto({ state, sequence, ...report }: NumberReport): reservationpb.NumberReport {
  return { ...report, state: stateToProto(state), sequence: BigInt(sequence) };
}

/** Throws where the message holds none. */
export function reportFromProto(report: reservationpb.NumberReport | undefined): NumberReport {
  if (report === undefined) throw new Error('a message about a number holds no report');
  return { ...report, state: stateFromProto(report.state), sequence: Number(report.sequence) };
}
