/**
 * What a capability gives to the projector: pure folds from commits to row writes. A projection holds the states of the
 * aggregates that it has met lately in memory and says which rows it lacks; who drives it does the reading and writing.
 *
 *   take(commit) …  what the flush brings          (throws: the partition stops; its events cannot be told apart)
 *   missing()       rows to be read for it
 *   linked(…)       rows that these name, to be read as well
 *   project(…)      the writes                     (an aggregate that throws is set aside; the others go on)
 */
import type { CollectionDefinition, Row, RowWrite } from '@sluice/ports';
import type { CommitHeader, DecodedCommit, EventRecord } from '@sluice/protocol';
import type { ProjectionVerification } from './verification';

/** The commit of an event, as rows have it. */
export type CommitPlace = Pick<CommitHeader, 'partition' | 'sequence' | 'committedAtUs'>;

/** Rows that a flush needs: collection to keys. */
export type RowKeys = ReadonlyMap<string, readonly string[]>;

/** The rows that were asked for: collection to key to row; a key that is absent has no row. */
export type LoadedRows = ReadonlyMap<string, ReadonlyMap<string, Row>>;

export interface SetAside {
  /** Kind of aggregate, like "account". */
  readonly aggregate: string;
  readonly key: string;
  readonly partition: number;
  /** Events of the aggregate from this sequence on are skipped until a rebuild. */
  readonly sequence: number;
  readonly error: string;
}

export interface Projected {
  /** In the order in which they must become visible on a store without transactions: what is pointed to comes first. */
  readonly writes: RowWrite[];
  readonly setAside: SetAside[];
  /** Postings in it, refusals included. */
  readonly postings: number;
  /** The aggregate with the most postings in it. */
  readonly busiest: { readonly key: string; readonly postings: number } | undefined;
}

/** One capability's projection of one partition. */
export interface PartitionProjection {
  /** Takes an event in; false: it is not one of this capability's. */
  take(commit: DecodedCommit, event: EventRecord): boolean;
  missing(): RowKeys;
  /** Rows that the loaded ones name; absent: there are never any. */
  linked?(loaded: LoadedRows): RowKeys;
  /**
   * @param attempt unique for ever: what is written once is named by it, so that a repeated flush never changes what an
   *                earlier one may have written.
   */
  project(loaded: LoadedRows, attempt: string): Projected;
}

export interface Projection {
  /** The capability's: "account". */
  readonly name: string;
  /** Rises when the collections, or what their rows say, change: rows of the new format are filled from the log beside those of the old one. */
  readonly format: number;
  /** Their format is the projection's. */
  readonly collections: readonly CollectionDefinition[];
  /**
   * @param setAside the partition's aggregates of this projection that are set aside.
   * @param cachedAggregates how many aggregates to keep in memory.
   */
  open(partition: number, setAside: readonly SetAside[], cachedAggregates: number): PartitionProjection;
  readonly verification: ProjectionVerification;
}

/** What names the projection's rows, and its checkpoints: "account@5". */
export function projectionId({ name, format }: Pick<Projection, 'name' | 'format'>): string {
  return `${name}@${format}`;
}

/** The projection's collections, as stores know them. */
export function collectionsOf({ collections, format }: Pick<Projection, 'collections' | 'format'>): CollectionDefinition[] {
  return collections.map((definition) => ({ ...definition, format }));
}
