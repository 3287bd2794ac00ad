/** Rows of resources: capacity, places that are taken, and how many wait. */
import type { FieldValue, Row } from '@sluice/ports';
import { reservationEvents } from '@sluice/protocol/reservation';
import { changed, changesBy, evolveByStep, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { RESERVATION_RESOURCES, RESOURCE_AGGREGATE } from './collections';
import { type HandlersOf, IDENTITY_EVENTS_PASSED_OVER, NUMBER_EVENTS_PASSED_OVER } from './event-kinds';

export interface ResourceState {
  readonly capacity: number;
  readonly taken: number;
  readonly waitingCount: number;
  readonly waitingPlaces: number;
  readonly capacitySetAtUs: number;
}

export function resourceStateOf(row: Row): ResourceState {
  return {
    capacity: row.capacity as number,
    taken: row.taken as number,
    waitingCount: row.waiting_count as number,
    waitingPlaces: row.waiting_places as number,
    capacitySetAtUs: row.capacity_set_at_us as number,
  };
}

function rowOf({ capacity, taken, waitingCount, waitingPlaces, capacitySetAtUs }: ResourceState, partition: number): Readonly<Record<string, FieldValue>> {
  return { partition, capacity, taken, waiting_count: waitingCount, waiting_places: waitingPlaces, capacity_set_at_us: capacitySetAtUs };
}

/** A number is on the waiting list no longer. */
function leaves({ waitingCount, waitingPlaces }: ResourceState, places: number): Partial<ResourceState> {
  if (waitingCount === 0) throw new Error('a number leaves a waiting list that is empty');
  return { waitingCount: waitingCount - 1, waitingPlaces: waitingPlaces - places };
}

const CHANGES: HandlersOf<RowChange<ResourceState>> = {
  ...IDENTITY_EVENTS_PASSED_OVER,
  ...NUMBER_EVENTS_PASSED_OVER,
  CapacitySet: ({ resourceId, capacity }) => ({
    key: resourceId,
    step: (before, atUs) => ({ taken: 0, waitingCount: 0, waitingPlaces: 0, ...before, capacity: Number(capacity), capacitySetAtUs: atUs }),
  }),
  PlacesTaken: ({ resourceId, taken }) => changed<ResourceState>(resourceId, () => ({ taken: Number(taken) })),
  PlacesQueued: ({ resourceId, places }) =>
    changed<ResourceState>(resourceId, ({ waitingCount, waitingPlaces }) => ({ waitingCount: waitingCount + 1, waitingPlaces: waitingPlaces + places })),
  PlacesGranted: ({ resourceId, places, taken }) => changed<ResourceState>(resourceId, (before) => ({ ...leaves(before, places), taken: Number(taken) })),
  PlacesReturned: ({ resourceId, places, waited, taken }) =>
    changed<ResourceState>(resourceId, (before) => ({ ...(waited ? leaves(before, places) : undefined), taken: Number(taken) })),
};

export const resourceRows = projectedRows({
  aggregate: RESOURCE_AGGREGATE,
  collection: RESERVATION_RESOURCES,
  read: changesBy(reservationEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: resourceStateOf,
});
