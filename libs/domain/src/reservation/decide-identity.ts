/**
 * What an identity decides: it takes numbers and associate requests into its buffer, and brings them together.
 *
 *   A request that names a number takes that one. A request without a number takes the first, in order of reservation, that is RESERVED, that no
 *   open request names, and before which no number is still undecided. Where a named number was taken by a request without one, the
 *   latter goes on to the next number. So the order in which reservations and requests come decides nothing about the states.
 *
 * A decision takes a bounded number of these steps; a timer goes on.
 */
import { draftOfIdentity, evolveIdentity, passedOnFrom, type Identity, type IdentityEvent, type OpenAssociate } from './identity';
import type { NumberAnswer, NumberReport } from './number-report';
import { refused, type Refusal, type ReservationRejection } from './reservation-rejection';
import { isOver, type ReservationState } from './reservation-state';
import type { ReservationTerms } from './reservation';

/** Numbers that are not over. */
export const MAXIMUM_OPEN_NUMBERS = 1_000;
/** Associate requests that are not over. */
export const MAXIMUM_OPEN_ASSOCIATES = 64;
/** Above every version of a number: 32 bits. */
const NEWEST_VERSION = 0xffff_ffff;
/** Requests that are sent or ended by one decision, beside what it is about. */
export const STEPS_PER_DECISION = 2;

export type IdentityCommand =
  | { readonly kind: 'reserveNumber'; readonly requestId: string; readonly number: string; readonly terms: Omit<ReservationTerms, 'identityId'> }
  | { readonly kind: 'takeAssociate'; readonly associateId: string; readonly number: string; readonly parkUs: number; readonly note: string }
  /** Of a number. */
  | { readonly kind: 'numberChanged'; readonly report: NumberReport }
  /** Of a timer. */
  | { readonly kind: 'expireParked'; readonly associateId: string }
  /** Of a timer: steps are left. */
  | { readonly kind: 'goOn' };

export type OwedByIdentity =
  | ({ readonly kind: 'reserve'; readonly number: string } & ReservationTerms)
  | { readonly kind: 'associate'; readonly number: string; readonly identityId: string; readonly associateId: string; readonly note: string };

/** Timers of parked requests. */
export type ParkedTimer = { readonly associateId: string /** 0: none. */; readonly dueAtUs: number };

export interface IdentityConsequences {
  readonly events: readonly IdentityEvent[];
  readonly owes: readonly OwedByIdentity[];
  readonly timers: readonly ParkedTimer[];
  /** Steps are left. */
  readonly goOn: boolean;
}

export type IdentityDecision = ({ readonly accepted: true } & IdentityConsequences) | Refusal;

/** @param atUs commit time, microseconds. */
export function decideIdentity(identity: Identity, command: IdentityCommand, atUs: number): IdentityDecision {
  switch (command.kind) {
    case 'reserveNumber': {
      const { number, requestId, terms } = command;
      if (terms.expiresAtUs !== 0 && terms.expiresAtUs <= atUs) return refused('RESERVATION_EXPIRY_PAST');
      if (identity.numbers.has(number)) return { accepted: true, events: [], owes: [], timers: [], goOn: false };
      if (identity.numbers.size >= MAXIMUM_OPEN_NUMBERS) return refused('RESERVATION_IDENTITY_FULL');
      const owed: OwedByIdentity = { kind: 'reserve', number, identityId: identity.identityId, ...terms };
      return { accepted: true, events: [{ kind: 'numberAsked', number, requestId }], owes: [owed], timers: [], goOn: false };
    }
    case 'takeAssociate': {
      if (identity.associates.size >= MAXIMUM_OPEN_ASSOCIATES) return refused('RESERVATION_PARKED_FULL');
      const { associateId, number, parkUs, note } = command;
      const steps = new Steps(identity, atUs);
      steps.take({ associateId, number, parkedUntilUs: atUs + parkUs, note });
      // Whether it is too early, or another identity's, only the number knows.
      if (number !== '' && !identity.numbers.has(number)) steps.send(associateId, number);
      return { accepted: true, ...steps.consequences() };
    }
    case 'numberChanged':
      return { accepted: true, ...reported(new Steps(identity, atUs), command.report).consequences() };
    case 'expireParked': {
      const steps = new Steps(identity, atUs);
      const associate = identity.associates.get(command.associateId);
      if (associate?.sentTo === '' && atUs >= associate.parkedUntilUs) steps.end(associate, 'EXPIRED', 'RESERVATION_PARKED_EXPIRED');
      return { accepted: true, ...steps.consequences() };
    }
    case 'goOn':
      return { accepted: true, ...new Steps(identity, atUs).consequences() };
    default:
      return command satisfies never;
  }
}

