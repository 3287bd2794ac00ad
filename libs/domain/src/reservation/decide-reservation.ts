/**
 * What a number decides. The checks of a caller's request stand in this order: reserved at all → identity → state → time.
 */
import type { NumberAnswer, NumberReport } from './number-report';
import { evolveReservation, type Reservation, type ReservationEvent, type ReservationTerms } from './reservation';
import { refused, type Refusal, type ReservationRejection } from './reservation-rejection';
import { moneyPaying, type MoneyAnswer, type MoneyOrder } from './reservation-money';
import { isOver, nextState, type ReservationState } from './reservation-state';

export type ReservationCommand =
  /** Of the identity. */
  | ({ readonly kind: 'reserve' } & ReservationTerms)
  | { readonly kind: 'associate'; readonly identityId: string; readonly associateId: string; readonly note: string }
  /** Of callers; an empty identity is any. */
  | { readonly kind: 'complete' | 'cancel'; readonly identityId: string; readonly note: string }
  | { readonly kind: 'extendHold'; readonly identityId: string; readonly expiresAtUs: number }
  /** Of its timer. */
  | { readonly kind: 'expire' }
  /** Of the resource: what it waited for is its own. */
  | { readonly kind: 'placesComeFree' };

export type OwedByReservation =
  | { readonly kind: 'takePlaces'; readonly resourceId: string; readonly number: string; readonly places: number; readonly waitForPlace: boolean }
  | { readonly kind: 'givePlacesBack'; readonly resourceId: string; readonly number: string; readonly places: number }
  | MoneyOrder
  | { readonly kind: 'numberChanged'; readonly identityId: string; readonly report: NumberReport };

/** When it expires; 0: never. */
export type ExpiryTimer = { readonly dueAtUs: number };

export interface ReservationConsequences {
  readonly events: readonly ReservationEvent[];
  readonly owes: readonly OwedByReservation[];
  readonly timer?: ExpiryTimer;
}

export type ReservationDecision = ({ readonly accepted: true; readonly answer?: NumberAnswer } & ReservationConsequences) | Refusal;

/** Where and when it is decided. */
export interface DecidedIn {
  readonly sequence: number;
  /** Commit time, microseconds. */
  readonly atUs: number;
}

const UNCHANGED: ReservationConsequences = { events: [], owes: [] };

export function decideReservation(reservation: Reservation, command: ReservationCommand, place: DecidedIn): ReservationDecision {
  switch (command.kind) {
    case 'reserve':
      return decideReserve(reservation, command, place);
    case 'associate':
      return decideAssociate(reservation, command, place);
    case 'complete':
    case 'cancel':
    case 'extendHold':
      return decideForCaller(reservation, command, place);
    case 'expire': {
      const { state, expiresAtUs } = reservation;
      const isDue = nextState(state, 'EXPIRE') !== undefined && expiresAtUs !== 0 && place.atUs >= expiresAtUs;
      return { accepted: true, ...(isDue ? over(reservation, { kind: 'expired' }, place) : UNCHANGED) };
    }
    case 'placesComeFree':
      return { accepted: true, ...(awaitsPlaces(reservation) ? placeObtained(reservation, place) : UNCHANGED) };
    default:
      return command satisfies never;
  }
}

/** The resource has answered. */
export function placesAnswered(
  reservation: Reservation,
  answer: { readonly kind: 'taken' | 'queued' } | { readonly kind: 'refused'; readonly reason: string },
  place: DecidedIn,
): ReservationConsequences {
  if (reservation.place !== 'ASKED') return UNCHANGED;
  if (reservation.state === 'PENDING') {
    switch (answer.kind) {
      case 'taken':
        return placeObtained(reservation, place);
      case 'queued':
        return changed(reservation, { kind: 'placeAwaited' }, place);
      case 'refused':
        return over(reservation, { kind: 'rejected', reason: answer.reason, byAccount: false }, place);
      default:
        return answer satisfies never;
    }
  }
  return answer.kind === 'refused' ? UNCHANGED : { events: [{ kind: 'latePlacesReturned' }], owes: [givePlacesBack(reservation)] };
}

/** An account has answered. */
export function moneyAnswered(reservation: Reservation, answer: MoneyAnswer, place: DecidedIn): ReservationConsequences {
  if (answer.kind === 'holdFunds') return holdAnswered(reservation, answer.reason, place);
  const paying = moneyPaying(reservation, answer);
  return paying === undefined ? UNCHANGED : { events: [paying.event], owes: paying.owes };
}

function holdAnswered(reservation: Reservation, reason: string, place: DecidedIn): ReservationConsequences {
  const { number, state, money, moneyState } = reservation;
  if (moneyState !== 'ASKED' || money === undefined) return UNCHANGED;
  if (state === 'PENDING') {
    if (reason !== '') return over(reservation, { kind: 'rejected', reason, byAccount: true }, place);
    const pending = lacksPlaces(reservation);
    const event: ReservationEvent = { kind: 'moneyHeld', pending };
    return pending ? { events: [event], owes: [] } : changed(reservation, event, place);
  }
  return reason === '' ? { events: [{ kind: 'lateMoneyReleased' }], owes: [{ kind: 'releaseFunds', number, money }] } : UNCHANGED;
}

function placeObtained(reservation: Reservation, place: DecidedIn): ReservationConsequences {
  return changed(reservation, { kind: 'placeObtained', pending: reservation.moneyState === 'ASKED' }, place);
}

