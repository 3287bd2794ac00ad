/**
 * The read store ("second database"): collections of rows that queries answer from. Capabilities declare their
 * collections as data; an adapter maps a collection to a table (SQLite) or a collection (MongoDB). What a copy lacks of them is made
 * when a store with them is opened, empty; the other collections keep their rows.
 *
 * Rows are written by the one projector that holds the partition, in sequence. A row belongs to one partition for ever.
 *
 * Each projection has checkpoints of its own, so one that is new, or has a new format, is filled from the log while the others go on.
 * Projections that stand at the same sequence are written by one batch.
 */
import type { RowPage, RowQuery } from './row-query';

export type FieldType = 'text' | 'int64' | 'number' | 'boolean' | 'bytes';
export type FieldValue = string | bigint | number | boolean | Uint8Array | null;

export interface CollectionDefinition {
  /** snake_case, plural: "accounts". */
  readonly name: string;
  /** Of the projection that writes it: rows of two formats stand apart. Undefined: the collection has never had another. */
  readonly format?: number;
  /** Name of the key field, of type text; unique in the collection. */
  readonly key: string;
  /** Every field, the key included; snake_case. int64 is bigint in rows, number a safe integer. null is allowed but for the key. */
  readonly fields: Readonly<Record<string, FieldType>>;
  /**
   * Secondary indexes by name, each a list of fields; the key is indexed always and ends every index. A query names one of
   * them. A field of an index is never null and never of type bytes, so that its order is the same in every store (row-scan.ts).
   */
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  /**
   * Name of a `number` field that holds the sequence of the last commit that the row reflects, or undefined for rows that
   * are written once and never changed. A put whose value is not above the stored one changes nothing: that is what makes
   * repeated and late writes harmless on a store without transactions.
   */
  readonly guard?: string;
  /** Rows without a guard that are small, and found by their key: a store may keep them in the tree of their keys. */
  readonly small?: boolean;
}

export type Row = Readonly<Record<string, FieldValue>>;

export type RowWrite =
  /** Writes the whole row, in place of what was there (subject to the guard). */
  { readonly kind: 'put'; readonly collection: string; readonly row: Row } | { readonly kind: 'delete'; readonly collection: string; readonly key: string };

/** What one flush of the projector writes for one partition. */
export interface ProjectedBatch {
  readonly partition: number;
  /** Ids of the projections whose rows these are, like "account@5"; at least one. */
  readonly projections: readonly string[];
  /** The checkpoint of each of them must stand exactly here (sequence before the first commit of the batch), else `CheckpointMovedError`. */
  readonly previousSequence: number;
  /** The checkpoint of each of them after the batch. */
  readonly sequence: number;
  /** Commit time of the last commit in it. */
  readonly committedAtUs: number;
  readonly writes: readonly RowWrite[];
}

export class CheckpointMovedError extends Error {
  constructor(
    readonly partition: number,
    readonly expected: number,
    readonly found: number,
  ) {
    super(`partition ${partition}: the checkpoint stands at ${found}, not at ${expected}: another projector is at work`);
    this.name = 'CheckpointMovedError';
  }
}

/**
 * Nothing of the batch was written: the copy is not written to now (a switch to another one is under way), or never again (it
 * was replaced, or the rebuild that fills it was abandoned). The projector looks which copy is in force.
 */
export class CopyClosedError extends Error {
  constructor(
    readonly copy: string,
    readonly why: 'switching' | 'replaced or abandoned',
  ) {
    super(`the copy ${copy} of the read store is not written to: ${why}`);
    this.name = 'CopyClosedError';
  }
}

/** The copy was abandoned: another rebuild has begun since. */
export class CopyAbandonedError extends Error {
  constructor(readonly copy: string) {
    super(`the copy ${copy} of the read store was abandoned: another rebuild has begun`);
    this.name = 'CopyAbandonedError';
  }
}

/** The switch was ended before the copy was put in force, so that the copy before it may have been written to meanwhile. */
export class SwitchEndedError extends Error {
  constructor(readonly copy: string) {
    super(`the switch to the copy ${copy} of the read store was ended`);
    this.name = 'SwitchEndedError';
  }
}

/** A switch under way, as it was last seen. */
export interface CopySwitch {
  /** Name of the copy that is to be put in force. */
  readonly copy: string;
  /** Another one with every sign of life of the rebuild. */
  readonly mark: string;
}

/** Up to which sequence a projection has a partition. */
export interface Checkpoint {
  readonly partition: number;
  readonly projection: string;
  readonly sequence: number;
  readonly committedAtUs: number;
}

/** One copy of the collections. A rebuild fills another copy beside the one in force. */
export interface ReadCopy {
  readonly name: string;
  get(collection: string, key: string): Promise<Row | undefined>;
  /** In the order of the keys; undefined where there is none. At most 10,000 keys a call. */
  getMany(collection: string, keys: readonly string[]): Promise<(Row | undefined)[]>;
  /** A page of rows, read through one index and nothing else. Throws InvalidRowQueryError for a query that no index answers. */
  find(query: RowQuery): Promise<RowPage>;
  /**
   * Applies the batch: all of it, then the checkpoints, at once (in one transaction where the store has them). Where there are no
   * transactions the collections are written one after the other, in the order in which the batch first names them, so that
   * what a row points to is there before the row.
   *
   * Throws CopyClosedError, and nothing is written, unless the copy is being filled, or is in force and no switch is under way.
   */
  apply(batch: ProjectedBatch): Promise<void>;
  /** Of every partition and every projection that has one, in that order; also of projections that this version does not know. */
  checkpoints(): Promise<Checkpoint[]>;
}

export interface ReadStore {
  /** Incarnation of the log that the copy in force was made from; undefined for an empty store. */
  incarnation(): Promise<string | undefined>;
  /** Number of partitions of that log; undefined for an empty store. */
  partitions(): Promise<number | undefined>;
  /** The copy in force; made empty, with the identity given, where there is none. Cached, but a switch is seen within 500 ms. */
  current(): Promise<ReadCopy>;
  /** A fresh, empty copy, not in force. The copy that an earlier rebuild fills is abandoned, with its switch; leftovers are removed. */
  beginCopy(identity: { incarnation: string; partitions: number }): Promise<ReadCopy>;
  /**
   * Begins the switch to the copy: the copy in force is closed for every projector until `activate` or `endSwitch`. A batch that was let
   * in before may still be written; its commits were in the log before this call. So a copy that is filled up to the log's heads of
   * after this call is at least where the old one will ever be. Throws CopyAbandonedError.
   */
  beginSwitch(copy: ReadCopy): Promise<CopySwitch>;
  /** A sign of life: to be given every few seconds while a switch lasts, else projectors end it. Throws SwitchEndedError. */
  continueSwitch(seen: CopySwitch): Promise<CopySwitch>;
  /** Puts the copy of the switch in force for all readers at once; the old one is removed after a grace time (default 30 s). Throws SwitchEndedError. */
  activate(seen: CopySwitch): Promise<void>;
  /** Ends the switch without its copy, unless it is not as it was seen any more: the copy in force is open again. */
  endSwitch(seen: CopySwitch): Promise<void>;
  /** The switch under way, read anew; undefined: none. */
  switchUnderWay(): Promise<CopySwitch | undefined>;
  /** Called about so often as the store may have changed: after an apply in this process at once, else by polling. Returns how to stop. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