/** A number has answered that it was to be reserved. */
export function reserveAnswered(identity: Identity, { otherIdentity, report }: NumberAnswer, atUs: number): IdentityConsequences {
  return reported(new Steps(identity, atUs), otherIdentity ? takenByOther(report) : report).consequences();
}

/** A number has answered an associate request. */
export function associateAnswered(identity: Identity, associateId: string, answer: NumberAnswer, atUs: number): IdentityConsequences {
  const { report, otherIdentity, associated } = answer;
  const steps = new Steps(identity, atUs);
  const associate = identity.associates.get(associateId);
  if (associate === undefined || associate.sentTo !== report.number) return steps.consequences();
  if (associated) steps.associate(associate, report);
  else if (associate.number !== '' && !otherIdentity && report.state === 'ASSOCIATED') steps.claim(associate, report);
  else {
    if (associate.number !== '' && otherIdentity) steps.end(associate, 'REJECTED', 'IDENTITY_MISMATCH');
    else if (associate.number !== '' && isOver(report.state)) steps.end(associate, 'REJECTED', `RESERVATION_${report.state}`);
    else steps.park(associate);
    reported(steps, otherIdentity ? takenByOther(report) : report);
  }
  return steps.consequences();
}

/** The refusal is the identity's own affair: the number's versions are those of another identity's reservation. */
function takenByOther(report: NumberReport): NumberReport {
  return { ...report, state: 'REJECTED', waiting: false, version: NEWEST_VERSION, reason: 'RESERVATION_NUMBER_TAKEN' };
}

function reported(steps: Steps, report: NumberReport): Steps {
  const known = steps.after.numbers.get(report.number);
  if (known !== undefined && report.version > known.report.version) steps.happen({ kind: 'numberReported', report });
  return steps;
}

/** The steps of one decision, and the identity after them. */
class Steps {
  readonly after: Identity;
  private readonly events: IdentityEvent[] = [];
  private readonly owes: OwedByIdentity[] = [];
  private stepsLeft = STEPS_PER_DECISION;

  constructor(
    private readonly before: Identity,
    private readonly atUs: number,
  ) {
    this.after = draftOfIdentity(before);
  }

  happen(event: IdentityEvent): void {
    evolveIdentity(this.after, event);
    this.events.push(event);
  }

  take(associate: Omit<OpenAssociate, 'sentTo'>): void {
    this.happen({ kind: 'associateTaken', ...associate });
  }

  send(associateId: string, number: string): void {
    const { note } = this.after.associates.get(associateId) as OpenAssociate;
    this.happen({ kind: 'associateSent', associateId, number });
    this.owes.push({ kind: 'associate', number, identityId: this.after.identityId, associateId, note });
  }

  /** The number did not take it. */
  park(associate: OpenAssociate): void {
    if (this.atUs >= associate.parkedUntilUs) this.end(associate, 'EXPIRED', 'RESERVATION_PARKED_EXPIRED');
    else this.happen({ kind: 'associateParked', associateId: associate.associateId });
  }

  end({ associateId }: OpenAssociate, state: 'REJECTED' | 'EXPIRED', reason: ReservationRejection): void {
    this.happen({ kind: 'associateEnded', associateId, state, number: '', reason, version: 0, sequence: 0 });
  }

  associate({ associateId }: OpenAssociate, { number, version, sequence }: NumberReport): void {
    this.happen({ kind: 'associateEnded', associateId, state: 'ASSOCIATED', number, reason: '', version, sequence });
  }

  consequences(): IdentityConsequences {
    const goOn = !this.bringTogether();
    return { events: this.events, owes: this.owes, timers: this.timers(), goOn };
  }

  /** False: steps are left. */
  private bringTogether(): boolean {
    // Requests that are passed on join the end of the map, and are come to, too.
    for (const associate of this.after.associates.values()) {
      if (associate.sentTo !== '') continue;
      const step = associate.number === '' ? this.stepWithoutNumber(associate) : this.stepOfNamed(associate);
      if (step === undefined) continue;
      if (this.stepsLeft === 0) return false;
      this.stepsLeft -= 1;
      step();
    }
    return true;
  }

  private stepOfNamed(associate: OpenAssociate): (() => void) | undefined {
    const { numbers, endedNumbers } = this.after;
    const { number, associateId } = associate;
    const known = numbers.get(number);
    if (known === undefined) {
      const ended = endedNumbers.get(number);
      return ended === undefined ? undefined : () => this.end(associate, 'REJECTED', reasonOf(ended));
    }
    // One that is associated may be over by now: only the number knows.
    const mayTake = known.report.state === 'RESERVED' || known.report.state === 'ASSOCIATED';
    return mayTake && !this.isAimedAt(number) ? () => this.send(associateId, number) : undefined;
  }

