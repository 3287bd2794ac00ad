/** Rows of identities: what the buffer knows of its numbers and of its associate requests that are not over. */
import type { FieldValue, Row } from '@sluice/ports';
import { reservationEvents, reservationpb } from '@sluice/protocol/reservation';
import { changed, changesBy, evolveByStep, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { IDENTITY_AGGREGATE, RESERVATION_IDENTITIES } from './collections';
import { type HandlersOf, NUMBER_EVENTS_PASSED_OVER, RESOURCE_EVENTS_PASSED_OVER } from './event-kinds';
import type { StoredState } from './reservation-rows';
import { storedReservationState } from './stored-names';

export interface KnownNumber {
  readonly number: string;
  /** PENDING: also where the number has not answered yet. */
  readonly state: StoredState;
  readonly waiting: boolean;
  readonly version: number;
}

export interface IdentityState {
  /** Those that are not over, in order of reservation. */
  readonly numbers: readonly KnownNumber[];
  /** Those that are not over, by id: whether it is parked. */
  readonly associates: Readonly<Record<string, boolean>>;
  /** Empty: none was over. */
  readonly endedNumber: string;
  readonly endedState: StoredState | '';
  readonly endedReason: string;
}

const NEW_IDENTITY: IdentityState = { numbers: [], associates: {}, endedNumber: '', endedState: '', endedReason: '' };
const OVER: ReadonlySet<string> = new Set(['COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED']);

export function identityStateOf(row: Row): IdentityState {
  return {
    numbers: JSON.parse(row.numbers as string) as KnownNumber[],
    associates: Object.fromEntries(JSON.parse(row.associates as string) as [string, boolean][]),
    endedNumber: row.ended_number as string,
    endedState: row.ended_state as IdentityState['endedState'],
    endedReason: row.ended_reason as string,
  };
}

function rowOf({ numbers, associates, endedNumber, endedState, endedReason }: IdentityState, partition: number): Readonly<Record<string, FieldValue>> {
  return {
    partition,
    numbers: JSON.stringify(numbers),
    associates: JSON.stringify(Object.entries(associates)),
    ended_number: endedNumber,
    ended_state: endedState,
    ended_reason: endedReason,
  };
}

function reported({ numbers }: IdentityState, { number, state: proto, waiting, version, reason }: reservationpb.NumberReport): Partial<IdentityState> {
  if (!numbers.some((known) => known.number === number)) throw new Error(`it is told of ${number}, which it does not have`);
  const state = storedReservationState(proto) as StoredState;
  if (!OVER.has(state)) return { numbers: numbers.map((known) => (known.number === number ? { number, state, waiting, version } : known)) };
  return { numbers: numbers.filter((known) => known.number !== number), endedNumber: number, endedState: state, endedReason: reason };
}

function associateEnded({ numbers, associates }: IdentityState, event: reservationpb.AssociateEnded): Partial<IdentityState> {
  const { associateId, state, number, version } = event;
  const { [associateId]: _, ...left } = associates;
  if (state !== reservationpb.AssociateState.ASSOCIATE_STATE_ASSOCIATED) return { associates: left };
  const associated = (known: KnownNumber): KnownNumber =>
    known.number === number && version > known.version ? { number, state: 'ASSOCIATED', waiting: false, version } : known;
  return { associates: left, numbers: numbers.map(associated) };
}

/** The first event of an identity is that it is asked for a number or for an association. */
function began(identityId: string, fieldsOf: (before: IdentityState) => Partial<IdentityState>): RowChange<IdentityState> {
  return { key: identityId, step: (before = NEW_IDENTITY) => ({ ...before, ...fieldsOf(before) }) };
}

const CHANGES: HandlersOf<RowChange<IdentityState>> = {
  ...NUMBER_EVENTS_PASSED_OVER,
  ...RESOURCE_EVENTS_PASSED_OVER,
  NumberAsked: ({ identityId, number }) =>
    began(identityId, ({ numbers }) => ({ numbers: [...numbers, { number, state: 'PENDING', waiting: false, version: 0 }] })),
  NumberReported: ({ identityId, report }) => changed<IdentityState>(identityId, (before) => (report === undefined ? {} : reported(before, report))),
  AssociateTaken: ({ identityId, associateId }) => began(identityId, ({ associates }) => ({ associates: { ...associates, [associateId]: true } })),
  AssociateSent: ({ identityId, associateId }) =>
    changed<IdentityState>(identityId, ({ associates }) => ({ associates: { ...associates, [associateId]: false } })),
  AssociateParked: ({ identityId, associateId }) =>
    changed<IdentityState>(identityId, ({ associates }) => ({ associates: { ...associates, [associateId]: true } })),
  AssociateEnded: (event) => changed<IdentityState>(event.identityId, (before) => associateEnded(before, event)),
};

export const identityRows = projectedRows({
  aggregate: IDENTITY_AGGREGATE,
  collection: RESERVATION_IDENTITIES,
  read: changesBy(reservationEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: identityStateOf,
});
