/** Page tokens of listings that read rows through an index: the cursor is the place of the last row in the order of the query. */
import { type CollectionDefinition, decodePosition, encodePosition, InvalidRowQueryError, type RowPosition, type RowQuery, scanOf } from '@sluice/ports';
import { refusal } from '@sluice/service';
import { decodePageToken, encodePageToken } from './page-token';

/** Where the page begins; undefined: at the beginning. Refuses a token that this listing, with these filters, did not give out. */
export function placeOfPage(
  definition: CollectionDefinition,
  query: Omit<RowQuery, 'after' | 'limit'>,
  scope: readonly unknown[],
  token: string,
): RowPosition | undefined {
  const cursor = decodePageToken(scope, token);
  if (cursor === undefined) return undefined;
  const after = decodePosition(cursor);
  if (after === undefined) throw refusal('PAGE_TOKEN_INVALID');
  return checkedPlace(definition, query, after);
}

/** Refuses a place that the query has not. */
export function checkedPlace<Place extends RowPosition | undefined>(
  definition: CollectionDefinition,
  query: Omit<RowQuery, 'after' | 'limit'>,
  after: Place,
): Place {
  try {
    scanOf(definition, { ...query, after, limit: 1 });
  } catch (error) {
    if (error instanceof InvalidRowQueryError) throw refusal('PAGE_TOKEN_INVALID');
    throw error;
  }
  return after;
}

/** The token of the page that goes on from the place; empty where there is no more. */
export function tokenOfPlace(scope: readonly unknown[], place: RowPosition | undefined): string {
  return place === undefined ? '' : encodePageToken(scope, encodePosition(place));
}
