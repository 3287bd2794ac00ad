/**
 * What the log says about reservations, read by code that shares nothing with the engine but the generated messages: numbers, resources and identities are followed
 * event by event. They are compared with each other when nothing is under way.
 */
import { logpb } from '@sluice/protocol';
import { reservationpb } from '@sluice/protocol/reservation';
import type { DecodedLog } from '../world/decoded-log';
import { ReadIdentity } from './identity-model';
import { ReadNumber } from './number-model';
import { ReadResource } from './resource-model';

/** "r/" and a request id, as the identity names the request of a caller. */
export function associateIdOf(requestId: string): string {
  return `r/${requestId}`;
}

export class ReservationReading {
  readonly numbers = new Map<string, ReadNumber>();
  readonly resources = new Map<string, ReadResource>();
  readonly identities = new Map<string, ReadIdentity>();
  readonly contradictions: string[] = [];
  /** By source and target: the last number that is owed, and the last that has a verdict. */
  readonly deliveries = new Map<string, { owed: bigint; settled: bigint }>();

  readonly contradict = (what: string): void => {
    this.contradictions.push(what);
  };

  number(number: string, what: string): ReadNumber | undefined {
    const known = this.numbers.get(number);
    if (known === undefined) this.contradict(`number ${number} has ${what} and was never reserved`);
    return known;
  }

  resource(resourceId: string): ReadResource {
    const known = this.resources.get(resourceId) ?? new ReadResource(resourceId, this.contradict);
    this.resources.set(resourceId, known);
    return known;
  }

  identity(identityId: string): ReadIdentity {
    const known = this.identities.get(identityId) ?? new ReadIdentity(identityId, this.contradict);
    this.identities.set(identityId, known);
    return known;
  }

  delivery(source: number, target: number): { owed: bigint; settled: bigint } {
    const key = `d-${source}-${target}`;
    const known = this.deliveries.get(key) ?? { owed: 0n, settled: 0n };
    this.deliveries.set(key, known);
    return known;
  }

  /** What has no answer yet, what is due, and where the aggregates disagree: empty when all is done, and right. */
  differences(): string[] {
    return [
      ...[...this.deliveries].flatMap(([key, { owed, settled }]) => (owed > settled ? [`deliveries ${key}-${settled + 1n} to ${owed} have no verdict`] : [])),
      ...[...this.numbers.values()].flatMap((number) => this.differencesOfNumber(number)),
      ...[...this.resources.values()].flatMap((resource) => this.differencesOfResource(resource)),
      ...[...this.identities.values()].flatMap((identity) => this.differencesOfIdentity(identity)),
    ];
  }

  private differencesOfNumber(read: ReadNumber): string[] {
    const { number, resourceId } = read.reserved;
    const differences: string[] = [];
    if (read.willExpire) differences.push(`number ${number} is ${read.state} and expires at ${read.expiresAtUs}`);
    const isDecided = read.isOver || (read.place !== 'ASKED' && read.money !== 'ASKED');
    if (!isDecided || read.money === 'CAPTURING' || read.money === 'CAPTURED')
      differences.push(`number ${number} is ${read.state}, place ${read.place}, money ${read.money}`);
    const resource = resourceId === '' ? undefined : this.resources.get(resourceId);
    const isOfResource = { NONE: 'unknown', ASKED: 'unknown', WAITING: 'waiting', HELD: 'held', GIVEN_BACK: 'returned' }[read.place];
    const found = whereIs(resource, number);
    if (found !== isOfResource) differences.push(`number ${number} is ${read.state}, place ${read.place}; by its resource it is ${found}`);
    return differences;
  }

  private differencesOfResource({ resourceId, held, waiting, owesPlaces }: ReadResource): string[] {
    const strangers = [...held.keys(), ...waiting.keys()].filter((number) => this.numbers.get(number)?.reserved.resourceId !== resourceId);
    return [
      ...strangers.map((number) => `resource ${resourceId} has ${number}, which is none of its numbers`),
      ...(owesPlaces ? [`resource ${resourceId} has places free for the first that waits`] : []),
    ];
  }

