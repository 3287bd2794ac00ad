/**
 * Listings with several filters: the rows are read through the index of one of them, in its order, and those that the others
 * leave out are passed over. Their number is bounded, so a page may come short, or empty, with a place to go on from.
 */
import { type CollectionDefinition, positionOf, type ReadCopy, type Row, type RowPage, type RowPosition, type RowQuery } from '@sluice/ports';

export interface RowFilter {
  readonly field: string;
  readonly value: string;
}

/** Rows that one page looks at, at most. */
export const MAXIMUM_EXAMINED_ROWS = 10_000;
/** Rows read in one step: others have the thread between two steps. */
const STEP_ROWS = 500;

export async function findMatching(copy: ReadCopy, definition: CollectionDefinition, query: RowQuery, filters: readonly RowFilter[]): Promise<RowPage> {
  if (filters.length === 0) return copy.find(query);
  const matching: Row[] = [];
  let { after } = query;
  for (let examined = 0; examined < MAXIMUM_EXAMINED_ROWS; examined += STEP_ROWS) {
    const page = await copy.find({ ...query, after, limit: STEP_ROWS });
    for (const row of page.rows) if (filters.every(({ field, value }) => row[field] === value)) matching.push(row);
    // One more than asked for says that there is another page.
    if (matching.length > query.limit) return pageOf(definition, query, matching);
    if (page.next === undefined) return { rows: matching, next: undefined };
    after = page.next;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { rows: matching, next: after };
}

function pageOf(definition: CollectionDefinition, query: RowQuery, matching: readonly Row[]): { rows: Row[]; next: RowPosition } {
  const rows = matching.slice(0, query.limit);
  return { rows, next: positionOf(definition, query, rows.at(-1) as Row) };
}
