/** Events of identities between the log and the domain. */
import type { IdentityEvent } from '@sluice/domain/reservation';
import type { EventCodec } from '@sluice/engine';
import type { EventRecord } from '@sluice/protocol';
import { reservationEvents } from '@sluice/protocol/reservation';
import { ofAnotherKind, type ReadingOf } from './event-reading';
import { endedStateFromProto, endedStateToProto, reportFromProto, reportToProto } from './reservation-names';

export const identityEventCodec: EventCodec<IdentityEvent> = {
  write: writeEvent,
  read: (event, place) => reservationEvents.read(event, place, reading, undefined),
};

function writeEvent(event: IdentityEvent, identityId: string): EventRecord {
  switch (event.kind) {
    case 'numberAsked':
      return reservationEvents.record('NumberAsked', { identityId, number: event.number, requestId: event.requestId });
    case 'numberReported':
      return reservationEvents.record('NumberReported', { identityId, report: reportToProto(event.report) });
    case 'associateTaken': {
      const { associateId, number, parkedUntilUs, note } = event;
      return reservationEvents.record('AssociateTaken', { identityId, associateId, number, parkedUntilUs: BigInt(parkedUntilUs), note });
    }
    case 'associateSent':
      return reservationEvents.record('AssociateSent', { identityId, associateId: event.associateId, number: event.number });
    case 'associateParked':
      return reservationEvents.record('AssociateParked', { identityId, associateId: event.associateId });
    case 'associateEnded': {
      const { associateId, state, number, reason, version, sequence } = event;
      const ended = { identityId, associateId, state: endedStateToProto(state), number, reason, version, sequence: BigInt(sequence) };
      return reservationEvents.record('AssociateEnded', ended);
    }
    default:
      return event satisfies never;
  }
}

const reading: ReadingOf<IdentityEvent> = {
  ...ofAnotherKind,
  NumberAsked: ({ number, requestId }) => ({ kind: 'numberAsked', number, requestId }),
  NumberReported: ({ report }) => ({ kind: 'numberReported', report: reportFromProto(report) }),
  AssociateTaken: ({ associateId, number, parkedUntilUs, note }) => ({
    kind: 'associateTaken',
    ...{ associateId, number, parkedUntilUs: Number(parkedUntilUs), note },
  }),
  AssociateSent: ({ associateId, number }) => ({ kind: 'associateSent', associateId, number }),
  AssociateParked: ({ associateId }) => ({ kind: 'associateParked', associateId }),
  AssociateEnded: ({ associateId, state, number, reason, version, sequence }) => ({
    kind: 'associateEnded',
    ...{ associateId, state: endedStateFromProto(state), number, reason, version, sequence: Number(sequence) },
  }),
};
