/**
 * What a resource decides. A number asks for places once, and gives them back once: that is the reservation's to see to, so that the resource
 * keeps a count, and no list of the numbers that have places.
 */
import { refused, type Refusal } from './reservation-rejection';
import type { Resource, ResourceEvent } from './resource';

/** Reservations on a waiting list. */
export const MAXIMUM_WAITING = 10_000;
/** Numbers of the waiting list that get places by one step; a timer goes on. */
export const GRANTS_PER_STEP = 64;
/** The same where places are given back: many of that may be decided in one turn. */
const GRANTS_PER_RETURN = 2;

export type ResourceCommand =
  | { readonly kind: 'setCapacity'; readonly capacity: number }
  | { readonly kind: 'takePlaces'; readonly number: string; readonly places: number; readonly waitForPlace: boolean }
  | { readonly kind: 'givePlacesBack'; readonly number: string; readonly places: number }
  /** Of its timer. */
  | { readonly kind: 'grantPlaces' };

export interface ResourceAcceptance {
  readonly accepted: true;
  readonly events: readonly ResourceEvent[];
  /** Numbers that got the places that they waited for. */
  readonly granted: readonly string[];
  /** The waiting list is not done. */
  readonly goOn: boolean;
  /** After it. */
  readonly taken: number;
  readonly waitingCount: number;
}

export type ResourceDecision = ResourceAcceptance | Refusal;

export function decideResource(resource: Resource, command: ResourceCommand): ResourceDecision {
  switch (command.kind) {
    case 'setCapacity': {
      const { capacity } = command;
      if (capacity < resource.taken) return refused('RESERVATION_CAPACITY_TAKEN');
      return granting({ ...resource, capacity }, [{ kind: 'capacitySet', capacity }], GRANTS_PER_STEP);
    }
    case 'takePlaces':
      return decideTake(resource, command);
    case 'givePlacesBack': {
      const { number, places } = command;
      const waited = resource.waiting.has(number);
      const taken = waited ? resource.taken : resource.taken - places;
      return granting({ ...resource, taken }, [{ kind: 'placesReturned', number, places, waited, taken }], GRANTS_PER_RETURN, number);
    }
    case 'grantPlaces':
      return granting(resource, [], GRANTS_PER_STEP);
    default:
      return command satisfies never;
  }
}

function decideTake(
  { capacity, taken, waiting }: Resource,
  { number, places, waitForPlace }: Extract<ResourceCommand, { kind: 'takePlaces' }>,
): ResourceDecision {
  if (capacity === 0) return refused('RESERVATION_RESOURCE_NOT_FOUND');
  const plain = { accepted: true, granted: [], goOn: false } as const;
  // Not past those that wait.
  if (taken + places <= capacity && !someWait(waiting, capacity))
    return { ...plain, events: [{ kind: 'placesTaken', number, places, taken: taken + places }], taken: taken + places, waitingCount: waiting.size };
  if (!waitForPlace || places > capacity) return refused('RESERVATION_RESOURCE_FULL');
  if (waiting.size >= MAXIMUM_WAITING) return refused('RESERVATION_WAITING_LIST_FULL');
  return { ...plain, events: [{ kind: 'placesQueued', number, places }], taken, waitingCount: waiting.size + 1 };
}

/** Whether a number waits that the resource can ever hold: those that want more than a capacity that was lowered are passed over until it is raised. */
function someWait(waiting: Resource['waiting'], capacity: number): boolean {
  for (const places of waiting.values()) if (places <= capacity) return true;
  return false;
}

/** Gives places to the first of the waiting list, in order of arrival, while they fit. @param leaving a number that is not to be looked at. */
function granting({ capacity, taken: before, waiting }: Resource, events: readonly ResourceEvent[], most: number, leaving?: string): ResourceAcceptance {
  const all = [...events];
  const granted: string[] = [];
  let taken = before;
  let goOn = false;
  for (const [number, places] of waiting) {
    if (number === leaving || places > capacity) continue;
    if (taken + places > capacity) break;
    if (granted.length === most) {
      goOn = true;
      break;
    }
    taken += places;
    granted.push(number);
    all.push({ kind: 'placesGranted', number, places, taken });
  }
  const left = leaving !== undefined && waiting.has(leaving) ? 1 : 0;
  return { accepted: true, events: all, granted, goOn, taken, waitingCount: waiting.size - left - granted.length };
}
