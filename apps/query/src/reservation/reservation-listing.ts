/** Listings of reservations: through the index of the filter that leaves the fewest rows, and past those that the other filters leave out. */
import type { CollectionDefinition, ReadCopy, RowPage, RowQuery } from '@sluice/ports';
import { parkedMessage, RESERVATION_ASSOCIATES, RESERVATIONS, reservationMessage } from '@sluice/projections/reservation';
import { reservationpb } from '@sluice/protocol/reservation';
import { findMatching, type RowFilter } from '../filtered-rows';
import { checkedName, checkedPageSize, checkedTimeUs, checkKey } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

const STATES = { names: reservationpb.ReservationState, prefix: 'RESERVATION_STATE_', what: 'a state' };

type CopyOf = () => Promise<ReadCopy>;

export async function listReservations(
  copyOf: CopyOf,
  request: reservationpb.ListReservationsRequest,
): Promise<Omit<reservationpb.ListReservationsResponse, 'positionToken'>> {
  const { identityId, resourceId, reservedFrom, reservedBefore, newestFirst } = request;
  if (identityId !== '') checkKey('identity_id', identityId);
  if (resourceId !== '') checkKey('resource_id', resourceId);
  const state = checkedName('state', STATES, request.state);
  const from = reservedFrom && checkedTimeUs('reserved_from', reservedFrom);
  const before = reservedBefore && checkedTimeUs('reserved_before', reservedBefore);
  // What leaves the fewest rows comes first.
  const filters: readonly (RowFilter & { readonly index: string })[] = [
    { index: 'by_identity', field: 'identity_id', value: identityId },
    { index: 'by_resource', field: 'resource_id', value: resourceId },
    { index: 'by_state', field: 'state', value: state },
  ].filter(({ value }) => value !== '');
  const [first, ...others] = filters;
  const query = {
    index: first?.index ?? 'by_time',
    ...(first === undefined ? undefined : { equals: { [first.field]: first.value } }),
    range: { ...(from === undefined ? undefined : { from }), ...(before === undefined ? undefined : { before }) },
  };
  const scope = ['reservations', identityId, resourceId, state, String(from), String(before), newestFirst];
  const { rows, nextPageToken } = await pageOf(copyOf, RESERVATIONS, query, scope, request, others);
  return { reservations: rows.map(reservationMessage), nextPageToken };
}

export async function listParkedRequests(
  copyOf: CopyOf,
  request: reservationpb.ListParkedRequestsRequest,
): Promise<Omit<reservationpb.ListParkedRequestsResponse, 'positionToken'>> {
  const { identityId, newestFirst } = request;
  if (identityId !== '') checkKey('identity_id', identityId);
  const parked = { state: 'PARKED' };
  const query = identityId === '' ? { index: 'by_state', equals: parked } : { index: 'by_identity', equals: { identity_id: identityId, ...parked } };
  const { rows, nextPageToken } = await pageOf(copyOf, RESERVATION_ASSOCIATES, query, ['parked requests', identityId, newestFirst], request, []);
  return { requests: rows.map(parkedMessage), nextPageToken };
}

type PageRequest = Pick<reservationpb.ListReservationsRequest, 'newestFirst' | 'pageSize' | 'pageToken'>;

async function pageOf(
  copyOf: CopyOf,
  definition: CollectionDefinition,
  chosen: Pick<RowQuery, 'index' | 'equals' | 'range'>,
  scope: readonly unknown[],
  { newestFirst, pageSize, pageToken }: PageRequest,
  filters: readonly RowFilter[],
): Promise<Pick<RowPage, 'rows'> & { readonly nextPageToken: string }> {
  const limit = checkedPageSize(pageSize);
  const query = { collection: definition.name, ...chosen, direction: newestFirst ? ('descending' as const) : ('ascending' as const) };
  const after = placeOfPage(definition, query, scope, pageToken);
  const { rows, next } = await findMatching(await copyOf(), definition, { ...query, after, limit }, filters);
  return { rows, nextPageToken: tokenOfPlace(scope, next) };
}