  /** The number is associated already. If the request that took it had named none, that one goes on to the next number. */
  claim(associate: OpenAssociate, report: NumberReport): void {
    const isNamed = this.after.numbers.get(report.number)?.named ?? true;
    this.associate(associate, report);
    if (isNamed) return;
    const { parkedUntilUs, note } = associate;
    this.take({ associateId: passedOnFrom(report.number), number: '', parkedUntilUs, note });
  }

  private stepWithoutNumber({ associateId }: OpenAssociate): (() => void) | undefined {
    const number = this.firstFree();
    return number === undefined ? undefined : () => this.send(associateId, number);
  }

  private firstFree(): string | undefined {
    const claimed = new Set<string>();
    for (const { number, sentTo } of this.after.associates.values()) claimed.add(number).add(sentTo);
    for (const [number, { report }] of this.after.numbers) {
      if (claimed.has(number)) continue;
      if (report.state === 'RESERVED') return number;
      if (isUndecided(report)) return undefined;
    }
    return undefined;
  }

  private isAimedAt(number: string): boolean {
    for (const { sentTo } of this.after.associates.values()) if (sentTo === number) return true;
    return false;
  }

  /** A request that is parked has one. */
  private timers(): ParkedTimer[] {
    const timers: ParkedTimer[] = [];
    for (const { associateId, sentTo, parkedUntilUs } of this.after.associates.values()) {
      const had = this.before.associates.get(associateId);
      const hadTimer = had !== undefined && had.sentTo === '' && had.parkedUntilUs === parkedUntilUs;
      if (sentTo === '' && !hadTimer) timers.push({ associateId, dueAtUs: parkedUntilUs });
    }
    for (const { associateId, sentTo } of this.before.associates.values())
      if (sentTo === '' && this.after.associates.get(associateId)?.sentTo !== '') timers.push({ associateId, dueAtUs: 0 });
    return timers;
  }
}

/** Its number, or its resource, has not answered yet. */
function isUndecided({ state, waiting }: NumberReport): boolean {
  return state === 'NONE' || (state === 'PENDING' && !waiting);
}

function reasonOf({ state, reason }: NumberReport): ReservationRejection {
  if (reason === 'RESERVATION_NUMBER_TAKEN') return 'IDENTITY_MISMATCH';
  return isOver(state) ? `RESERVATION_${state}` : 'RESERVATION_NOT_FOUND';
}

export interface ReserveOutcome {
  /** NONE: forgotten. */
  readonly state: ReservationState;
  readonly waiting: boolean;
  readonly reason: string;
  readonly sequence: number;
}

/** Where the reservation stands; undefined: its number, or its resource, has not answered yet. */
export function outcomeOfReserve({ numbers, endedNumbers }: Identity, number: string): ReserveOutcome | undefined {
  const report = numbers.get(number)?.report ?? endedNumbers.get(number);
  if (report === undefined) return { state: 'NONE', waiting: false, reason: '', sequence: 0 };
  return isUndecided(report) ? undefined : report;
}

export interface AssociateOutcome {
  readonly state: 'FORGOTTEN' | 'PARKED' | 'ASSOCIATED' | 'REJECTED' | 'EXPIRED';
  readonly number: string;
  readonly reason: string;
  readonly sequence: number;
}

/** Where the associate request stands; undefined: a number has not answered yet. */
export function outcomeOfAssociate({ associates, endedAssociates, numbers }: Identity, associateId: string): AssociateOutcome | undefined {
  const open = associates.get(associateId);
  if (open === undefined) return endedAssociates.get(associateId) ?? { state: 'FORGOTTEN', number: '', reason: '', sequence: 0 };
  if (open.sentTo !== '') return undefined;
  const mayTakeRequests = ({ state }: NumberReport): boolean => state === 'RESERVED' || (state === 'ASSOCIATED' && open.number !== '');
  const waitsFor = open.number === '' ? [...numbers.values()] : [numbers.get(open.number)];
  if (waitsFor.some((known) => known !== undefined && (isUndecided(known.report) || mayTakeRequests(known.report)))) return undefined;
  return { state: 'PARKED', number: '', reason: '', sequence: 0 };
}

/** The outcome of a reservation, if the events of a decision say it. */
export function reserveOutcomeIn(events: readonly IdentityEvent[], number: string): ReserveOutcome | undefined {
  for (const event of events) if (event.kind === 'numberReported' && event.report.number === number && !isUndecided(event.report)) return event.report;
  return undefined;
}

/** The outcome of an associate request, if the events of a decision end it. */
export function associateOutcomeIn(events: readonly IdentityEvent[], associateId: string): AssociateOutcome | undefined {
  for (const event of events) if (event.kind === 'associateEnded' && event.associateId === associateId) return event;
  return undefined;
}
