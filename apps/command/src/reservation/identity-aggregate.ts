/** The identity as an aggregate of the engine: the buffer of its numbers and of its associate requests. */
import {
  associateAnswered,
  decideIdentity,
  evolveIdentity,
  newIdentity,
  reserveAnswered,
  type Identity,
  type IdentityCommand,
  type IdentityConsequences,
  type IdentityEvent,
  type NumberAnswer,
  type OwedByIdentity,
} from '@sluice/domain/reservation';
import type { AggregateDefinition, Consequences, Decision, DecisionContext, Owed, SettledDelivery, TimerChange } from '@sluice/engine';
import { encodeMessage } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import { identityEventCodec } from './identity-event-codec';
import { associateMessage, continueAssociatingMessage, expireParkedMessage, numberChangedMessage, reserveMessage } from './identity-messages';
import { parkedOf } from './reservation-meter';
import { IDENTITY, NUMBER, reportFromProto } from './reservation-names';
import { identityRecord } from './reservation-records';

/** Set again it is replaced: one is enough. */
const CONTINUE_TIMER = 'continue';
const UNTOLD = { reason: '', repeated: false, positionToken: '' };
const RESERVE_REPLY = reservationpb.ReserveResponse.encode({
  ...UNTOLD,
  state: reservationpb.ReservationState.RESERVATION_STATE_PENDING,
  waiting: false,
}).finish();
const ASSOCIATE_REPLY = reservationpb.AssociateResponse.encode({
  ...UNTOLD,
  state: reservationpb.AssociateState.ASSOCIATE_STATE_PENDING,
  number: '',
}).finish();

/** Told of what happens to identities. It must not throw. */
export interface IdentityListener {
  /** It is durable. */
  happened(identityId: string, events: readonly IdentityEvent[], sequence: number): void;
  /** Before it changes the identity. @returns what to call when it is durable. */
  counting?(identity: Identity, events: readonly IdentityEvent[]): () => void;
}

export const identityAggregate = (listener: IdentityListener): AggregateDefinition<Identity, IdentityCommand, IdentityEvent> => ({
  ...IDENTITY,
  record: identityRecord,
  events: identityEventCodec,
  commands: {
    Reserve: reserveMessage,
    Associate: associateMessage,
    NumberChanged: numberChangedMessage,
    ExpireParked: expireParkedMessage,
    ContinueAssociating: continueAssociatingMessage,
  },
  initialState: newIdentity,
  decide: (identity, command, context): Decision<IdentityEvent> => {
    const decision = decideIdentity(identity, command, context.committedAtUs);
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: decision.recorded };
    const reply = replyOf(command);
    return { accepted: true, ...consequencesOf(identity, decision, context, listener), ...(reply === undefined ? undefined : { reply }) };
  },
  evolve: evolveIdentity,
  total: parkedOf,
  settled: (identity, delivery, context) => consequencesOf(identity, answered(identity, delivery, context.committedAtUs), context, listener),
});

function replyOf({ kind }: IdentityCommand): Uint8Array | undefined {
  if (kind === 'reserveNumber') return RESERVE_REPLY;
  return kind === 'takeAssociate' ? ASSOCIATE_REPLY : undefined;
}

function answered(identity: Identity, { method, payload, answer, accepted, reason }: SettledDelivery, atUs: number): IdentityConsequences {
  if (!accepted) throw new Error(`a number refused ${method}: ${reason}`);
  const numberAnswer = answerFromProto(reservationpb.NumberAnswer.decode(answer));
  switch (method) {
    case 'ReserveNumber':
      return reserveAnswered(identity, numberAnswer, atUs);
    case 'AssociateNumber':
      return associateAnswered(identity, reservationpb.AssociateNumber.decode(payload).associateId, numberAnswer, atUs);
    default:
      throw new Error(`identities owe no ${method}`);
  }
}

function answerFromProto({ otherIdentity, associated, report }: reservationpb.NumberAnswer): NumberAnswer {
  return { otherIdentity, associated, report: reportFromProto(report) };
}

function consequencesOf(
  identity: Identity,
  { events, owes, timers, goOn }: IdentityConsequences,
  { committedAtUs, sequence }: DecisionContext,
  listener: IdentityListener,
): Consequences<IdentityEvent> {
  const { identityId } = identity;
  const count = listener.counting?.(identity, events);
  const changes: TimerChange[] = timers.map(({ associateId, dueAtUs }) => {
    const timerId = `parked/${associateId}`;
    if (dueAtUs === 0) return { kind: 'cancel', timerId };
    return { kind: 'set', timerId, dueAtUs, method: 'ExpireParked', payload: reservationpb.ExpireParked.encode({ identityId, associateId }).finish() };
  });
  if (goOn) {
    const payload = reservationpb.ContinueAssociating.encode({ identityId }).finish();
    changes.push({ kind: 'set', timerId: CONTINUE_TIMER, dueAtUs: committedAtUs, method: 'ContinueAssociating', payload });
  }
  const handOut = (): void => {
    count?.();
    listener.happened(identityId, events, sequence);
  };
  return { events, owes: owes.map(owedOf), timers: changes, handOut };
}

function owedOf(owed: OwedByIdentity): Owed {
  const to = { capability: NUMBER.capability, key: owed.number, wholeKey: true };
  switch (owed.kind) {
    case 'reserve': {
      const { kind: _, expiresAtUs, ...terms } = owed;
      const payload = encodeMessage(reservationpb.ReserveNumber, { ...terms, expiresAtUs: BigInt(expiresAtUs) });
      return { ...to, method: 'ReserveNumber', payload };
    }
    case 'associate': {
      const { kind: _, ...associate } = owed;
      return { ...to, method: 'AssociateNumber', payload: encodeMessage(reservationpb.AssociateNumber, associate) };
    }
    default:
      return owed satisfies never;
  }
}