  private differencesOfIdentity({ identityId, numbers, associates }: ReadIdentity): string[] {
    const differences: string[] = [];
    for (const [number, { state, reason }] of numbers) {
      const read = this.numbers.get(number);
      const isOwn = read?.reserved.identityId === identityId;
      const expected = isOwn ? `${read?.state} ${read?.reason}` : 'REJECTED RESERVATION_NUMBER_TAKEN';
      if (`${state} ${reason}` !== expected) differences.push(`identity ${identityId} has ${number} as ${state} ${reason}; it is ${expected}`);
    }
    const free = [...numbers].filter(([, { state }]) => state === 'RESERVED').map(([number]) => number);
    for (const [associateId, associate] of associates) {
      const what = `associate request ${associateId} of ${identityId}`;
      if (associate.state === 'ASSOCIATED' && !this.isAssociated(identityId, associate.appliedTo))
        differences.push(`${what} is applied to ${associate.appliedTo}, which is not associated`);
      if (associate.state !== 'OPEN') continue;
      if (associate.sentTo !== '') differences.push(`${what} has no answer of ${associate.sentTo}`);
      else if (associate.willExpire) differences.push(`${what} is parked until ${associate.parkedUntilUs}`);
      else if (associate.number === '' && free.length > 0) differences.push(`${what} is parked, and ${free.join(', ')} is reserved`);
      else if (numbers.has(associate.number) && this.numbers.get(associate.number)?.state !== 'PENDING')
        differences.push(`${what} is parked, and ${associate.number} is there`);
    }
    for (const [number] of numbers) {
      const { associateId = '', reserved } = this.numbers.get(number) ?? {};
      const associate = associates.get(associateId);
      if (associateId !== '' && reserved?.identityId === identityId && (associate?.state !== 'ASSOCIATED' || associate.appliedTo !== number))
        differences.push(`number ${number} is associated by ${associateId}, which is ${associate?.state} of "${associate?.appliedTo}"`);
    }
    return differences;
  }

  private isAssociated(identityId: string, number: string): boolean {
    const read = this.numbers.get(number);
    return read !== undefined && read.associateId !== '' && read.reserved.identityId === identityId;
  }
}

function whereIs(resource: ReadResource | undefined, number: string): string {
  if (resource?.held.has(number) === true) return 'held';
  if (resource?.waiting.has(number) === true) return 'waiting';
  return resource?.returned.has(number) === true ? 'returned' : 'unknown';
}

/** @returns a function that reads what the log says by now. */
export function reservationReader(log: DecodedLog): () => ReservationReading {
  const reading = new ReservationReading();
  const readOn = log.follow(({ partition, committedAtUs, events }) => {
    for (const { type, payload } of events) {
      const follow = FOLLOWING[type];
      if (follow !== undefined) follow(reading, payload, { partition, atUs: BigInt(committedAtUs) });
      else if (type.startsWith('reservation.')) reading.contradict(`the model does not know the event ${type}`);
    }
  });
  return () => {
    readOn();
    return reading;
  };
}

interface Place {
  readonly partition: number;
  readonly atUs: bigint;
}

type Following = (reading: ReservationReading, payload: Uint8Array, place: Place) => void;

/** Field 1 of each event of a number. */
function ofNumber(follow: (number: ReadNumber, payload: Uint8Array, place: Place) => void): Following {
  return (reading, payload, place) => {
    const number = reading.number(reservationpb.PlaceAwaited.decode(payload).number, 'an event');
    if (number !== undefined) follow(number, payload, place);
  };
}

/** Field 1 of each event of a resource. */
function ofResource(follow: (resource: ReadResource, payload: Uint8Array) => void): Following {
  return (reading, payload) => follow(reading.resource(reservationpb.CapacitySet.decode(payload).resourceId), payload);
}

/** Field 1 of each event of an identity. */
function ofIdentity(follow: (identity: ReadIdentity, payload: Uint8Array, place: Place) => void): Following {
  return (reading, payload, place) => follow(reading.identity(reservationpb.AssociateParked.decode(payload).identityId), payload, place);
}

