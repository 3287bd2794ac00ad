/** The reservation of a number as an aggregate of the engine. */
import {
  decideReservation,
  evolveReservation,
  moneyAnswered,
  newReservation,
  placesAnswered,
  type NumberAnswer,
  type OwedByReservation,
  type Reservation,
  type ReservationCommand,
  type ReservationConsequences,
  type ReservationEvent,
} from '@sluice/domain/reservation';
import type { AggregateDefinition, Consequences, Decision, Owed, SettledDelivery, TimerChange } from '@sluice/engine';
import { encodeMessage } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import { answerOfAccount, owedMoney } from './money-on-the-wire';
import { numberEventCodec } from './number-event-codec';
import {
  associateNumberMessage,
  cancelMessage,
  completeMessage,
  expireReservationMessage,
  extendHoldMessage,
  placesComeFreeMessage,
  reserveNumberMessage,
} from './number-messages';
import { NUMBER, reportToProto } from './reservation-names';
import { reservationRecord } from './reservation-records';

const EXPIRY_TIMER = 'expiry';

export const numberAggregate: AggregateDefinition<Reservation, ReservationCommand, ReservationEvent> = {
  ...NUMBER,
  record: reservationRecord,
  events: numberEventCodec,
  commands: {
    ReserveNumber: reserveNumberMessage,
    AssociateNumber: associateNumberMessage,
    Complete: completeMessage,
    Cancel: cancelMessage,
    ExtendHold: extendHoldMessage,
    ExpireReservation: expireReservationMessage,
    PlacesComeFree: placesComeFreeMessage,
  },
  initialState: newReservation,
  decide: (reservation, command, { committedAtUs, sequence }): Decision<ReservationEvent> => {
    const decision = decideReservation(reservation, command, { sequence, atUs: committedAtUs });
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: decision.recorded };
    const { answer } = decision;
    return { accepted: true, ...consequencesOf(reservation, decision), ...(answer === undefined ? undefined : { reply: answerBytes(answer) }) };
  },
  evolve: evolveReservation,
  settled: (reservation, delivery, { committedAtUs, sequence }) => {
    const place = { sequence, atUs: committedAtUs };
    const moneyAnswer = answerOfAccount(delivery);
    if (moneyAnswer !== undefined) return consequencesOf(reservation, moneyAnswered(reservation, moneyAnswer, place));
    // What it told its identity and its resource needs no reaction.
    if (delivery.method !== 'TakePlaces') return { events: [] };
    return consequencesOf(reservation, placesAnswered(reservation, placesAnswer(delivery), place));
  },
};

function placesAnswer({ accepted, reason, answer }: SettledDelivery): Parameters<typeof placesAnswered>[1] {
  if (!accepted) return { kind: 'refused', reason };
  return { kind: reservationpb.PlacesAnswer.decode(answer).waiting ? 'queued' : 'taken' };
}

function answerBytes({ report, ...answer }: NumberAnswer): Uint8Array {
  return encodeMessage(reservationpb.NumberAnswer, { ...answer, report: reportToProto(report) });
}

function consequencesOf({ number }: Reservation, { events, owes, timer }: ReservationConsequences): Consequences<ReservationEvent> {
  const timers: TimerChange[] = [];
  if (timer?.dueAtUs === 0) timers.push({ kind: 'cancel', timerId: EXPIRY_TIMER });
  else if (timer !== undefined) {
    const payload = reservationpb.ExpireReservation.encode({ number }).finish();
    timers.push({ kind: 'set', timerId: EXPIRY_TIMER, dueAtUs: timer.dueAtUs, method: 'ExpireReservation', payload });
  }
  return { events, owes: owes.map(owedOf), timers };
}

function owedOf(owed: OwedByReservation): Owed {
  const { capability } = NUMBER;
  switch (owed.kind) {
    case 'takePlaces': {
      const { kind: _, ...places } = owed;
      return { capability, method: 'TakePlaces', key: owed.resourceId, payload: encodeMessage(reservationpb.TakePlaces, places) };
    }
    case 'givePlacesBack': {
      const { kind: _, ...places } = owed;
      return { capability, method: 'GivePlacesBack', key: owed.resourceId, payload: reservationpb.GivePlacesBack.encode(places).finish() };
    }
    case 'holdFunds':
    case 'releaseFunds':
    case 'captureFunds':
    case 'payFunds':
    case 'settleFunds':
      return owedMoney(owed);
    case 'numberChanged': {
      const { identityId, report } = owed;
      const payload = encodeMessage(reservationpb.NumberChanged, { identityId, report: reportToProto(report) });
      return { capability, method: 'NumberChanged', key: identityId, payload };
    }
    default:
      return owed satisfies never;
  }
}
