/** The read collections of reservations: a row per number, resource, identity and associate request. */
import type { CollectionDefinition } from '@sluice/ports';

/** Names the projection, with its format: rows of two formats stand apart. */
export const RESERVATION_PROJECTION = { name: 'reservation', format: 1 } as const;

export const RESERVATIONS: CollectionDefinition = {
  name: 'reservations',
  key: 'number',
  fields: {
    number: 'text',
    partition: 'number',
    identity_id: 'text',
    /** PENDING, RESERVED, ASSOCIATED, COMPLETED, REJECTED, CANCELLED or EXPIRED. */
    state: 'text',
    /** Why it was rejected; empty unless it was. */
    reason: 'text',
    /** Empty: none. */
    resource_id: 'text',
    places: 'number',
    /** ASKED, WAITING, HELD or GIVEN_BACK; empty: it has none. */
    place_state: 'text',
    /** 0: never. */
    expires_at_us: 'number',
    /** sluice.reservation.v1.MoneyHold; null: it asked for none. */
    money: 'bytes',
    /** ASKED, HELD, RELEASED, CAPTURING, CAPTURED, PAID or RETURNED; empty: it has none. */
    money_state: 'text',
    /** Why the payee did not take it; empty: it did not refuse. */
    money_reason: 'text',
    reserved_at_us: 'number',
    /** 0: it was not. */
    associated_at_us: 'number',
    /** 0: it is not over. */
    ended_at_us: 'number',
    note: 'text',
    associated_note: 'text',
    ended_note: 'text',
    version: 'number',
    sequence: 'number',
  },
  indexes: {
    by_identity: ['identity_id', 'reserved_at_us'],
    by_resource: ['resource_id', 'reserved_at_us'],
    by_state: ['state', 'reserved_at_us'],
    by_time: ['reserved_at_us'],
    by_partition: ['partition'],
  },
  guard: 'sequence',
};

export const RESERVATION_RESOURCES: CollectionDefinition = {
  name: 'reservation_resources',
  key: 'resource_id',
  fields: {
    resource_id: 'text',
    partition: 'number',
    capacity: 'number',
    taken: 'number',
    /** Numbers on its waiting list. */
    waiting_count: 'number',
    /** Places that these want. */
    waiting_places: 'number',
    capacity_set_at_us: 'number',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const RESERVATION_IDENTITIES: CollectionDefinition = {
  name: 'reservation_identities',
  key: 'identity_id',
  fields: {
    identity_id: 'text',
    partition: 'number',
    /** Numbers that are not over, in order of reservation: number, state, whether it waits, version; JSON. */
    numbers: 'text',
    /** Associate requests that are not over: id, and whether it is parked; JSON. */
    associates: 'text',
    /** The number that was over last; empty: none was. */
    ended_number: 'text',
    ended_state: 'text',
    ended_reason: 'text',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const RESERVATION_ASSOCIATES: CollectionDefinition = {
  name: 'reservation_associates',
  key: 'associate_key',
  fields: {
    associate_key: 'text',
    partition: 'number',
    identity_id: 'text',
    /** "r/" and the caller's id, or "n/" and the number that it is passed on from. */
    associate_id: 'text',
    /** The number that it names, then the one that it was applied to; empty: none. */
    number: 'text',
    /** PARKED, PENDING, ASSOCIATED, REJECTED or EXPIRED. */
    state: 'text',
    /** Why it was not applied. */
    reason: 'text',
    accepted_at_us: 'number',
    parked_until_us: 'number',
    /** 0: it is not over. */
    ended_at_us: 'number',
    note: 'text',
    sequence: 'number',
  },
  indexes: {
    by_identity: ['identity_id', 'state', 'accepted_at_us'],
    by_state: ['state', 'accepted_at_us'],
    by_partition: ['partition'],
  },
  guard: 'sequence',
};

/** Kinds of aggregates by which rows are set aside. */
export const NUMBER_AGGREGATE = 'number';
export const RESOURCE_AGGREGATE = 'resource';
export const IDENTITY_AGGREGATE = 'identity';
export const ASSOCIATE_AGGREGATE = 'associate';

/** How many UTF-16 units the identity has keeps two pairs of ids apart. */
export function associateKeyOf(identityId: string, associateId: string): string {
  return `${identityId.length}/${identityId}/${associateId}`;
}

/** The identity of the key of an associate request; what is no such key is its own. */
export function identityOfAssociateKey(key: string): string {
  const length = /^(\d+)\//.exec(key)?.[1];
  return length === undefined ? key : key.slice(length.length + 1, length.length + 1 + Number(length));
}
