/** Rows of numbers: a reservation, changed by the events of its number. */
import type { MoneyState, PlaceState, ReservationState as DecidedState } from '@sluice/domain/reservation';
import type { FieldValue, Row } from '@sluice/ports';
import { reservationEvents, reservationpb } from '@sluice/protocol/reservation';
import { changed, changesBy, evolveByStep, type RowChange } from '../row-change';
import { projectedRows } from '../row-projection';
import { NUMBER_AGGREGATE, RESERVATIONS } from './collections';
import { type HandlersOf, IDENTITY_EVENTS_PASSED_OVER, RESOURCE_EVENTS_PASSED_OVER } from './event-kinds';

/** What reservations are in, as rows have it: there is no row of a number that is not reserved, and none has an empty state. */
export type StoredState = Exclude<DecidedState, 'NONE'>;
export type StoredPlaceState = Exclude<PlaceState, 'NONE'> | '';
export type StoredMoneyState = Exclude<MoneyState, 'NONE'> | '';

export interface ReservationState {
  readonly identityId: string;
  readonly state: StoredState;
  readonly reason: string;
  readonly resourceId: string;
  readonly places: number;
  readonly placeState: StoredPlaceState;
  /** 0: never. */
  readonly expiresAtUs: number;
  /** sluice.reservation.v1.MoneyHold; null: it asked for none. */
  readonly money: Uint8Array | null;
  readonly moneyState: StoredMoneyState;
  readonly moneyReason: string;
  readonly reservedAtUs: number;
  /** 0: it was not. */
  readonly associatedAtUs: number;
  /** 0: it is not over. */
  readonly endedAtUs: number;
  readonly note: string;
  readonly associatedNote: string;
  readonly endedNote: string;
  readonly version: number;
}

export function reservationStateOf(row: Row): ReservationState {
  return {
    identityId: row.identity_id as string,
    state: row.state as StoredState,
    reason: row.reason as string,
    resourceId: row.resource_id as string,
    places: row.places as number,
    placeState: row.place_state as StoredPlaceState,
    expiresAtUs: row.expires_at_us as number,
    money: row.money as Uint8Array | null,
    moneyState: row.money_state as StoredMoneyState,
    moneyReason: row.money_reason as string,
    reservedAtUs: row.reserved_at_us as number,
    associatedAtUs: row.associated_at_us as number,
    endedAtUs: row.ended_at_us as number,
    note: row.note as string,
    associatedNote: row.associated_note as string,
    endedNote: row.ended_note as string,
    version: row.version as number,
  };
}

function rowOf(state: ReservationState, partition: number): Readonly<Record<string, FieldValue>> {
  return {
    partition,
    identity_id: state.identityId,
    state: state.state,
    reason: state.reason,
    resource_id: state.resourceId,
    places: state.places,
    place_state: state.placeState,
    expires_at_us: state.expiresAtUs,
    money: state.money,
    money_state: state.moneyState,
    money_reason: state.moneyReason,
    reserved_at_us: state.reservedAtUs,
    associated_at_us: state.associatedAtUs,
    ended_at_us: state.endedAtUs,
    note: state.note,
    associated_note: state.associatedNote,
    ended_note: state.endedNote,
    version: state.version,
  };
}

type Change = RowChange<ReservationState>;

/** A change of a reservation that is there. */
function next(number: string, fieldsOf: (before: ReservationState, atUs: number) => Partial<ReservationState>): Change {
  return changed<ReservationState>(number, (before, atUs) => ({ ...fieldsOf(before, atUs), version: before.version + 1 }));
}

/** It is over: what it has is given back. What was asked for stays so until the answer comes. */
function over(number: string, state: StoredState, fieldsOf: (before: ReservationState) => Partial<ReservationState>): Change {
  return next(number, (before, atUs) => ({
    state,
    endedAtUs: atUs,
    placeState: before.placeState === 'HELD' || before.placeState === 'WAITING' ? 'GIVEN_BACK' : before.placeState,
    moneyState: before.moneyState === 'HELD' ? 'RELEASED' : before.moneyState,
    ...fieldsOf(before),
  }));
}

function reserved(event: reservationpb.NumberReserved): Change {
  const { number, identityId, resourceId, places, expiresAtUs, note, money } = event;
  const step = (before: ReservationState | undefined, atUs: number): ReservationState => {
    if (before !== undefined) throw new Error(`${number} is reserved a second time`);
    return {
      identityId,
      state: resourceId === '' && money === undefined ? 'RESERVED' : 'PENDING',
      reason: '',
      resourceId,
      places,
      placeState: resourceId === '' ? '' : 'ASKED',
      expiresAtUs: Number(expiresAtUs),
      money: money === undefined ? null : reservationpb.MoneyHold.encode(money).finish(),
      moneyState: money === undefined ? '' : 'ASKED',
      moneyReason: '',
      reservedAtUs: atUs,
      associatedAtUs: 0,
      endedAtUs: 0,
      note,
      associatedNote: '',
      endedNote: '',
      version: 1,
    };
  };
  return { key: number, step };
}

const CHANGES: HandlersOf<Change> = {
  ...IDENTITY_EVENTS_PASSED_OVER,
  ...RESOURCE_EVENTS_PASSED_OVER,
  NumberReserved: reserved,
  PlaceAwaited: ({ number }) => next(number, () => ({ placeState: 'WAITING' })),
  PlaceObtained: ({ number, pending }) => next(number, ({ state }) => ({ placeState: 'HELD', state: pending ? state : 'RESERVED' })),
  MoneyHeld: ({ number, pending }) => next(number, ({ state }) => ({ moneyState: 'HELD', state: pending ? state : 'RESERVED' })),
  ReservationRejected: ({ number, reason, byAccount }) =>
    over(number, 'REJECTED', () => ({ reason, ...(byAccount ? { moneyState: '' } : { placeState: '' }) })),
  ReservationAssociated: ({ number, note }) => next(number, (_before, atUs) => ({ state: 'ASSOCIATED', associatedAtUs: atUs, associatedNote: note })),
  ReservationCompleted: ({ number, note }) =>
    // It keeps its places, and its money goes to the payee.
    over(number, 'COMPLETED', ({ placeState, moneyState }) => ({
      placeState,
      moneyState: moneyState === 'HELD' ? 'CAPTURING' : moneyState,
      endedNote: note,
    })),
  ReservationCancelled: ({ number, note }) => over(number, 'CANCELLED', () => ({ endedNote: note })),
  ReservationExpired: ({ number }) => over(number, 'EXPIRED', () => ({})),
  HoldExtended: ({ number, expiresAtUs }) => next(number, () => ({ expiresAtUs: Number(expiresAtUs) })),
  LatePlacesReturned: ({ number }) => next(number, () => ({ placeState: 'GIVEN_BACK' })),
  LateMoneyReleased: ({ number }) => next(number, () => ({ moneyState: 'RELEASED' })),
  MoneyCaptured: ({ number }) => next(number, () => ({ moneyState: 'CAPTURED' })),
  MoneyPaid: ({ number }) => next(number, () => ({ moneyState: 'PAID' })),
  MoneyReturned: ({ number, reason }) => next(number, () => ({ moneyState: 'RETURNED', moneyReason: reason })),
};

export const reservationRows = projectedRows({
  aggregate: NUMBER_AGGREGATE,
  collection: RESERVATIONS,
  read: changesBy(reservationEvents, CHANGES),
  evolve: evolveByStep,
  row: rowOf,
  stateOf: reservationStateOf,
});