function decideReserve(
  reservation: Reservation,
  { kind: _, ...terms }: Extract<ReservationCommand, { kind: 'reserve' }>,
  place: DecidedIn,
): ReservationDecision {
  const { number, identityId } = reservation;
  if (reservation.state !== 'NONE') {
    const otherIdentity = identityId !== terms.identityId;
    return { accepted: true, ...UNCHANGED, answer: { otherIdentity, associated: false, report: reportOf(reservation, place.sequence) } };
  }
  const event: ReservationEvent = { kind: 'numberReserved', ...terms };
  const { resourceId, places, waitForPlace, expiresAtUs, money } = terms;
  const owes: OwedByReservation[] = [];
  if (resourceId !== '') owes.push({ kind: 'takePlaces', resourceId, number, places, waitForPlace });
  if (money !== undefined) owes.push({ kind: 'holdFunds', number, money });
  return {
    accepted: true,
    events: [event],
    owes,
    answer: { otherIdentity: false, associated: false, report: reportOf(after(reservation, event), place.sequence) },
    ...(expiresAtUs === 0 ? undefined : { timer: { dueAtUs: expiresAtUs } }),
  };
}

function decideAssociate(
  reservation: Reservation,
  { identityId, associateId, note }: Extract<ReservationCommand, { kind: 'associate' }>,
  { sequence }: DecidedIn,
): ReservationDecision {
  const otherIdentity = reservation.state !== 'NONE' && reservation.identityId !== identityId;
  if (otherIdentity || nextState(reservation.state, 'ASSOCIATE') === undefined)
    return { accepted: true, ...UNCHANGED, answer: { otherIdentity, associated: false, report: reportOf(reservation, sequence) } };
  const event: ReservationEvent = { kind: 'associated', associateId, note };
  const report = reportOf(after(reservation, event), sequence);
  return { accepted: true, events: [event], owes: [], timer: { dueAtUs: 0 }, answer: { otherIdentity: false, associated: true, report } };
}

type CallersCommand = Extract<ReservationCommand, { kind: 'complete' | 'cancel' | 'extendHold' }>;
const STEPS = { complete: 'COMPLETE', cancel: 'CANCEL', extendHold: 'EXTEND' } as const;

function decideForCaller(reservation: Reservation, command: CallersCommand, place: DecidedIn): ReservationDecision {
  const { state } = reservation;
  if (state === 'NONE') return refused('RESERVATION_NOT_FOUND');
  if (command.identityId !== '' && command.identityId !== reservation.identityId) return refused('IDENTITY_MISMATCH');
  if (nextState(state, STEPS[command.kind]) === undefined) return refused(whyNot(state));
  switch (command.kind) {
    case 'complete':
      return { accepted: true, ...over(reservation, { kind: 'completed', note: command.note }, place) };
    case 'cancel':
      return { accepted: true, ...over(reservation, { kind: 'cancelled', note: command.note }, place) };
    case 'extendHold': {
      const { expiresAtUs } = command;
      if (expiresAtUs !== 0 && expiresAtUs <= place.atUs) return refused('RESERVATION_EXPIRY_PAST');
      return { accepted: true, events: [{ kind: 'holdExtended', expiresAtUs }], owes: [], timer: { dueAtUs: expiresAtUs } };
    }
    default:
      return command satisfies never;
  }
}

function whyNot(state: ReservationState): ReservationRejection {
  if (state === 'ASSOCIATED') return 'RESERVATION_ASSOCIATED';
  return isOver(state) ? `RESERVATION_${state}` : 'RESERVATION_NOT_ASSOCIATED';
}

/** Its identity learns of the change. */
function changed(reservation: Reservation, event: ReservationEvent, { sequence }: DecidedIn): ReservationConsequences {
  const { identityId } = reservation;
  return { events: [event], owes: [{ kind: 'numberChanged', identityId, report: reportOf(after(reservation, event), sequence) }] };
}

/** Nothing can happen to it any more: what it has is given back, unless it is completed: then it keeps its places and pays. */
function over(reservation: Reservation, event: ReservationEvent, place: DecidedIn): ReservationConsequences {
  const { events, owes } = changed(reservation, event, place);
  const then = after(reservation, event);
  const { number, money } = reservation;
  const givesBack: OwedByReservation[] = [];
  if (reservation.place !== then.place && then.place === 'GIVEN_BACK') givesBack.push(givePlacesBack(reservation));
  if (money !== undefined && reservation.moneyState !== then.moneyState) {
    if (then.moneyState === 'RELEASED') givesBack.push({ kind: 'releaseFunds', number, money });
    if (then.moneyState === 'CAPTURING') givesBack.push({ kind: 'captureFunds', number, money });
  }
  return { events, owes: [...owes, ...givesBack], timer: { dueAtUs: 0 } };
}

function givePlacesBack({ resourceId, number, places }: Reservation): OwedByReservation {
  return { kind: 'givePlacesBack', resourceId, number, places };
}

/** The message that places came free may overtake the answer that the number is on the waiting list. */
function awaitsPlaces(reservation: Reservation): boolean {
  return reservation.state === 'PENDING' && lacksPlaces(reservation);
}

function lacksPlaces({ place }: Reservation): boolean {
  return place === 'WAITING' || place === 'ASKED';
}

function after(reservation: Reservation, event: ReservationEvent): Reservation {
  return evolveReservation({ ...reservation }, event);
}

function reportOf({ number, state, place, version, reason }: Reservation, sequence: number): NumberReport {
  return { number, state, waiting: state === 'PENDING' && place === 'WAITING', version, sequence, reason };
}
