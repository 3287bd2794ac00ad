/** A resource: so many places, how many are taken, and who waits for some. */
export interface Resource {
  readonly resourceId: string;
  /** 0: it was never set. */
  capacity: number;
  taken: number;
  /** Places that each number on the waiting list wants, in order of arrival. */
  waiting: Map<string, number>;
}

export type ResourceEvent =
  | { readonly kind: 'capacitySet'; readonly capacity: number }
  | { readonly kind: 'placesTaken' | 'placesGranted'; readonly number: string; readonly places: number; readonly taken: number }
  | { readonly kind: 'placesQueued'; readonly number: string; readonly places: number }
  /** `waited`: it was on the waiting list and had none. */
  | { readonly kind: 'placesReturned'; readonly number: string; readonly places: number; readonly waited: boolean; readonly taken: number };

export function newResource(resourceId: string): Resource {
  return { resourceId, capacity: 0, taken: 0, waiting: new Map() };
}

/** Changes the resource in place. Throws for an event that cannot follow. */
export function evolveResource(resource: Resource, event: ResourceEvent): Resource {
  switch (event.kind) {
    case 'capacitySet':
      resource.capacity = event.capacity;
      break;
    case 'placesTaken':
      resource.taken = event.taken;
      break;
    case 'placesQueued':
      resource.waiting.set(event.number, event.places);
      break;
    case 'placesGranted':
      if (!resource.waiting.delete(event.number)) throw new Error(`${event.number} got places that it did not wait for`);
      resource.taken = event.taken;
      break;
    case 'placesReturned':
      if (event.waited && !resource.waiting.delete(event.number)) throw new Error(`${event.number} left a waiting list that it was not on`);
      resource.taken = event.taken;
      break;
    default:
      return event satisfies never;
  }
  if (resource.taken < 0 || resource.taken > resource.capacity) throw new Error(`${resource.taken} of ${resource.capacity} places cannot be taken`);
  return resource;
}
