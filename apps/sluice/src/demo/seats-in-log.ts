/** What the log says of the seats of a rush: how many were taken at most, and whether each that came free went to the first that waited. */
import type { EventView } from '@sluice/client';
import { reservationEvents } from '@sluice/protocol/reservation';

const { type: PLACES_TAKEN } = reservationEvents.written('PlacesTaken');
const { type: PLACES_GRANTED } = reservationEvents.written('PlacesGranted');
const { type: PLACES_QUEUED } = reservationEvents.written('PlacesQueued');
const { type: PLACES_RETURNED } = reservationEvents.written('PlacesReturned');

export interface SeatsInLog {
  /** At any moment. */
  readonly mostTaken: number;
  /** Taken at the end. */
  readonly taken: number;
  readonly returned: number;
  /** Numbers that waited and got a seat, in this order. */
  readonly granted: readonly string[];
  /** Still waiting, in order of arrival. */
  readonly waiting: readonly string[];
  /** What contradicts: a seat that was given past one that waited, or a count that is another one's. */
  readonly contradictions: readonly string[];
}

interface SeatEvent {
  readonly resourceId: string;
  readonly number: string;
  readonly places: number;
  readonly waited?: boolean;
  /** A number of 64 bits, which stands as text. */
  readonly taken?: string;
}

/** @param events of the partition of the resource, from before its first one on. */
export function seatsInLog(events: Iterable<EventView>, resourceId: string): SeatsInLog {
  const granted: string[] = [];
  const contradictions: string[] = [];
  let waiting: string[] = [];
  let taken = 0;
  let mostTaken = 0;
  let returned = 0;
  for (const { type, event } of events) {
    const { number, places, waited = false, taken: said = '0', resourceId: of } = (event ?? {}) as SeatEvent;
    if (of !== resourceId) continue;
    switch (type) {
      case PLACES_TAKEN:
        if (waiting.length > 0) contradictions.push(`${number} got a seat past ${waiting.length} that waited`);
        taken += places;
        break;
      case PLACES_GRANTED:
        if (waiting[0] !== number) contradictions.push(`${number} got a seat before ${waiting[0] ?? 'it waited'}`);
        waiting = waiting.filter((one) => one !== number);
        granted.push(number);
        taken += places;
        break;
      case PLACES_QUEUED:
        waiting.push(number);
        continue;
      case PLACES_RETURNED:
        if (waited) waiting = waiting.filter((one) => one !== number);
        else {
          taken -= places;
          returned += 1;
        }
        break;
      default:
        continue;
    }
    if (Number(said) !== taken) contradictions.push(`${said} seats are taken after ${type} of ${number}, by the events before ${taken}`);
    mostTaken = Math.max(mostTaken, taken);
  }
  return { mostTaken, taken, returned, granted, waiting, contradictions };
}
