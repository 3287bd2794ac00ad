/** Everything that can be done with reservations. */
import { randomUUID } from 'node:crypto';
import { reservationpb } from '@sluice/protocol/reservation';
import type { BatchingOptions } from '../batching-options';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { callCommand } from '../command-call';
import { checkBatch, sendItems } from '../item-batch';
import { ItemBatcher } from '../item-batcher';
import type { PositionTracker } from '../position-tracker';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads, type WatchOptions } from '../reads';
import type { SluiceError } from '../sluice-error';
import { timeToWire } from '../time-wire';
import type {
  Associated,
  AssociateInput,
  AssociateOutcome,
  CapacitySet,
  ReservationChange,
  ReservationChanged,
  Reserved,
  ReserveInput,
  ReserveOutcome,
} from './reservation';
import type { ParkedFilter, ParkedRequest, Reservation, ReservationFilter, Resource, UserState } from './reservation-state';
import { parkedFromWire, reservationFromWire, resourceFromWire, stateToWire, userStateFromWire } from './reservation-state-wire';
import { associateOutcomeOf, associateSizeBytes, associateToWire, reserveOutcomeOf, reserveSizeBytes, reserveToWire, usOf } from './reservation-wire';

/** @internal */
export interface ReservationsClientOptions {
  readonly caller: Caller;
  readonly commands: reservationpb.ReservationCommandServiceClient;
  readonly queries: reservationpb.ReservationQueryServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
  readonly batching: BatchingOptions | undefined;
}

export class ReservationsClient {
  readonly #options: ReservationsClientOptions;
  readonly #reserving: ItemBatcher<reservationpb.ReserveRequest, Reserved>;
  readonly #associating: ItemBatcher<reservationpb.AssociateRequest, Associated>;

