/** ReservationQueryService: reads of reservations, from the read store alone. */
import type { ReadCopy } from '@sluice/ports';
import {
  isSettled,
  RESERVATION_IDENTITIES,
  RESERVATION_RESOURCES,
  RESERVATIONS,
  reservationMessage,
  resourceMessage,
  userStateMessage,
} from '@sluice/projections/reservation';
import { reservationpb } from '@sluice/protocol/reservation';
import { refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { type Freshness, mergedToken } from '../freshness';
import { GatheredReads } from '../gathered-reads';
import { checkKey } from '../request-shape';
import type { SharedWatches } from '../shared-watches';
import { listParkedRequests, listReservations } from './reservation-listing';

export function reservationQueryService(freshness: Freshness, reservations: SharedWatches<reservationpb.Reservation>): ServiceRegistration {
  // Ten thousand calls may begin to watch one reservation at once.
  const gathered = new GatheredReads<ReadCopy, reservationpb.Reservation | undefined>(readReservation);
  const implementation: reservationpb.ReservationQueryServiceServer = {
    ...readMethods(freshness),

    watchReservation: serverStream<reservationpb.WatchReservationRequest, reservationpb.WatchReservationResponse>(async function* (request, call) {
      const { number } = request;
      const positionToken = mergedToken(request);
      checkKey('number', number);
      const now = found(await gathered.now(await freshness.copyFor(request, call), number), number);
      yield { reservation: now, positionToken };
      if (isSettled(now)) return;
      for await (const { state } of reservations.watch(number, Number(now.sequence), call.signal)) {
        yield { reservation: state, positionToken };
        if (isSettled(state)) return;
      }
    }),
  };
  return {
    name: 'sluice.reservation.v1.ReservationQueryService',
    definition: reservationpb.ReservationQueryServiceService,
    implementation: { ...implementation },
  };
}

type ReadMethod = 'getReservation' | 'listReservations' | 'getCapacity' | 'getUserState' | 'listParkedRequests';

function readMethods(freshness: Freshness): Pick<reservationpb.ReservationQueryServiceServer, ReadMethod> {
  return {
    getReservation: unary<reservationpb.GetReservationRequest, reservationpb.GetReservationResponse>(async (request, call) => {
      const { number } = request;
      checkKey('number', number);
      const reservation = found(await readReservation(await freshness.copyFor(request, call), number), number);
      return { reservation, positionToken: mergedToken(request) };
    }),

    listReservations: unary<reservationpb.ListReservationsRequest, reservationpb.ListReservationsResponse>(async (request, call) => {
      const page = await listReservations(() => freshness.copyFor(request, call), request);
      return { ...page, positionToken: mergedToken(request) };
    }),

    getCapacity: unary<reservationpb.GetCapacityRequest, reservationpb.GetCapacityResponse>(async (request, call) => {
      const { resourceId } = request;
      checkKey('resource_id', resourceId);
      const row = await (await freshness.copyFor(request, call)).get(RESERVATION_RESOURCES.name, resourceId);
      if (row === undefined) throw refusal('RESERVATION_RESOURCE_NOT_FOUND', `there is no resource "${resourceId}"`, { resource_id: resourceId });
      return { resource: resourceMessage(row), positionToken: mergedToken(request) };
    }),

    getUserState: unary<reservationpb.GetUserStateRequest, reservationpb.GetUserStateResponse>(async (request, call) => {
      const { identityId } = request;
      checkKey('identity_id', identityId);
      const row = await (await freshness.copyFor(request, call)).get(RESERVATION_IDENTITIES.name, identityId);
      return { ...userStateMessage(row), positionToken: mergedToken(request) };
    }),

    listParkedRequests: unary<reservationpb.ListParkedRequestsRequest, reservationpb.ListParkedRequestsResponse>(async (request, call) => {
      const page = await listParkedRequests(() => freshness.copyFor(request, call), request);
      return { ...page, positionToken: mergedToken(request) };
    }),
  };
}

async function readReservation(copy: ReadCopy, number: string): Promise<reservationpb.Reservation | undefined> {
  const row = await copy.get(RESERVATIONS.name, number);
  return row && reservationMessage(row);
}

function found(reservation: reservationpb.Reservation | undefined, number: string): reservationpb.Reservation {
  if (reservation === undefined) throw refusal('RESERVATION_NOT_FOUND', `nothing is reserved under "${number}"`, { number });
  return reservation;
}
