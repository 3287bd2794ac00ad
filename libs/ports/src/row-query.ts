/**
 * Queries of the read store. A query names a declared index and the part of it to read: values of its first fields, a range
 * on the next one, a direction, a place to go on from, a limit. Nothing else can be asked, so a query reads the rows that it
 * returns and no others.
 *
 *   index by_queue: queue, state, created_at_us, (key)
 *
 *   equals queue, state · range created_at_us · descending    the newest of a state in a span of time
 *   equals queue · after [state, created_at_us, key]          the next page of a queue
 */
import type { Row } from './read-store';

/** A value that can stand in an index. */
export type IndexedValue = string | bigint | number | boolean;

/**
 * A place between two rows of a query: what a row has in the fields of the index behind those that must equal, its key last.
 * It belongs to the query's index and `equals`, in either direction.
 */
export type RowPosition = readonly IndexedValue[];

export interface RowRange {
  /** The first value that belongs to it; undefined: from the beginning. */
  readonly from?: IndexedValue;
  /** The first value that does not belong to it any more; undefined: to the end. */
  readonly before?: IndexedValue;
}

export interface RowQuery {
  readonly collection: string;
  /** Name of an index of the collection; undefined: the key. */
  readonly index?: string;
  /** Values of the first fields of the index, without a gap. */
  readonly equals?: Readonly<Record<string, IndexedValue>>;
  /** Range of the field after those; where all fields must equal: of the key. */
  readonly range?: RowRange;
  /** The order is that of the index; `descending` reads it backwards. Ascending if undefined. */
  readonly direction?: 'ascending' | 'descending';
  /** Only rows behind this place, in the direction asked for. The row that it was taken from is left out. */
  readonly after?: RowPosition;
  /** At most so many rows; 1 to MAXIMUM_PAGE_ROWS. */
  readonly limit: number;
}

export const MAXIMUM_PAGE_ROWS = 10_000;

export interface RowPage {
  readonly rows: Row[];
  /** Where the next page goes on; undefined: there are no more rows now. */
  readonly next: RowPosition | undefined;
}
