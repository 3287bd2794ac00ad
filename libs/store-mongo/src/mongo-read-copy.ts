/**
 * One copy of the read collections, as MongoDB collections named COPY_COLLECTION, with its checkpoints beside them in
 * COPY_checkpoints.
 *
 * Without transactions a batch is applied in this order: is the copy open and the checkpoint where the batch begins, then the
 * rows, then the checkpoint, moved from exactly there. Who is interrupted finds the checkpoint unmoved and applies the batch again, which
 * the guards make harmless; readers may see rows that are newer than the checkpoint, never older ones.
 */
import { type Collection, type Db, MongoServerError } from 'mongodb';

import {
  type Checkpoint,
  CheckpointMovedError,
  type CollectionDefinition,
  MAXIMUM_PAGE_ROWS,
  pageOf,
  type ProjectedBatch,
  type ReadCopy,
  type Row,
  type RowPage,
  type RowQuery,
  scanOf,
  CopyClosedError,
} from '@sluice/ports';

import type { CopyState } from './copy-registry';
import { DUPLICATE_KEY } from './log-identity-document';
import { ensureIndexes } from './declared-indexes';
import { explainScan, readScan } from './index-scan';
import { type RowDocument, RowMapping } from './row-document';
import { bulksOf, writeBulk } from './write-bulks';

interface CheckpointDocument {
  /** The partition. */
  readonly _id: number;
  readonly sequence: bigint;
  readonly committedAtUs: bigint;
}

/** The store that the copy belongs to. */
export interface CopyHost {
  readonly state: () => Promise<CopyState>;
  readonly applied: () => void;
  /** A batch was refused: another copy may be in force. */
  readonly closed: () => void;
}

export class MongoReadCopy implements ReadCopy {
  readonly #mappings: ReadonlyMap<string, RowMapping>;
  readonly #checkpoints: Collection<CheckpointDocument>;

  constructor(
    readonly name: string,
    private readonly db: Db,
    definitions: readonly CollectionDefinition[],
    private readonly host: CopyHost,
  ) {
    this.#mappings = new Map(definitions.map((definition) => [definition.name, new RowMapping(definition)]));
    this.#checkpoints = db.collection<CheckpointDocument>(`${name}_checkpoints`);
  }

  /** Makes the indexes that the copy lacks, over the rows that it has. */
  async prepare(): Promise<void> {
    for (const mapping of this.#mappings.values()) await ensureIndexes(this.#collection(mapping.definition.name), mapping);
  }

  /** Removes the copy with all its rows, whatever collections there were when it was made. */
  async drop(): Promise<void> {
    const collections = await this.db.listCollections({}, { nameOnly: true }).toArray();
    for (const { name } of collections) if (name.startsWith(`${this.name}_`)) await this.db.collection(name).drop();
  }

  async get(collection: string, key: string): Promise<Row | undefined> {
    const mapping = this.#mapping(collection);
    const document = await this.#collection(collection).findOne({ _id: key });
    return document === null ? undefined : mapping.toRow(document);
  }

  async getMany(collection: string, keys: readonly string[]): Promise<(Row | undefined)[]> {
    const mapping = this.#mapping(collection);
    if (keys.length > MAXIMUM_PAGE_ROWS) throw new RangeError(`${keys.length} keys in one call, ${MAXIMUM_PAGE_ROWS} is the most`);
    if (keys.length === 0) return [];
    const documents = await this.#collection(collection)
      .find({ _id: { $in: [...new Set(keys)] } })
      .toArray();
    const rows = new Map(documents.map((document) => [document._id, mapping.toRow(document)]));
    return keys.map((key) => rows.get(key));
  }

  async find(query: RowQuery): Promise<RowPage> {
    const mapping = this.#mapping(query.collection);
    const scan = scanOf(mapping.definition, query);
    if (scan === undefined) return { rows: [], next: undefined };
    return pageOf(scan, await readScan(this.#collection(query.collection), mapping, scan));
  }

  /** How the server answers the query, for tests and for people: the stages of the plan of each of its parts. */
  async explain(query: RowQuery): Promise<string[][]> {
    const mapping = this.#mapping(query.collection);
    const scan = scanOf(mapping.definition, query);
    return scan === undefined ? [] : explainScan(this.#collection(query.collection), mapping, scan);
  }

  async apply(batch: ProjectedBatch): Promise<void> {
    const bulks = bulksOf(batch.writes, (collection) => this.#mapping(collection));
    // Before the first row, so that the commits of a batch that is let in were in the log before any later switch.
    const [state, checkpoint] = await Promise.all([this.host.state(), this.#checkpointOf(batch.partition)]);
    this.#assertOpen(state);
    assertBeginsAt(checkpoint, batch);
    // One collection after the other: a row must never be there before what it points to, also when the process dies in between.
    for (const [name, ofCollection] of bulks) {
      for (const operations of ofCollection) await writeBulk(this.#collection(name), operations);
    }
    if (!(await this.#moveCheckpoint(batch))) assertBeginsAt(await this.#checkpointOf(batch.partition), batch);
    this.host.applied();
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const documents = await this.#checkpoints.find().sort({ _id: 1 }).toArray();
    return documents.map(({ _id, sequence, committedAtUs }) => ({ partition: _id, sequence: Number(sequence), committedAtUs: Number(committedAtUs) }));
  }

  #assertOpen(state: CopyState): void {
    if (state === 'filling' || state === 'in force') return;
    this.host.closed();
    throw new CopyClosedError(this.name, state === 'switching' ? 'switching' : 'replaced or abandoned');
  }

  async #checkpointOf(partition: number): Promise<number> {
    return Number((await this.#checkpoints.findOne({ _id: partition }))?.sequence ?? 0);
  }

  /** Moves it from exactly where the batch begins; false: it does not stand there any more. */
  async #moveCheckpoint(batch: ProjectedBatch): Promise<boolean> {
    const stand = { sequence: BigInt(batch.sequence), committedAtUs: BigInt(batch.committedAtUs) };
    if (batch.previousSequence > 0) {
      const { matchedCount } = await this.#checkpoints.updateOne({ _id: batch.partition, sequence: BigInt(batch.previousSequence) }, { $set: stand });
      return matchedCount === 1;
    }
    try {
      await this.#checkpoints.insertOne({ _id: batch.partition, ...stand });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  #collection(name: string): Collection<RowDocument> {
    return this.db.collection<RowDocument>(`${this.name}_${name}`);
  }

  #mapping(collection: string): RowMapping {
    const mapping = this.#mappings.get(collection);
    if (mapping === undefined) throw new Error(`there is no collection ${collection}`);
    return mapping;
  }
}

function assertBeginsAt(checkpoint: number, { partition, previousSequence }: ProjectedBatch): void {
  if (checkpoint !== previousSequence) throw new CheckpointMovedError(partition, previousSequence, checkpoint);
}
