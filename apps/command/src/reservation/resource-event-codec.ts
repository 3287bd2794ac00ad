/** Events of resources between the log and the domain. */
import type { ResourceEvent } from '@sluice/domain/reservation';
import type { EventCodec } from '@sluice/engine';
import type { EventRecord } from '@sluice/protocol';
import { reservationEvents } from '@sluice/protocol/reservation';
import { ofAnotherKind, type ReadingOf } from './event-reading';

export const resourceEventCodec: EventCodec<ResourceEvent> = {
  write: writeEvent,
  read: (event, place) => reservationEvents.read(event, place, reading, undefined),
};

function writeEvent(event: ResourceEvent, resourceId: string): EventRecord {
  switch (event.kind) {
    case 'capacitySet':
      return reservationEvents.record('CapacitySet', { resourceId, capacity: BigInt(event.capacity) });
    case 'placesTaken':
    case 'placesGranted': {
      const { number, places, taken } = event;
      const name = event.kind === 'placesTaken' ? 'PlacesTaken' : 'PlacesGranted';
      return reservationEvents.record(name, { resourceId, number, places, taken: BigInt(taken) });
    }
    case 'placesQueued':
      return reservationEvents.record('PlacesQueued', { resourceId, number: event.number, places: event.places });
    case 'placesReturned': {
      const { number, places, waited, taken } = event;
      return reservationEvents.record('PlacesReturned', { resourceId, number, places, waited, taken: BigInt(taken) });
    }
    default:
      return event satisfies never;
  }
}

const reading: ReadingOf<ResourceEvent> = {
  ...ofAnotherKind,
  CapacitySet: ({ capacity }) => ({ kind: 'capacitySet', capacity: Number(capacity) }),
  PlacesTaken: ({ number, places, taken }) => ({ kind: 'placesTaken', number, places, taken: Number(taken) }),
  PlacesQueued: ({ number, places }) => ({ kind: 'placesQueued', number, places }),
  PlacesGranted: ({ number, places, taken }) => ({ kind: 'placesGranted', number, places, taken: Number(taken) }),
  PlacesReturned: ({ number, places, waited, taken }) => ({ kind: 'placesReturned', number, places, waited, taken: Number(taken) }),
};
