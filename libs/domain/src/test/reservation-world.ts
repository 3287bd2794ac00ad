/**
 * Identities, numbers, resources and accounts with the deliveries between them, for the property tests. Deliveries of a pair of aggregates are decided in
 * order and once, as the engine promises, and their verdicts come back in order; everything else comes in any order, and late.
 */
import { associateAnswered, decideIdentity, reserveAnswered, type IdentityCommand, type IdentityConsequences } from '../reservation/decide-identity';
import {
  decideReservation,
  moneyAnswered,
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
import type { MoneyOrder, MoneyTerms } from '../reservation/reservation-money';

/** Something that is under way: what happens when it arrives. */
type Arrival = () => void;

/** What numbers see of an account. It takes an end of a hold, or of what is in transit, for one that began, and throws for any other. */
export class AccountOfWorld {
  readonly held = new Map<string, bigint>();
  readonly inTransit = new Map<string, bigint>();

  constructor(
    public balanceMinor: bigint,
    /** As a payee. */
    readonly takesMoney = true,
  ) {}

  /** Why it refuses; empty: it does not. */
  decide(order: MoneyOrder): string {
    const { number, money } = order;
    const { amountMinor } = money;
    switch (order.kind) {
      case 'holdFunds':
        if (this.held.has(number)) throw new Error(`${number} holds twice`);
        if (this.balanceMinor - sumOf(this.held) < amountMinor) return 'INSUFFICIENT_FUNDS';
        this.held.set(number, amountMinor);
        return '';
      case 'releaseFunds':
        ended(this.held, number);
        return '';
      case 'captureFunds':
        ended(this.held, number);
        this.inTransit.set(number, amountMinor);
        this.balanceMinor -= amountMinor;
        return '';
      case 'payFunds':
        if (!this.takesMoney) return 'TARGET_CLOSED';
        this.balanceMinor += amountMinor;
        return '';
      case 'settleFunds':
        ended(this.inTransit, number);
        if (order.returned) this.balanceMinor += amountMinor;
        return '';
      default:
        return order satisfies never;
    }
  }
}

export function sumOf(amounts: ReadonlyMap<string, bigint>): bigint {
  return [...amounts.values()].reduce((sum, each) => sum + each, 0n);
}

function ended(amounts: Map<string, bigint>, number: string): void {
  if (!amounts.delete(number)) throw new Error(`${number} ends what did not begin`);
}

interface Terms {
  readonly resourceId?: string;
  readonly places?: number;
  readonly waitForPlace?: boolean;
  readonly expiresAtUs?: number;
  readonly money?: MoneyTerms;
}

export class ReservationWorld {
  atUs = 1_000;
  readonly identities = new Map<string, Identity>();
  readonly reservations = new Map<string, Reservation>();
  readonly resources = new Map<string, Resource>();
  readonly accounts = new Map<string, AccountOfWorld>();
  /** Why requests of callers were refused. */
  readonly refusals: string[] = [];
  private readonly channels = new Map<string, Arrival[]>();
  private sequence = 0;

  // ---- what callers ask for ----

  reserve(identityId: string, number: string, terms: Terms = {}): void {
    const filled = { resourceId: '', places: 1, waitForPlace: false, expiresAtUs: 0, note: '', money: undefined, ...terms };
    this.askIdentity(identityId, { kind: 'reserveNumber', requestId: 'r', number, terms: filled });
  }

  associate(identityId: string, associateId: string, number = ''): void {
    this.askIdentity(identityId, { kind: 'takeAssociate', associateId, number, parkUs: 1_000_000, note: '' });
  }

  cancel(number: string): void {
    this.askNumber(number, { kind: 'cancel', identityId: '', note: '' });
  }

  complete(number: string): void {
    this.askNumber(number, { kind: 'complete', identityId: '', note: '' });
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
    if (owed.kind === 'takePlaces' || owed.kind === 'givePlacesBack') this.owedToResource(number, owed);
    else this.owedToAccount(number, owed);
  }

  private owedToAccount(number: string, order: MoneyOrder): void {
    const accountId = order.kind === 'payFunds' ? order.money.payeeAccountId : order.money.accountId;
    this.send(`${number} to ${accountId}`, () => {
      const reason = this.accounts.get(accountId)?.decide(order) ?? 'ACCOUNT_NOT_FOUND';
      const { kind } = order;
      if (kind === 'releaseFunds' || kind === 'settleFunds') return;
      this.send(`${accountId} answers ${number}`, () => this.numberChanged(number, moneyAnswered(this.reservation(number), { kind, reason }, this.place())));
    });
  }

  private owedToResource(number: string, { resourceId, ...command }: Extract<OwedByReservation, { readonly resourceId: string }>): void {
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
