/**
 * Callers that reserve numbers for identities, with places of resources that are too small and money of an account that has too little; associate, complete, cancel
 * and extend, often the same number from several sides. When the deployment is calm the judge waits until nothing is under way, and reads the log:
 *
 *   - a number has one identity, its states never go back, and every answer was true;
 *   - no resource has more places taken than it has; the waiting list is served in order of arrival;
 *   - places that are taken are those of numbers that hold them, and each is given back once;
 *   - every reservation and every associate request has an answer: reserved, waiting, refused or expired with a reason, associated, or parked because no number is there;
 *   - money is held once, and released, or captured and paid, or given back, once, by the entries of the accounts;
 *   - queries say of every number and every resource what the log says.
 */
import { reservationpb } from '@sluice/protocol/reservation';
import { readEntriesOfFunds } from '../money/entries-of-funds';
import { fundedAccount } from '../money/funded-account';
import { answerOrReason, readOr } from '../world/call-failed';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { expectedEntries } from './money-of-numbers';
import { associateIdOf, reservationReader, type ReservationReading } from './reservation-model';

const COMMANDS = reservationpb.ReservationCommandServiceService;
const QUERIES = reservationpb.ReservationQueryServiceService;
const { AssociateState, ReservationState } = reservationpb;
const CALLERS = 3;
const STEPS_PER_CALLER = 12;
const LOOK_US = 250_000;

const IDENTITIES = ['ada', 'bob'];
const CAPACITIES: Readonly<Record<string, bigint>> = { hall: 3n, room: 1n };
/** "nowhere" has no capacity. */
const RESOURCES = ['hall', 'hall', 'room', 'room', 'nowhere', ''];
const WALLET = 'guest-wallet';
const WALLET_MINOR = 100n;
const HOTEL = 'hotel';
const UNIT = 'EUR';
const OVER = ['COMPLETED', 'REJECTED', 'CANCELLED', 'EXPIRED'];

/** A request and every answer that it had. */
interface Asked<Request> {
  readonly request: Request;
  readonly answers: string[];
  readonly refusals: string[];
}

interface ChangeRequest {
  readonly kind: 'complete' | 'cancel' | 'extendHold';
  readonly number: string;
  readonly bytes: Uint8Array;
}

export class ReservationWorkload implements Workload {
  readonly #callers: CallerGroup;
  readonly #reserved = new Map<string, Asked<reservationpb.ReserveRequest>>();
  readonly #associates = new Map<string, Asked<reservationpb.AssociateRequest>>();
  readonly #changes = new Map<string, Asked<ChangeRequest>>();

  constructor(private readonly deployment: Deployment) {
    this.#callers = new CallerGroup(deployment, 'guest', CALLERS);
  }

  get done(): boolean {
    return this.#callers.done;
  }

  get progress(): string {
    return `${this.#reserved.size} reservations, ${this.#associates.size} associate requests answered, ${this.#callers.progress}`;
  }

  begin(): void {
    this.#callers.begin((callers, number) => this.#visit(callers, number));
  }