  /** @internal Made by SluiceClient. */
  constructor(options: ReservationsClientOptions) {
    this.#options = options;
    const requestIdOf = ({ requestId }: { readonly requestId: string }): string => requestId;
    this.#reserving = new ItemBatcher<reservationpb.ReserveRequest, Reserved>(
      options.caller,
      {
        plural: 'reservations',
        requestIdOf,
        sizeBytes: reserveSizeBytes,
        encode: (item) => reservationpb.ReserveRequest.encode(item).finish(),
        send: (items, deadlineAt) => this.#reserveOnce([...items], deadlineAt),
      },
      options.batching,
    );
    this.#associating = new ItemBatcher<reservationpb.AssociateRequest, Associated>(
      options.caller,
      {
        plural: 'associate requests',
        requestIdOf,
        sizeBytes: associateSizeBytes,
        encode: (item) => reservationpb.AssociateRequest.encode(item).finish(),
        send: (items, deadlineAt) => this.#associateOnce([...items], deadlineAt),
      },
      options.batching,
    );
  }

  /**
   * Reserves a number for an identity; travels together with what else is reserved at the same time. Resolves when it is accepted, durably, and says
   * where it stands within 2 s: RESERVED, REJECTED with a reason, PENDING … Throws a SluiceError when the identity does not accept it.
   */
  async reserve(input: ReserveInput, options?: CallOptions): Promise<Reserved> {
    return this.#reserving.add(reserveToWire(input), this.#options.caller.deadlineAt(options));
  }

  /** Up to 10,000 reservations in one call; each has its own outcome, in order. Refusals do not throw. */
  async reserveBatch(inputs: readonly ReserveInput[], options: CallOptions = {}): Promise<ReserveOutcome[]> {
    checkBatch(inputs.length, 'reservations');
    const { caller } = this.#options;
    const deadlineAt = caller.deadlineAt(options);
    const send = (items: readonly reservationpb.ReserveRequest[]): Promise<ReserveOutcome[]> => this.#reserveOnce([...items], deadlineAt);
    const failed = ({ requestId, number }: reservationpb.ReserveRequest, error: SluiceError): ReserveOutcome => ({
      requestId,
      number,
      error: error.about(requestId),
    });
    return sendItems(caller, { items: inputs.map(reserveToWire), send, failed }, deadlineAt);
  }

  /**
   * Associates with a number of an identity, or with the first that is reserved; travels together with what else is associated at the same time.
   * Resolves when it is accepted, durably: ASSOCIATED with the number, PARKED until one is there, REJECTED with a reason …
   */
  async associate(input: AssociateInput, options?: CallOptions): Promise<Associated> {
    return this.#associating.add(associateToWire(input), this.#options.caller.deadlineAt(options));
  }

  /** Up to 10,000 associate requests in one call; each has its own outcome, in order. Refusals do not throw. */
  async associateBatch(inputs: readonly AssociateInput[], options: CallOptions = {}): Promise<AssociateOutcome[]> {
    checkBatch(inputs.length, 'associate requests');
    const { caller } = this.#options;
    const deadlineAt = caller.deadlineAt(options);
    const send = (items: readonly reservationpb.AssociateRequest[]): Promise<AssociateOutcome[]> => this.#associateOnce([...items], deadlineAt);
    const failed = ({ requestId, identityId }: reservationpb.AssociateRequest, error: SluiceError): AssociateOutcome => ({
      requestId,
      identityId,
      error: error.about(requestId),
    });
    return sendItems(caller, { items: inputs.map(associateToWire), send, failed }, deadlineAt);
  }

  /** Completes a reservation that is ASSOCIATED. It keeps its places; its money goes to the payee. */
  async complete(number: string, change: ReservationChange = {}, options?: CallOptions): Promise<ReservationChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.complete.bind(commands), changeToWire(number, change), options);
  }

  /** Cancels a reservation that is PENDING, RESERVED or ASSOCIATED. Its places and its money are given back. */
  async cancel(number: string, change: ReservationChange = {}, options?: CallOptions): Promise<ReservationChanged> {
    const { commands } = this.#options;
    return this.#changed(commands.cancel.bind(commands), changeToWire(number, change), options);
  }

  /** Sets when a reservation that is PENDING or RESERVED expires. @param expiresAt undefined: never. */
  async extendHold(
    number: string,
    expiresAt: Date | undefined,
    change: Omit<ReservationChange, 'note'> = {},
    options?: CallOptions,
  ): Promise<ReservationChanged> {
    const { commands } = this.#options;
    const { requestId = randomUUID(), identityId = '' } = change;
    return this.#changed(commands.extendHold.bind(commands), { requestId, number, identityId, expiresAtUs: usOf(expiresAt) }, options);
  }

  /** Sets how many places a resource has. The first request makes the resource. */
  async setCapacity(resourceId: string, capacity: number, requestId: string = randomUUID(), options?: CallOptions): Promise<CapacitySet> {
    const { commands } = this.#options;
    const request = { requestId, resourceId, capacity: BigInt(capacity) };
    const { taken, waiting, repeated, positionToken } = await callCommand(this.#options, commands.setCapacity.bind(commands), request, options);
    return { requestId, resourceId, taken: Number(taken), waiting, repeated, positionToken };
  }

  // Reads.

  async get(number: string, options?: ReadOptions): Promise<Reservation> {
    const { queries, reads } = this.#options;
    const { reservation } = await reads.read(queries.getReservation.bind(queries), { number, ...reads.covering(options) }, options);
    return reservationFromWire(reservation);
  }

  async listPage(filter: ReservationFilter = {}, options: PageOptions = {}): Promise<Page<Reservation>> {
    const { queries, reads } = this.#options;
    const request: reservationpb.ListReservationsRequest = {
      identityId: filter.identityId ?? '',
      resourceId: filter.resourceId ?? '',
      state: stateToWire(filter.state),
      reservedFrom: timeToWire(filter.reservedFrom),
      reservedBefore: timeToWire(filter.reservedBefore),
      newestFirst: filter.newestFirst ?? false,
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { reservations, nextPageToken } = await reads.read(queries.listReservations.bind(queries), request, options);
    return { items: reservations.map(reservationFromWire), nextPageToken };
  }

  /** Reservations by the time at which their numbers took them, page after page as they are asked for. */
  list(filter: ReservationFilter = {}, options: PageOptions = {}): AsyncGenerator<Reservation, void, undefined> {
    return iteratePages((page) => this.listPage(filter, page), options);
  }

  /** Places of a resource, and its waiting list. */
  async capacity(resourceId: string, options?: ReadOptions): Promise<Resource> {
    const { queries, reads } = this.#options;
    const { resource } = await reads.read(queries.getCapacity.bind(queries), { resourceId, ...reads.covering(options) }, options);
    return resourceFromWire(resource);
  }

  /** Where an identity stands, as its buffer knows it. */
  async userState(identityId: string, options?: ReadOptions): Promise<UserState> {
    const { queries, reads } = this.#options;
    return userStateFromWire(await reads.read(queries.getUserState.bind(queries), { identityId, ...reads.covering(options) }, options));
  }

  async parkedPage(filter: ParkedFilter = {}, options: PageOptions = {}): Promise<Page<ParkedRequest>> {
    const { queries, reads } = this.#options;
    const { identityId = '', newestFirst = false } = filter;
    const request = { identityId, newestFirst, pageSize: options.pageSize ?? 0, pageToken: options.pageToken ?? '', ...reads.covering(options) };
    const { requests, nextPageToken } = await reads.read(queries.listParkedRequests.bind(queries), request, options);
    return { items: requests.map(parkedFromWire), nextPageToken };
  }

  /** Associate requests that are parked, by the time at which they were accepted, page after page as they are asked for. */
  parked(filter: ParkedFilter = {}, options: PageOptions = {}): AsyncGenerator<ParkedRequest, void, undefined> {
    return iteratePages((page) => this.parkedPage(filter, page), options);
  }

  /** The reservation as it is now, then again after changes, until it is over and its money has arrived. */
  async *watch(number: string, options?: WatchOptions): AsyncGenerator<Reservation, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { number, ...reads.covering(options) };
    for await (const { reservation } of caller.stream((metadata) => queries.watchReservation(request, metadata), options))
      yield reservationFromWire(reservation);
  }

  async #reserveOnce(reservations: reservationpb.ReserveRequest[], deadlineAt: number): Promise<ReserveOutcome[]> {
    const { caller, commands, positions } = this.#options;
    const { results, positionToken } = await caller.attempt(commands.reserveBatch.bind(commands), { reservations }, deadlineAt);
    positions.add(positionToken);
    return reservations.map((item, at) => reserveOutcomeOf(item, results[at], positionToken));
  }

  async #associateOnce(associates: reservationpb.AssociateRequest[], deadlineAt: number): Promise<AssociateOutcome[]> {
    const { caller, commands, positions } = this.#options;
    const { results, positionToken } = await caller.attempt(commands.associateBatch.bind(commands), { associates }, deadlineAt);
    positions.add(positionToken);
    return associates.map((item, at) => associateOutcomeOf(item, results[at], positionToken));
  }

  async #changed<Request extends { readonly requestId: string; readonly number: string }>(
    method: UnaryMethod<Request, reservationpb.CancelResponse>,
    request: Request,
    options: CallOptions | undefined,
  ): Promise<ReservationChanged> {
    const { repeated, positionToken } = await callCommand(this.#options, method, request, options);
    return { requestId: request.requestId, number: request.number, repeated, positionToken };
  }
}

function changeToWire(number: string, { requestId = randomUUID(), identityId = '', note = '' }: ReservationChange): reservationpb.CancelRequest {
  return { requestId, number, identityId, note };
}
