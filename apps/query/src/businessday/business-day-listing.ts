/** Listings of branches, runs and products: each reads one index in its order. */
import type { CollectionDefinition, ReadCopy, Row, RowQuery } from '@sluice/ports';
import { checkedPageSize } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface ListedRows {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
}

/** @param scope the listing, and what it is of. */
export async function listRows(
  copyOf: () => Promise<ReadCopy>,
  definition: CollectionDefinition,
  chosen: Pick<RowQuery, 'index' | 'equals' | 'direction'>,
  scope: readonly unknown[],
  { pageSize, pageToken }: PageRequest,
): Promise<ListedRows> {
  const limit = checkedPageSize(pageSize);
  const query = { collection: definition.name, ...chosen };
  const after = placeOfPage(definition, query, scope, pageToken);
  const { rows, next } = await (await copyOf()).find({ ...query, after, limit });
  return { rows, nextPageToken: tokenOfPlace(scope, next) };
}
