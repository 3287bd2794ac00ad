/**
 * One copy of the read collections, as MongoDB collections named COPY_COLLECTION, with its checkpoints beside them in
 * COPY_checkpoints.
 *
 * Without transactions a batch is applied in this order: is the copy open and are the checkpoints where the batch begins, then the
 * rows, then the checkpoints, moved from exactly there by one update: those of a partition are one document. A projector that is
 * interrupted finds them unmoved and applies the batch again, which the guards make harmless; readers may see rows that are newer than
 * the checkpoint, never older ones.
 */
import { type Collection, type Db, MongoServerError } from 'mongodb';

import {
  type Checkpoint,
  CheckpointMovedError,
  type CollectionDefinition,
  compareText,
  MAXIMUM_PAGE_ROWS,
  pageOf,
  type ProjectedBatch,
  type ReadCopy,
  type Row,
  type RowPage,
  type RowQuery,
  scanOf,
  storedName,
  CopyClosedError,
} from '@sluice/ports';

import type { CopyState } from './copy-registry';
import { DUPLICATE_KEY } from './log-identity-document';
import { ensureIndexes } from './declared-indexes';
import { explainScan, readScan } from './index-scan';
import { tellingUnavailable } from './read-failure';
import { type RowDocument, RowMapping } from './row-document';
import { bulksOf, writeBulk } from './write-bulks';

interface CheckpointDocument {
  /** The partition. */
  readonly _id: number;
  /** By the id of the projection. Absent in what an earlier version wrote. */
  readonly projections?: Readonly<Record<string, { readonly sequence: bigint; readonly committedAtUs: bigint }>>;
}

/** An id of a projection stands in the path of a field. */
const PROJECTION_ID = /^[a-z0-9_]+@\d+$/;

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
    for (const mapping of this.#mappings.values()) await ensureIndexes(this.#collection(mapping), mapping);
  }

  /** Removes the copy with all its rows, whatever collections there were when it was made. */
  async drop(): Promise<void> {
    const collections = await this.db.listCollections({}, { nameOnly: true }).toArray();
    for (const { name } of collections) if (name.startsWith(`${this.name}_`)) await this.db.collection(name).drop();
  }

  async get(collection: string, key: string): Promise<Row | undefined> {
    const mapping = this.#mapping(collection);
    const document = await tellingUnavailable(this.#collection(mapping).findOne({ _id: key }));
    return document === null ? undefined : mapping.toRow(document);
  }

  async getMany(collection: string, keys: readonly string[]): Promise<(Row | undefined)[]> {
    const mapping = this.#mapping(collection);
    if (keys.length > MAXIMUM_PAGE_ROWS) throw new RangeError(`${keys.length} keys in one call, ${MAXIMUM_PAGE_ROWS} is the most`);
    if (keys.length === 0) return [];
    const documents = await tellingUnavailable(
      this.#collection(mapping)
        .find({ _id: { $in: [...new Set(keys)] } })
        .toArray(),
    );
    const rows = new Map(documents.map((document) => [document._id, mapping.toRow(document)]));
    return keys.map((key) => rows.get(key));
  }

  async find(query: RowQuery): Promise<RowPage> {
    const mapping = this.#mapping(query.collection);
    const scan = scanOf(mapping.definition, query);
    if (scan === undefined) return { rows: [], next: undefined };
    return pageOf(scan, await tellingUnavailable(readScan(this.#collection(mapping), mapping, scan)));
  }

  /** How the server answers the query, for tests and for people: the stages of the plan of each of its parts. */
  async explain(query: RowQuery): Promise<string[][]> {
    const mapping = this.#mapping(query.collection);
    const scan = scanOf(mapping.definition, query);
    return scan === undefined ? [] : explainScan(this.#collection(mapping), mapping, scan);
  }

  async apply(batch: ProjectedBatch): Promise<void> {
    const bulks = bulksOf(batch.writes, (collection) => this.#mapping(collection));
    // Before the first row, so that the commits of a batch that is let in were in the log before any later switch.
    const [state, checkpoints] = await Promise.all([this.host.state(), this.#checkpointsOf(batch.partition)]);
    this.#assertOpen(state);
    assertBeginsAt(checkpoints, batch);
    // One collection after the other: a row must never be there before what it points to, also when the process dies in between.
    for (const [name, ofCollection] of bulks) {
      for (const operations of ofCollection) await writeBulk(this.#collection(this.#mapping(name)), operations);
    }
    // Where they still stand there, another projection has made the partition's document meanwhile.
    while (!(await this.#moveCheckpoints(batch))) assertBeginsAt(await this.#checkpointsOf(batch.partition), batch);
    this.host.applied();
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const documents = await tellingUnavailable(this.#checkpoints.find().sort({ _id: 1 }).toArray());
    return documents.flatMap(({ _id, projections = {} }) =>
      Object.entries(projections)
        .map(([projection, { sequence, committedAtUs }]) => ({
          partition: _id,
          projection,
          sequence: Number(sequence),
          committedAtUs: Number(committedAtUs),
        }))
        .sort((left, right) => compareText(left.projection, right.projection)),
    );
  }

  #assertOpen(state: CopyState): void {
    if (state === 'filling' || state === 'in force') return;
    this.host.closed();
    throw new CopyClosedError(this.name, state === 'switching' ? 'switching' : 'replaced or abandoned');
  }

  async #checkpointsOf(partition: number): Promise<ReadonlyMap<string, number>> {
    const document = await this.#checkpoints.findOne({ _id: partition });
    return new Map(Object.entries(document?.projections ?? {}).map(([projection, { sequence }]) => [projection, Number(sequence)]));
  }

  /** Moves all of them from exactly where the batch begins; false: not all of them stand there any more. */
  async #moveCheckpoints({ partition, projections, previousSequence, sequence, committedAtUs }: ProjectedBatch): Promise<boolean> {
    const standing: Record<string, unknown> = { _id: partition };
    const moved: Record<string, unknown> = {};
    for (const projection of projections) {
      if (!PROJECTION_ID.test(projection)) throw new Error(`"${projection}" is no id of a projection`);
      standing[`projections.${projection}.sequence`] = previousSequence > 0 ? BigInt(previousSequence) : { $exists: false };
      moved[`projections.${projection}`] = { sequence: BigInt(sequence), committedAtUs: BigInt(committedAtUs) };
    }
    try {
      const { matchedCount, upsertedCount } = await this.#checkpoints.updateOne(standing, { $set: moved }, { upsert: previousSequence === 0 });
      return matchedCount + upsertedCount === 1;
    } catch (error) {
      // The partition's document is there, and does not stand where the batch begins.
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  #collection({ definition }: RowMapping): Collection<RowDocument> {
    return this.db.collection<RowDocument>(`${this.name}_${storedName(definition)}`);
  }

  #mapping(collection: string): RowMapping {
    const mapping = this.#mappings.get(collection);
    if (mapping === undefined) throw new Error(`there is no collection ${collection}`);
    return mapping;
  }
}

function assertBeginsAt(checkpoints: ReadonlyMap<string, number>, { partition, projections, previousSequence }: ProjectedBatch): void {
  for (const projection of projections) {
    const found = checkpoints.get(projection) ?? 0;
    if (found !== previousSequence) throw new CheckpointMovedError(partition, previousSequence, found);
  }
}
