/**
 * What rows of reservations must say, folded from the log once more by the aggregates that wrote it: the domain's states say what rows are compared
 * with, and no row's own step is used.
 */
import {
  evolveIdentity,
  evolveReservation,
  evolveResource,
  type Identity,
  type IdentityEvent,
  newIdentity,
  newReservation,
  newResource,
  type NumberReport,
  type Reservation,
  type ReservationEvent,
  type ReservationState,
  type Resource,
  type ResourceEvent,
} from '@sluice/domain/reservation';
import type { DecodedCommit } from '@sluice/protocol';
import { reservationEvents, reservationpb } from '@sluice/protocol/reservation';
import { readerBy } from '../row-change';
import { rowKind, verifyRows } from '../row-verification';
import {
  ASSOCIATE_AGGREGATE,
  associateKeyOf,
  IDENTITY_AGGREGATE,
  identityOfAssociateKey,
  NUMBER_AGGREGATE,
  RESERVATION_ASSOCIATES,
  RESERVATION_IDENTITIES,
  RESERVATION_RESOURCES,
  RESERVATIONS,
  RESOURCE_AGGREGATE,
} from './collections';
import { type HandlersOf, IDENTITY_EVENTS_PASSED_OVER, NUMBER_EVENTS_PASSED_OVER, RESOURCE_EVENTS_PASSED_OVER } from './event-kinds';

/** An event of an aggregate, in the form of the domain. */
type OfKey<Event> = readonly [key: string, event: Event];
type EndState = Extract<IdentityEvent, { kind: 'associateEnded' }>['state'];

const NUMBER_EVENTS: HandlersOf<OfKey<ReservationEvent>> = {
  ...IDENTITY_EVENTS_PASSED_OVER,
  ...RESOURCE_EVENTS_PASSED_OVER,
  NumberReserved: ({ number, expiresAtUs, ...terms }) => [number, { kind: 'numberReserved', ...terms, expiresAtUs: Number(expiresAtUs) }],
  PlaceAwaited: ({ number }) => [number, { kind: 'placeAwaited' }],
  PlaceObtained: ({ number, pending }) => [number, { kind: 'placeObtained', pending }],
  MoneyHeld: ({ number, pending }) => [number, { kind: 'moneyHeld', pending }],
  ReservationRejected: ({ number, reason, byAccount }) => [number, { kind: 'rejected', reason, byAccount }],
  ReservationAssociated: ({ number, associateId, note }) => [number, { kind: 'associated', associateId, note }],
  ReservationCompleted: ({ number, note }) => [number, { kind: 'completed', note }],
  ReservationCancelled: ({ number, note }) => [number, { kind: 'cancelled', note }],
  ReservationExpired: ({ number }) => [number, { kind: 'expired' }],
  HoldExtended: ({ number, expiresAtUs }) => [number, { kind: 'holdExtended', expiresAtUs: Number(expiresAtUs) }],
  LatePlacesReturned: ({ number }) => [number, { kind: 'latePlacesReturned' }],
  LateMoneyReleased: ({ number }) => [number, { kind: 'lateMoneyReleased' }],
  MoneyCaptured: ({ number }) => [number, { kind: 'moneyCaptured' }],
  MoneyPaid: ({ number }) => [number, { kind: 'moneyPaid' }],
  MoneyReturned: ({ number, reason }) => [number, { kind: 'moneyReturned', reason }],
};

const RESOURCE_EVENTS: HandlersOf<OfKey<ResourceEvent>> = {
  ...IDENTITY_EVENTS_PASSED_OVER,
  ...NUMBER_EVENTS_PASSED_OVER,
  CapacitySet: ({ resourceId, capacity }) => [resourceId, { kind: 'capacitySet', capacity: Number(capacity) }],
  PlacesTaken: ({ resourceId, number, places, taken }) => [resourceId, { kind: 'placesTaken', number, places, taken: Number(taken) }],
  PlacesQueued: ({ resourceId, number, places }) => [resourceId, { kind: 'placesQueued', number, places }],
  PlacesGranted: ({ resourceId, number, places, taken }) => [resourceId, { kind: 'placesGranted', number, places, taken: Number(taken) }],
  PlacesReturned: ({ resourceId, taken, ...returned }) => [resourceId, { kind: 'placesReturned', ...returned, taken: Number(taken) }],
};

const IDENTITY_EVENTS: HandlersOf<OfKey<IdentityEvent>> = {
  ...NUMBER_EVENTS_PASSED_OVER,
  ...RESOURCE_EVENTS_PASSED_OVER,
  NumberAsked: ({ identityId, number, requestId }) => [identityId, { kind: 'numberAsked', number, requestId }],
  NumberReported: ({ identityId, report }) => [identityId, { kind: 'numberReported', report: reportOf(report) }],
  AssociateTaken: ({ identityId, parkedUntilUs, ...taken }) => [identityId, { kind: 'associateTaken', ...taken, parkedUntilUs: Number(parkedUntilUs) }],
  AssociateSent: ({ identityId, associateId, number }) => [identityId, { kind: 'associateSent', associateId, number }],
  AssociateParked: ({ identityId, associateId }) => [identityId, { kind: 'associateParked', associateId }],
  AssociateEnded: ({ identityId, sequence, state, ...ended }) => [
    identityId,
    { kind: 'associateEnded', ...ended, sequence: Number(sequence), state: endNameOf(state) as EndState },
  ],
};