  async #visit(callers: Callers, caller: number): Promise<void> {
    const { random } = callers;
    await this.#prepare(callers);
    const steps = this.deployment.partOf(STEPS_PER_CALLER);
    // Callers meet at some of the numbers.
    const drawNumber = (): string => `n${random.below(steps * 2)}`;
    for (let step = 0; step < steps; step += 1) {
      const requestId = `${caller}-${step}`;
      await this.#reserve(callers, drawReservation(callers, requestId, drawNumber()));
      if (random.chance(0.5)) await this.#associate(callers, drawAssociate(callers, requestId, random.chance(0.5) ? drawNumber() : ''));
      if (random.chance(0.4)) await this.#change(callers, requestId, changeOf('complete', requestId, this.#drawAssociated(callers) ?? drawNumber()));
      if (random.chance(0.4)) await this.#change(callers, `${requestId}-x`, changeOf('cancel', `${requestId}-x`, drawNumber()));
      if (random.chance(0.2)) await this.#change(callers, `${requestId}-e`, changeOf('extendHold', `${requestId}-e`, drawNumber(), soonUs(callers)));
      if (random.chance(0.1)) await this.#setCapacity(callers, `capacity-${requestId}`, random.pick(Object.keys(CAPACITIES)), BigInt(random.between(1, 4)));
      if (random.chance(0.2)) await this.#repeatOne(callers, caller);
      await callers.pause(random.below(500_000));
    }
  }

  #drawAssociated({ random }: Callers): string | undefined {
    const told = [...this.#associates.values()].flatMap(({ answers }) => answers.at(-1)?.split(' ') ?? []);
    const numbers = told.flatMap((word, at) => (word === 'ASSOCIATED' ? [told[at + 1] ?? ''] : []));
    return numbers.length === 0 ? undefined : random.pick(numbers);
  }

  /** Every caller asks for the same, with the same request ids: it is done once. */
  async #prepare(callers: Callers): Promise<void> {
    await fundedAccount(callers, WALLET, UNIT, WALLET_MINOR);
    await fundedAccount(callers, HOTEL, UNIT, 0n);
    for (const [resourceId, capacity] of Object.entries(CAPACITIES)) await this.#setCapacity(callers, 'capacity', resourceId, capacity);
  }

  /** Refused where more places are taken. */
  async #setCapacity(callers: Callers, requestId: string, resourceId: string, capacity: bigint): Promise<void> {
    const request = reservationpb.SetCapacityRequest.encode({ requestId, resourceId, capacity }).finish();
    await answerOrReason(callers.call('command', COMMANDS.setCapacity.path, request));
  }

  /** Of its own requests: no other caller asks at the same time. */
  async #repeatOne(callers: Callers, caller: number): Promise<void> {
    const { request } = callers.random.pick([...this.#reserved].filter(([key]) => key.startsWith(`${caller}-`)))[1];
    await this.#askToReserve(callers, request);
  }

  /** Sometimes a caller cancels before it knows the answer. */
  async #reserve(callers: Callers, request: reservationpb.ReserveRequest): Promise<void> {
    const { random } = callers;
    const { requestId, number } = request;
    const asked = this.#askToReserve(callers, request);
    if (random.chance(0.2)) {
      await callers.pause(random.below(20_000));
      await this.#change(callers, `${requestId}-c`, changeOf('cancel', `${requestId}-c`, number));
    }
    await asked;
  }

  #askToReserve(callers: Callers, request: reservationpb.ReserveRequest): Promise<void> {
    const bytes = reservationpb.ReserveRequest.encode(request).finish();
    return this.#ask(callers, this.#reserved, request.requestId, request, COMMANDS.reserve.path, bytes, reserveAnswer);
  }

  #associate(callers: Callers, request: reservationpb.AssociateRequest): Promise<void> {
    const bytes = reservationpb.AssociateRequest.encode(request).finish();
    return this.#ask(callers, this.#associates, request.requestId, request, COMMANDS.associate.path, bytes, associateAnswer);
  }

  #change(callers: Callers, key: string, request: ChangeRequest): Promise<void> {
    return this.#ask(callers, this.#changes, key, request, COMMANDS[request.kind].path, request.bytes, (bytes) => ({
      answer: 'done',
      repeated: reservationpb.CompleteResponse.decode(bytes).repeated,
    }));
  }

  /** A request that was accepted before must say so; one that was refused, and recorded, is refused again. */
  async #ask<Request>(
    callers: Callers,
    kept: Map<string, Asked<Request>>,
    key: string,
    request: Request,
    path: string,
    bytes: Uint8Array,
    read: (answer: Uint8Array) => { readonly answer: string; readonly repeated: boolean },
  ): Promise<void> {
    const { world } = this.deployment;
    const what = `${path} ${key}`;
    const known = kept.get(key) ?? { request, answers: [], refusals: [] };
    const answer = await answerOrReason(callers.call('command', path, bytes));
    kept.set(key, known);
    if (typeof answer === 'string') {
      if (known.answers.length > 0) world.breach(`${what} was accepted and then refused: ${answer}`);
      if (answer === 'RESERVATION_NOT_FOUND') return;
      if (known.refusals.some((before) => before !== answer)) world.breach(`${what} was refused with ${known.refusals.join(', ')} and then ${answer}`);
      known.refusals.push(answer);
      return;
    }
    const told = read(answer);
    world.trace.note('answer', `${what}: ${told.answer}`);
    if (known.refusals.length > 0) world.breach(`${what} was refused with ${known.refusals.join(', ')} and then accepted`);
    if (known.answers.length > 0 && !told.repeated) world.breach(`${what} was accepted twice, the second time not as a repeat`);
    known.answers.push(told.answer);
  }

  async judge(): Promise<void> {
    const [callers] = this.#callers.members;
    if (callers === undefined) return;
    const reading = await this.#untilNothingIsUnderWay();
    const { world } = this.deployment;
    if (world.breaches.length > 0) return;
    for (const { request } of this.#reserved.values()) await this.#askToReserve(callers, request);
    for (const { request } of this.#associates.values()) await this.#associate(callers, request);
    for (const [key, { request, answers }] of this.#changes) if (answers.length > 0) await this.#change(callers, key, request);
    this.#compareReserved(reading);
    this.#compareAssociates(reading);
    this.#compareChanges(reading);
    this.#compareMoney(reading);
    await this.#compareQueries(callers, reading);
  }

  /** If something never ends, the judge does not, and that is a breach. */
  async #untilNothingIsUnderWay(): Promise<ReservationReading> {
    const { world, cluster } = this.deployment;
    const read = reservationReader(cluster.decodedLog);
    for (;;) {
      const reading = read();
      for (const contradiction of reading.contradictions) world.breach(`the log contradicts itself: ${contradiction}`);
      const differences = reading.differences();
      if (world.breaches.length > 0 || differences.length === 0) return reading;
      world.trace.note('judge', `not done: ${differences.join('; ')}`);
      await this.deployment.growth(LOOK_US);
    }
  }

  #compareReserved({ numbers, identities }: ReservationReading): void {
    const { world } = this.deployment;
    for (const [requestId, { request, answers }] of this.#reserved) {
      const { identityId, number } = request;
      const isAccepted = answers.length > 0;
      const identity = identities.get(identityId);
      // A reservation of a number that is open already changes nothing, and is accepted.
      if (!isAccepted && identity?.reserveIds.has(requestId) === true) world.breach(`reservation ${requestId} was refused, and the log has it`);
      if (!isAccepted) continue;
      const read = numbers.get(number);
      if (read === undefined || identity?.numbers.has(number) !== true) {
        world.breach(`reservation ${requestId} of ${number} was accepted, and is not in the log`);
        continue;
      }
      const isOwn = read.reserved.identityId === identityId;
      const isWaiting = isOwn && read.state === 'PENDING' ? ' waiting' : '';
      const last = isOwn ? `${read.state}${isWaiting} ${read.reason}` : 'REJECTED RESERVATION_NUMBER_TAKEN';
      const wasTrue = (answer: string): boolean => {
        const state = answer.split(' ')[0] ?? '';
        if (!isOwn) return state === 'PENDING' || answer === last;
        if (OVER.includes(state)) return answer === last;
        return (state !== 'ASSOCIATED' || read.associateId !== '') && (state !== 'RESERVED' || read.state !== 'REJECTED');
      };
      const wrong = answers.filter((answer) => !wasTrue(answer));
      if (wrong.length > 0 || answers.at(-1) !== last)
        world.breach(`reservation ${requestId} of ${number} was answered "${answers.join(', ')}"; it is ${last}`);
    }
  }

  #compareAssociates({ identities }: ReservationReading): void {
    const { world } = this.deployment;
    for (const [requestId, { request, answers }] of this.#associates) {
      const associate = identities.get(request.identityId)?.associates.get(associateIdOf(requestId));
      if (answers.length > 0 !== (associate !== undefined))
        world.breach(`associate request ${requestId} was answered "${answers.join(', ')}"; it is ${associate?.state}`);
      if (associate === undefined) continue;
      const last = associate.state === 'OPEN' ? 'PARKED  ' : `${associate.state} ${associate.appliedTo} ${associate.reason}`;
      const wrong = answers.filter((answer) => answer !== last && !/^(PENDING|PARKED)/u.test(answer));
      if (wrong.length > 0 || answers.at(-1) !== last) world.breach(`associate request ${requestId} was answered "${answers.join(', ')}"; it is ${last}`);
    }
  }

  /** A number is completed or cancelled by one request. One that was told RESERVATION_NOT_FOUND may arrive once more, later, and be done: that answer is not recorded. */
  #compareChanges({ numbers }: ReservationReading): void {
    const { world } = this.deployment;
    const done = new Map<string, number>();
    const mayBeDone = new Set<string>();
    for (const [key, { request, answers, refusals }] of this.#changes) {
      const { kind, number } = request;
      if (kind === 'extendHold') continue;
      if (answers.length === 0) {
        if (refusals.length === 0) mayBeDone.add(number);
        continue;
      }
      const state = numbers.get(number)?.state;
      done.set(number, (done.get(number) ?? 0) + 1);
      if (state !== (kind === 'complete' ? 'COMPLETED' : 'CANCELLED')) world.breach(`${kind} ${key} of ${number} was done; the number is ${state}`);
    }
    for (const [number, { state }] of numbers) {
      const count = done.get(number) ?? 0;
      const isEnded = state === 'COMPLETED' || state === 'CANCELLED';
      if (count > 1 || (isEnded && count === 0 && !mayBeDone.has(number)))
        world.breach(`number ${number} is ${state}; ${count} requests completed or cancelled it`);
    }
  }

  #compareMoney({ numbers }: ReservationReading): void {
    const entriesOf = readEntriesOfFunds(this.deployment.cluster.decodedLog, [HOTEL]);
    for (const [number, read] of numbers) {
      const entries = String(entriesOf(number));
      const expected = expectedEntries(read);
      if (!expected.includes(entries))
        this.deployment.world.breach(`the money of ${number} is ${read.money}; its entries are [${entries}], not [${expected.join('] or [')}]`);
    }
  }

  async #compareQueries(callers: Callers, { numbers, resources }: ReservationReading): Promise<void> {
    for (const [number, { state }] of numbers) {
      const request = reservationpb.GetReservationRequest.encode(reservationpb.GetReservationRequest.fromPartial({ number })).finish();
      await this.#compareQuery(callers, `number ${number}`, state, 'RESERVATION_NOT_FOUND', async () => {
        const { reservation } = reservationpb.GetReservationResponse.decode(await callers.call('query', QUERIES.getReservation.path, request));
        return stateName(reservation?.state ?? 0);
      });
    }
    for (const [resourceId, { taken, waiting }] of resources) {
      const request = reservationpb.GetCapacityRequest.encode(reservationpb.GetCapacityRequest.fromPartial({ resourceId })).finish();
      await this.#compareQuery(callers, `resource ${resourceId}`, `${taken}, ${waiting.size} wait`, 'RESERVATION_RESOURCE_NOT_FOUND', async () => {
        const { resource } = reservationpb.GetCapacityResponse.decode(await callers.call('query', QUERIES.getCapacity.path, request));
        return `${resource?.taken ?? 0n}, ${resource?.waitingCount ?? 0n} wait`;
      });
    }
  }

  async #compareQuery(callers: Callers, what: string, wanted: string, absent: string, read: () => Promise<string>): Promise<void> {
    const found = await callers.readUntil(wanted, () => readOr('absent', absent, read));
    if (found !== wanted) this.deployment.world.breach(`${what} is read as ${found}; the log says ${wanted}`);
  }
}