const FOLLOWING: Readonly<Record<string, Following>> = {
  'log.DeliveriesOwed': (reading, payload, { partition }) => {
    const { target, firstNumber, commands } = logpb.DeliveriesOwed.decode(payload);
    reading.delivery(partition, target).owed = firstNumber + BigInt(commands.length) - 1n;
  },
  'log.DeliveriesSettled': (reading, payload, { partition }) => {
    const { target, firstNumber, lastNumber } = logpb.DeliveriesSettled.decode(payload);
    if (lastNumber >= firstNumber) reading.delivery(partition, target).settled = lastNumber;
  },
  'reservation.NumberReserved': (reading, payload) => {
    const reserved = reservationpb.NumberReserved.decode(payload);
    if (reading.numbers.has(reserved.number)) reading.contradict(`number ${reserved.number} is reserved twice`);
    else reading.numbers.set(reserved.number, new ReadNumber(reserved, reading.contradict));
  },
  'reservation.PlaceAwaited': ofNumber((number) => number.placeAwaited()),
  'reservation.PlaceObtained': ofNumber((number, payload) => number.placeObtained(reservationpb.PlaceObtained.decode(payload).pending)),
  'reservation.MoneyHeld': ofNumber((number, payload) => number.moneyHeld(reservationpb.MoneyHeld.decode(payload).pending)),
  'reservation.ReservationRejected': ofNumber((number, payload) => {
    const { reason, byAccount } = reservationpb.ReservationRejected.decode(payload);
    number.rejected(reason, byAccount);
  }),
  'reservation.ReservationAssociated': ofNumber((number, payload) => number.associated(reservationpb.ReservationAssociated.decode(payload).associateId)),
  'reservation.ReservationCompleted': ofNumber((number) => number.completed()),
  'reservation.ReservationCancelled': ofNumber((number) => number.cancelled()),
  'reservation.ReservationExpired': ofNumber((number, _payload, { atUs }) => number.expired(atUs)),
  'reservation.HoldExtended': ofNumber((number, payload) => number.extended(reservationpb.HoldExtended.decode(payload).expiresAtUs)),
  'reservation.LatePlacesReturned': ofNumber((number) => number.latePlacesReturned()),
  'reservation.LateMoneyReleased': ofNumber((number) => number.moneyMoves('ASKED', 'RELEASED')),
  'reservation.MoneyCaptured': ofNumber((number) => number.moneyMoves('CAPTURING', 'CAPTURED')),
  'reservation.MoneyPaid': ofNumber((number) => number.moneyMoves('CAPTURED', 'PAID')),
  'reservation.MoneyReturned': ofNumber((number) => number.moneyMoves('CAPTURING or CAPTURED', 'RETURNED')),
  'reservation.CapacitySet': ofResource((resource, payload) => resource.capacitySet(reservationpb.CapacitySet.decode(payload).capacity)),
  'reservation.PlacesTaken': ofResource((resource, payload) => resource.placesTaken(reservationpb.PlacesTaken.decode(payload))),
  'reservation.PlacesQueued': ofResource((resource, payload) => resource.placesQueued(reservationpb.PlacesQueued.decode(payload))),
  'reservation.PlacesGranted': ofResource((resource, payload) => resource.placesGranted(reservationpb.PlacesGranted.decode(payload))),
  'reservation.PlacesReturned': ofResource((resource, payload) => resource.placesReturned(reservationpb.PlacesReturned.decode(payload))),
  'reservation.NumberAsked': ofIdentity((identity, payload) => identity.numberAsked(reservationpb.NumberAsked.decode(payload))),
  'reservation.NumberReported': ofIdentity((identity, payload) => identity.numberReported(reservationpb.NumberReported.decode(payload))),
  'reservation.AssociateTaken': ofIdentity((identity, payload, { atUs }) => identity.associateTaken(reservationpb.AssociateTaken.decode(payload), atUs)),
  'reservation.AssociateSent': ofIdentity((identity, payload) => identity.associateSent(reservationpb.AssociateSent.decode(payload))),
  'reservation.AssociateParked': ofIdentity((identity, payload) => identity.associateParked(reservationpb.AssociateParked.decode(payload))),
  'reservation.AssociateEnded': ofIdentity((identity, payload, { atUs }) => identity.associateEnded(reservationpb.AssociateEnded.decode(payload), atUs)),
};
