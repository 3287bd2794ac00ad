/** Events of numbers between the log and the domain. */
import type { ReservationEvent } from '@sluice/domain/reservation';
import type { EventCodec } from '@sluice/engine';
import type { EventRecord } from '@sluice/protocol';
import { reservationEvents } from '@sluice/protocol/reservation';
import { ofAnotherKind, type ReadingOf } from './event-reading';

export const numberEventCodec: EventCodec<ReservationEvent> = {
  write: writeEvent,
  read: (event, place) => reservationEvents.read(event, place, reading, undefined),
};

function writeEvent(event: ReservationEvent, number: string): EventRecord {
  switch (event.kind) {
    case 'numberReserved': {
      const { identityId, resourceId, places, waitForPlace, expiresAtUs, note, money } = event;
      const terms = { identityId, resourceId, places, waitForPlace, expiresAtUs: BigInt(expiresAtUs), note, money };
      return reservationEvents.record('NumberReserved', { number, ...terms });
    }
    case 'placeAwaited':
      return reservationEvents.record('PlaceAwaited', { number });
    case 'placeObtained':
      return reservationEvents.record('PlaceObtained', { number, pending: event.pending });
    case 'moneyHeld':
      return reservationEvents.record('MoneyHeld', { number, pending: event.pending });
    case 'rejected':
      return reservationEvents.record('ReservationRejected', { number, reason: event.reason, byAccount: event.byAccount });
    case 'associated':
      return reservationEvents.record('ReservationAssociated', { number, associateId: event.associateId, note: event.note });
    case 'completed':
      return reservationEvents.record('ReservationCompleted', { number, note: event.note });
    case 'cancelled':
      return reservationEvents.record('ReservationCancelled', { number, note: event.note });
    case 'expired':
      return reservationEvents.record('ReservationExpired', { number });
    case 'holdExtended':
      return reservationEvents.record('HoldExtended', { number, expiresAtUs: BigInt(event.expiresAtUs) });
    case 'latePlacesReturned':
      return reservationEvents.record('LatePlacesReturned', { number });
    case 'lateMoneyReleased':
      return reservationEvents.record('LateMoneyReleased', { number });
    case 'moneyCaptured':
      return reservationEvents.record('MoneyCaptured', { number });
    case 'moneyPaid':
      return reservationEvents.record('MoneyPaid', { number });
    case 'moneyReturned':
      return reservationEvents.record('MoneyReturned', { number, reason: event.reason });
    default:
      return event satisfies never;
  }
}

const reading: ReadingOf<ReservationEvent> = {
  ...ofAnotherKind,
  NumberReserved: ({ identityId, resourceId, places, waitForPlace, expiresAtUs, note, money }) => ({
    kind: 'numberReserved',
    ...{ identityId, resourceId, places, waitForPlace, expiresAtUs: Number(expiresAtUs), note, money },
  }),
  PlaceAwaited: () => ({ kind: 'placeAwaited' }),
  PlaceObtained: ({ pending }) => ({ kind: 'placeObtained', pending }),
  MoneyHeld: ({ pending }) => ({ kind: 'moneyHeld', pending }),
  ReservationRejected: ({ reason, byAccount }) => ({ kind: 'rejected', reason, byAccount }),
  ReservationAssociated: ({ associateId, note }) => ({ kind: 'associated', associateId, note }),
  ReservationCompleted: ({ note }) => ({ kind: 'completed', note }),
  ReservationCancelled: ({ note }) => ({ kind: 'cancelled', note }),
  ReservationExpired: () => ({ kind: 'expired' }),
  HoldExtended: ({ expiresAtUs }) => ({ kind: 'holdExtended', expiresAtUs: Number(expiresAtUs) }),
  LatePlacesReturned: () => ({ kind: 'latePlacesReturned' }),
  LateMoneyReleased: () => ({ kind: 'lateMoneyReleased' }),
  MoneyCaptured: () => ({ kind: 'moneyCaptured' }),
  MoneyPaid: () => ({ kind: 'moneyPaid' }),
  MoneyReturned: ({ reason }) => ({ kind: 'moneyReturned', reason }),
};
