/** Identities, numbers and resources as bytes. */
import {
  newIdentity,
  newReservation,
  newResource,
  type EndedAssociate,
  type Identity,
  type MoneyState,
  type PlaceState,
  type Reservation,
  type Resource,
} from '@sluice/domain/reservation';
import type { StateCodec } from '@sluice/engine';
import { encodeMessage } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import { endedStateFromProto, endedStateToProto, reportFromProto, reportToProto, stateFromProto, stateToProto } from './reservation-names';

const { PLACE_STATE_UNSPECIFIED, PLACE_STATE_ASKED, PLACE_STATE_WAITING, PLACE_STATE_HELD, PLACE_STATE_GIVEN_BACK } = reservationpb.PlaceState;

const PLACE_STATES: Readonly<Record<PlaceState, reservationpb.PlaceState>> = {
  NONE: PLACE_STATE_UNSPECIFIED,
  ASKED: PLACE_STATE_ASKED,
  WAITING: PLACE_STATE_WAITING,
  HELD: PLACE_STATE_HELD,
  GIVEN_BACK: PLACE_STATE_GIVEN_BACK,
};
const PLACE_STATES_BY_PROTO = new Map(Object.entries(PLACE_STATES).map(([state, proto]) => [proto, state as PlaceState]));

function placeFromProto(proto: reservationpb.PlaceState): PlaceState {
  const place = PLACE_STATES_BY_PROTO.get(proto);
  if (place === undefined) throw new Error(`there is no state ${proto} of places`);
  return place;
}

const { MONEY_STATE_UNSPECIFIED, MONEY_STATE_ASKED, MONEY_STATE_HELD, MONEY_STATE_RELEASED } = reservationpb.MoneyState;
const { MONEY_STATE_CAPTURING, MONEY_STATE_CAPTURED, MONEY_STATE_PAID, MONEY_STATE_RETURNED } = reservationpb.MoneyState;

const MONEY_STATES: Readonly<Record<MoneyState, reservationpb.MoneyState>> = {
  NONE: MONEY_STATE_UNSPECIFIED,
  ASKED: MONEY_STATE_ASKED,
  HELD: MONEY_STATE_HELD,
  RELEASED: MONEY_STATE_RELEASED,
  CAPTURING: MONEY_STATE_CAPTURING,
  CAPTURED: MONEY_STATE_CAPTURED,
  PAID: MONEY_STATE_PAID,
  RETURNED: MONEY_STATE_RETURNED,
};
const MONEY_STATES_BY_PROTO = new Map(Object.entries(MONEY_STATES).map(([state, proto]) => [proto, state as MoneyState]));

function moneyFromProto(proto: reservationpb.MoneyState): MoneyState {
  const state = MONEY_STATES_BY_PROTO.get(proto);
  if (state === undefined) throw new Error(`there is no state ${proto} of money`);
  return state;
}

export const reservationRecord: StateCodec<Reservation> = {
  version: 2,
  encode: ({ number: _, state, place, moneyState, ...reservation }) => {
    const record = { ...reservation, state: stateToProto(state), place: PLACE_STATES[place], moneyState: MONEY_STATES[moneyState] };
    return encodeMessage(reservationpb.ReservationRecord, record);
  },
  decode: (bytes, _version, number) => {
    const { state, place, moneyState, ...reservation } = reservationpb.ReservationRecord.decode(bytes);
    const states = { state: stateFromProto(state), place: placeFromProto(place), moneyState: moneyFromProto(moneyState) };
    return { ...newReservation(number), ...reservation, ...states };
  },
};

export const identityRecord: StateCodec<Identity> = {
  version: 1,
  encode: ({ numbers, associates, endedNumbers, endedAssociates }) => {
    const record = {
      numbers: [...numbers.values()].map(({ report, ...known }) => ({ ...known, report: reportToProto(report) })),
      associates: [...associates.values()],
      endedNumbers: [...endedNumbers.values()].map(reportToProto),
      endedAssociates: [...endedAssociates.values()].map(({ state, ...ended }) => ({ ...ended, state: endedStateToProto(state) })),
    };
    return encodeMessage(reservationpb.IdentityRecord, record);
  },
  decode: (bytes, _version, identityId) => {
    const record = reservationpb.IdentityRecord.decode(bytes);
    const identity = newIdentity(identityId);
    for (const { report: message, ...known } of record.numbers) {
      const report = reportFromProto(message);
      identity.numbers.set(report.number, { ...known, report });
    }
    for (const associate of record.associates) identity.associates.set(associate.associateId, associate);
    for (const message of record.endedNumbers) identity.endedNumbers.set(message.number, reportFromProto(message));
    for (const { state, ...ended } of record.endedAssociates) {
      const associate: EndedAssociate = { ...ended, state: endedStateFromProto(state) };
      identity.endedAssociates.set(associate.associateId, associate);
    }
    return identity;
  },
};

export const resourceRecord: StateCodec<Resource> = {
  version: 1,
  encode: ({ capacity, taken, waiting }) => {
    const record = { capacity, taken, waiting: [...waiting].map(([number, places]) => ({ number, places })) };
    return encodeMessage(reservationpb.ResourceRecord, record);
  },
  decode: (bytes, _version, resourceId) => {
    const { capacity, taken, waiting } = reservationpb.ResourceRecord.decode(bytes);
    return { ...newResource(resourceId), capacity, taken, waiting: new Map(waiting.map(({ number, places }) => [number, places])) };
  },
};