function reportOf(report: reservationpb.NumberReport | undefined): NumberReport {
  const { state, sequence, ...rest } = report ?? reservationpb.NumberReport.fromPartial({});
  return { ...rest, sequence: Number(sequence), state: reservationpb.ReservationState[state].replace('RESERVATION_STATE_', '') as ReservationState };
}

function endNameOf(state: reservationpb.AssociateState): string {
  return reservationpb.AssociateState[state].replace('ASSOCIATE_STATE_', '');
}

/** Folds the commit by the domain's `evolve`. */
function foldBy<State, Event>(
  handlers: HandlersOf<OfKey<Event>>,
  begin: (key: string) => State,
  evolve: (state: State, event: Event) => State,
): (commit: DecodedCommit, change: (key: string, next: (state: State | undefined) => State) => void) => void {
  const read = readerBy(reservationEvents, handlers);
  return (commit, change) => {
    for (const recorded of commit.events) {
      if (!reservationEvents.owns(recorded.type)) continue;
      const found = read(commit, recorded);
      if (found === undefined) continue;
      const [key, event] = found;
      change(key, (state) => evolve(state ?? begin(key), event));
    }
  };
}

const withoutNone = (state: string): string => (state === 'NONE' ? '' : state);

const numberRows = rowKind<Reservation>({
  aggregate: NUMBER_AGGREGATE,
  collection: RESERVATIONS,
  wholeKey: true,
  counted: 'reservations',
  fold: foldBy(NUMBER_EVENTS, newReservation, evolveReservation),
  row: ({ identityId, state, reason, resourceId, places, place, expiresAtUs, moneyState, moneyReason, version }) => ({
    identity_id: identityId,
    state,
    reason,
    resource_id: resourceId,
    places,
    place_state: withoutNone(place),
    expires_at_us: expiresAtUs,
    money_state: withoutNone(moneyState),
    money_reason: moneyReason,
    version,
  }),
});

const resourceRows = rowKind<Resource>({
  aggregate: RESOURCE_AGGREGATE,
  collection: RESERVATION_RESOURCES,
  counted: 'reservation resources',
  fold: foldBy(RESOURCE_EVENTS, newResource, evolveResource),
  row: ({ capacity, taken, waiting }) => ({
    capacity,
    taken,
    waiting_count: waiting.size,
    waiting_places: [...waiting.values()].reduce((sum, places) => sum + places, 0),
  }),
});

const identityRows = rowKind<Identity>({
  aggregate: IDENTITY_AGGREGATE,
  collection: RESERVATION_IDENTITIES,
  counted: 'reservation identities',
  fold: foldBy(IDENTITY_EVENTS, newIdentity, evolveIdentity),
  row: ({ numbers, associates, endedNumbers }) => {
    const known = [...numbers].map(
      ([
        number,
        {
          report: { state, waiting, version },
        },
      ]) => ({
        ...{ number, state: state === 'NONE' ? 'PENDING' : state, waiting, version },
      }),
    );
    const ended = [...endedNumbers.values()].at(-1);
    return {
      numbers: JSON.stringify(known),
      associates: JSON.stringify([...associates.values()].map(({ associateId, sentTo }) => [associateId, sentTo === '']).sort()),
      ended_number: ended?.number ?? '',
      ended_state: ended?.state ?? '',
      ended_reason: ended?.reason ?? '',
    };
  },
  stored: ({ associates, ...row }) => ({ ...row, associates: JSON.stringify((JSON.parse(associates as string) as unknown[]).sort()) }),
});

interface VerifiedAssociate {
  readonly number: string;
  readonly state: string;
  readonly reason: string;
}

const associateRows = rowKind<VerifiedAssociate>({
  aggregate: ASSOCIATE_AGGREGATE,
  collection: RESERVATION_ASSOCIATES,
  partitionKey: identityOfAssociateKey,
  counted: 'associate requests',
  fold: (commit, change) => {
    for (const event of commit.events) {
      const taken = reservationEvents.readOnly('AssociateTaken', event, commit);
      if (taken !== undefined) change(associateKeyOf(taken.identityId, taken.associateId), () => ({ number: taken.number, state: 'PARKED', reason: '' }));
      for (const [name, state] of [
        ['AssociateSent', 'PENDING'],
        ['AssociateParked', 'PARKED'],
      ] as const) {
        const moved = reservationEvents.readOnly(name, event, commit);
        if (moved !== undefined) change(associateKeyOf(moved.identityId, moved.associateId), (before) => ({ number: before?.number ?? '', state, reason: '' }));
      }
      const ended = reservationEvents.readOnly('AssociateEnded', event, commit);
      if (ended === undefined) continue;
      const { identityId, associateId, state, number, reason } = ended;
      change(associateKeyOf(identityId, associateId), (before) => ({ number: number || (before?.number ?? ''), state: endNameOf(state), reason }));
    }
  },
  row: ({ number, state, reason }) => ({ number, state, reason }),
});

export const reservationVerification = verifyRows(numberRows, resourceRows, identityRows, associateRows);