function stateName(state: reservationpb.ReservationState): string {
  return ReservationState[state]?.slice('RESERVATION_STATE_'.length) ?? '';
}

function reserveAnswer(bytes: Uint8Array): { readonly answer: string; readonly repeated: boolean } {
  const { state, waiting, reason, repeated } = reservationpb.ReserveResponse.decode(bytes);
  return { answer: `${stateName(state)}${waiting ? ' waiting' : ''} ${reason}`, repeated };
}

function associateAnswer(bytes: Uint8Array): { readonly answer: string; readonly repeated: boolean } {
  const { state, number, reason, repeated } = reservationpb.AssociateResponse.decode(bytes);
  return { answer: `${AssociateState[state]?.slice('ASSOCIATE_STATE_'.length)} ${number} ${reason}`, repeated };
}

/** Some milliseconds to some seconds from now, by a clock that others may not share. */
function soonUs({ life, random }: Callers): bigint {
  return BigInt(life.clock.nowUs() + random.between(100_000, 3_000_000));
}

function drawReservation(callers: Callers, requestId: string, number: string): reservationpb.ReserveRequest {
  const { random } = callers;
  const money = { accountId: WALLET, amountMinor: BigInt(random.between(10, 40)), unit: UNIT, payeeAccountId: random.chance(0.8) ? HOTEL : 'gone' };
  return reservationpb.ReserveRequest.fromPartial({
    ...{ requestId, number, identityId: random.pick(IDENTITIES), resourceId: random.pick(RESOURCES), places: random.pick([1, 1, 2]) },
    waitForPlace: random.chance(0.6),
    expiresAtUs: random.chance(0.4) ? soonUs(callers) : 0n,
    ...(random.chance(0.5) && { money }),
  });
}

function drawAssociate({ random }: Callers, requestId: string, number: string): reservationpb.AssociateRequest {
  const parkMs = random.chance(0.5) ? BigInt(random.between(100, 3_000)) : 0n;
  return { requestId, identityId: random.pick(IDENTITIES), number, parkMs, note: '' };
}

function changeOf(kind: ChangeRequest['kind'], requestId: string, number: string, expiresAtUs = 0n): ChangeRequest {
  const request = { requestId, number, identityId: '', note: '', expiresAtUs };
  const message = { complete: reservationpb.CompleteRequest, cancel: reservationpb.CancelRequest, extendHold: reservationpb.ExtendHoldRequest }[kind];
  return { kind, number, bytes: message.encode(request).finish() };
}
