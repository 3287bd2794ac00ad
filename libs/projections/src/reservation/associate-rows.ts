/** Rows of associate requests: where each stands. */
import type { FieldValue, Row } from '@sluice/ports';
import { reservationEvents } from '@sluice/protocol/reservation';
import { changed, changesBy, evolveByStep, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { ASSOCIATE_AGGREGATE, associateKeyOf, RESERVATION_ASSOCIATES } from './collections';
import { type HandlersOf, IDENTITY_EVENTS_PASSED_OVER, NUMBER_EVENTS_PASSED_OVER, RESOURCE_EVENTS_PASSED_OVER } from './event-kinds';
import { storedAssociateState } from './stored-names';

export interface AssociateState {
  readonly identityId: string;
  readonly associateId: string;
  /** The number that it names, then the one that it was applied to; empty: none. */
  readonly number: string;
  /** PARKED, PENDING, ASSOCIATED, REJECTED or EXPIRED. */
  readonly state: string;
  readonly reason: string;
  readonly acceptedAtUs: number;
  readonly parkedUntilUs: number;
  /** 0: it is not over. */
  readonly endedAtUs: number;
  readonly note: string;
}

export function associateStateOf(row: Row): AssociateState {
  return {
    identityId: row.identity_id as string,
    associateId: row.associate_id as string,
    number: row.number as string,
    state: row.state as string,
    reason: row.reason as string,
    acceptedAtUs: row.accepted_at_us as number,
    parkedUntilUs: row.parked_until_us as number,
    endedAtUs: row.ended_at_us as number,
    note: row.note as string,
  };
}

function rowOf(state: AssociateState, partition: number): Readonly<Record<string, FieldValue>> {
  return {
    partition,
    identity_id: state.identityId,
    associate_id: state.associateId,
    number: state.number,
    state: state.state,
    reason: state.reason,
    accepted_at_us: state.acceptedAtUs,
    parked_until_us: state.parkedUntilUs,
    ended_at_us: state.endedAtUs,
    note: state.note,
  };
}

interface OfAssociate {
  readonly identityId: string;
  readonly associateId: string;
}

function next(
  { identityId, associateId }: OfAssociate,
  fieldsOf: (before: AssociateState, atUs: number) => Partial<AssociateState>,
): RowChange<AssociateState> {
  return changed(associateKeyOf(identityId, associateId), fieldsOf);
}

const CHANGES: HandlersOf<RowChange<AssociateState>> = {
  ...NUMBER_EVENTS_PASSED_OVER,
  ...RESOURCE_EVENTS_PASSED_OVER,
  ...IDENTITY_EVENTS_PASSED_OVER,
  // A request that is passed on may be taken again under the name that an earlier one had.
  AssociateTaken: ({ identityId, associateId, number, parkedUntilUs, note }) => ({
    key: associateKeyOf(identityId, associateId),
    step: (_before, atUs) => ({
      ...{ identityId, associateId, number, note },
      ...{ state: 'PARKED', reason: '', acceptedAtUs: atUs, parkedUntilUs: Number(parkedUntilUs), endedAtUs: 0 },
    }),
  }),
  AssociateSent: (event) => next(event, () => ({ state: 'PENDING' })),
  AssociateParked: (event) => next(event, () => ({ state: 'PARKED' })),
  AssociateEnded: (event) =>
    next(event, ({ number }, atUs) => ({
      state: storedAssociateState(event.state),
      number: event.number === '' ? number : event.number,
      reason: event.reason,
      endedAtUs: atUs,
    })),
};

export const associateRows = projectedRows({
  aggregate: ASSOCIATE_AGGREGATE,
  collection: RESERVATION_ASSOCIATES,
  read: changesBy(reservationEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: associateStateOf,
});
