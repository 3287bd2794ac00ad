/**
 * Identities, numbers and resources with the deliveries between them, for the property tests. Deliveries of a pair of aggregates are decided in
 * order and once, as the engine promises, and their verdicts come back in order; everything else comes in any order, and late.
 */
import { associateAnswered, decideIdentity, reserveAnswered, type IdentityCommand, type IdentityConsequences } from '../reservation/decide-identity';
import {
  decideReservation,
  placesAnswered,
  type OwedByReservation,
  type ReservationCommand,
  type ReservationConsequences,
} from '../reservation/decide-reservation';
import { decideResource, type ResourceAcceptance, type ResourceCommand } from '../reservation/decide-resource';
import { evolveIdentity, newIdentity, type Identity } from '../reservation/identity';
import type { NumberAnswer } from '../reservation/number-report';
import { evolveReservation, newReservation, type Reservation } from '../reservation/reservation';
import { evolveResource, newResource, type Resource } from '../reservation/resource';

/** Something that is under way: what happens when it arrives. */
type Arrival = () => void;

export class ReservationWorld {
  atUs = 1_000;
  readonly identities = new Map<string, Identity>();
  readonly reservations = new Map<string, Reservation>();
  readonly resources = new Map<string, Resource>();
  /** Why requests of callers were refused. */
  readonly refusals: string[] = [];
  private readonly channels = new Map<string, Arrival[]>();
  private sequence = 0;

  // ---- what callers ask for ----

  reserve(identityId: string, number: string, terms: { resourceId?: string; places?: number; waitForPlace?: boolean; expiresAtUs?: number } = {}): void {
    const filled = { resourceId: '', places: 1, waitForPlace: false, expiresAtUs: 0, note: '', ...terms };
    this.askIdentity(identityId, { kind: 'reserveNumber', requestId: 'r', number, terms: filled });
  }

  associate(identityId: string, associateId: string, number = ''): void {
    this.askIdentity(identityId, { kind: 'takeAssociate', associateId, number, parkUs: 1_000_000, note: '' });
  }

  cancel(number: string): void {
    this.askNumber(number, { kind: 'cancel', identityId: '', note: '' });
  }

  expire(number: string): void {
    this.askNumber(number, { kind: 'expire' });
  }

  setCapacity(resourceId: string, capacity: number): void {
    this.askResource(resourceId, { kind: 'setCapacity', capacity });
  }

  // ---- deliveries ----

  /** Lets what is under way arrive, in the order that the choices say, until nothing is. */
  settle(choices: readonly number[]): void {
    for (let at = 0; this.arrive(choices[at % choices.length] as number); at += 1) if (at > 100_000) throw new Error('the deliveries do not come to an end');
  }

  /** False: nothing is under way. */
  arrive(choice: number): boolean {
    const open = [...this.channels].filter(([, arrivals]) => arrivals.length > 0);
    const chosen = open[choice % open.length];
    if (chosen === undefined) return false;
    chosen[1].shift()?.();
    return true;
  }

  private send(channel: string, arrival: Arrival): void {
    const arrivals = this.channels.get(channel) ?? [];
    this.channels.set(channel, [...arrivals, arrival]);
  }

  // ---- identities ----

  private askIdentity(identityId: string, command: IdentityCommand): void {
    const decision = decideIdentity(this.identity(identityId), command, this.atUs);
    if (decision.accepted) this.identityChanged(identityId, decision);
    else this.refusals.push(decision.rejection);
  }

  private identity(identityId: string): Identity {
    return made(this.identities, identityId, newIdentity);
  }

  private identityChanged(identityId: string, { events, owes, goOn }: IdentityConsequences): void {
    for (const event of events) evolveIdentity(this.identity(identityId), event);
    if (goOn) this.send(`${identityId} goes on`, () => this.askIdentity(identityId, { kind: 'goOn' }));
    for (const { number, ...command } of owes) {
      this.send(`${identityId} to ${number}`, () => {
        const answer = this.askNumber(number, command) as NumberAnswer;
        this.send(`${number} answers ${identityId}`, () => {
          const identity = this.identity(identityId);
          const consequences =
            command.kind === 'reserve' ? reserveAnswered(identity, answer, this.atUs) : associateAnswered(identity, command.associateId, answer, this.atUs);
          this.identityChanged(identityId, consequences);
        });
      });
    }
  }

  // ---- numbers ----

  private askNumber(number: string, command: ReservationCommand): NumberAnswer | undefined {
    const decision = decideReservation(this.reservation(number), command, this.place());
    if (!decision.accepted) {
      this.refusals.push(decision.rejection);
      return undefined;
    }
    this.numberChanged(number, decision);
    return decision.answer;
  }

  private reservation(number: string): Reservation {
    return made(this.reservations, number, newReservation);
  }

  private place() {
    this.sequence += 1;
    return { sequence: this.sequence, atUs: this.atUs };
  }

  private numberChanged(number: string, { events, owes }: ReservationConsequences): void {
    for (const event of events) evolveReservation(this.reservation(number), event);
    for (const owed of owes) this.owedByNumber(number, owed);
  }

  private owedByNumber(number: string, owed: OwedByReservation): void {
    if (owed.kind === 'numberChanged') {
      const { identityId, report } = owed;
      this.send(`${number} to ${identityId}`, () => this.askIdentity(identityId, { kind: 'numberChanged', report }));
      return;
    }
    const { resourceId, ...command } = owed;
    this.send(`${number} to ${resourceId}`, () => {
      const decision = decideResource(this.resource(resourceId), command);
      if (decision.accepted) this.resourceChanged(resourceId, decision);
      if (command.kind !== 'takePlaces') return;
      const answer = decision.accepted
        ? ({ kind: decision.events.some(({ kind }) => kind === 'placesQueued') ? 'queued' : 'taken' } as const)
        : ({ kind: 'refused', reason: decision.rejection } as const);
      this.send(`${resourceId} answers ${number}`, () => this.numberChanged(number, placesAnswered(this.reservation(number), answer, this.place())));
    });
  }

  // ---- resources ----

  private askResource(resourceId: string, command: ResourceCommand): void {
    const decision = decideResource(this.resource(resourceId), command);
    if (decision.accepted) this.resourceChanged(resourceId, decision);
    else this.refusals.push(decision.rejection);
  }

  private resource(resourceId: string): Resource {
    return made(this.resources, resourceId, newResource);
  }

  private resourceChanged(resourceId: string, { events, granted, goOn }: ResourceAcceptance): void {
    for (const event of events) evolveResource(this.resource(resourceId), event);
    if (goOn) this.send(`${resourceId} goes on`, () => this.askResource(resourceId, { kind: 'grantPlaces' }));
    for (const number of granted) this.send(`${resourceId} to ${number}`, () => this.askNumber(number, { kind: 'placesComeFree' }));
  }
}

function made<Value>(values: Map<string, Value>, key: string, make: (key: string) => Value): Value {
  const found = values.get(key) ?? make(key);
  values.set(key, found);
  return found;
}
