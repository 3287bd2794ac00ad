/** One copy of the collections in an SQLite read store: a set of tables whose names begin with the copy's. */
import {
  CheckpointMovedError,
  CopyClosedError,
  type Checkpoint,
  type CollectionDefinition,
  type ProjectedBatch,
  type ReadCopy,
  type Row,
  type RowPage,
  type RowQuery,
  type RowWrite,
  storedName,
} from '@sluice/ports';
import { CollectionTable } from './collection-table';
import { numberOf, type SqliteConnection, type SqlStatement } from './sqlite-connection';

export const copyName = (number: number): string => `c${number}`;

/** Name of the table of a collection in the copy of that number. */
export function tableName(copyNumber: number, definition: CollectionDefinition): string {
  return `${copyName(copyNumber)}_${storedName(definition)}`;
}

/** What the copy tells the store. */
interface CopyListener {
  readonly applied: () => void;
  /** A batch was refused: another copy may be in force. */
  readonly closed: () => void;
}

export class SqliteReadCopy implements ReadCopy {
  readonly name: string;
  readonly #connection: SqliteConnection;
  readonly #tables = new Map<string, CollectionTable>();
  readonly #state: SqlStatement;
  readonly #checkpoint: SqlStatement;
  readonly #moveCheckpoint: SqlStatement;
  readonly #checkpoints: SqlStatement;
  readonly #told: CopyListener;

  constructor(
    readonly number: number,
    connection: SqliteConnection,
    collections: readonly CollectionDefinition[],
    told: CopyListener,
  ) {
    this.name = copyName(number);
    this.#connection = connection;
    this.#told = told;
    for (const definition of collections) this.#tables.set(definition.name, new CollectionTable(connection, definition, tableName(number, definition)));
    this.#state = connection.prepare('SELECT state, EXISTS (SELECT 1 FROM switch_under_way) FROM copies WHERE number = ?');
    this.#checkpoint = connection.prepare('SELECT sequence FROM projection_checkpoints WHERE copy = ? AND partition = ? AND projection = ?');
    this.#checkpoints = connection.prepare(
      'SELECT partition, projection, sequence, committed_at_us FROM projection_checkpoints WHERE copy = ? ORDER BY partition, projection',
    );
    this.#moveCheckpoint = connection.prepare(
      `INSERT INTO projection_checkpoints (copy, partition, projection, sequence, committed_at_us) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (copy, partition, projection) DO UPDATE SET sequence = excluded.sequence, committed_at_us = excluded.committed_at_us`,
    );
  }

  async get(collection: string, key: string): Promise<Row | undefined> {
    return this.#table(collection).get(key);
  }

  async getMany(collection: string, keys: readonly string[]): Promise<(Row | undefined)[]> {
    return this.#table(collection).getMany(keys);
  }

  async find(query: RowQuery): Promise<RowPage> {
    return this.#table(query.collection).find(query);
  }

  /** How the query is answered, for tests and for people. */
  explain(query: RowQuery): string[] {
    return this.#table(query.collection).explain(query);
  }

  async apply(batch: ProjectedBatch): Promise<void> {
    this.#connection.transaction(() => {
      this.#assertOpen();
      const { partition, projections, previousSequence, sequence, committedAtUs } = batch;
      for (const projection of projections) {
        const found = numberOf(this.#checkpoint.get([this.number, partition, projection])) ?? 0;
        if (found !== previousSequence) throw new CheckpointMovedError(partition, previousSequence, found);
      }
      this.#write(batch.writes);
      for (const projection of projections) this.#moveCheckpoint.run([this.number, partition, projection, sequence, committedAtUs]);
    });
    this.#told.applied();
  }

  async checkpoints(): Promise<Checkpoint[]> {
    return this.#checkpoints.all([this.number]).map(([partition, projection, sequence, committedAtUs]) => ({
      partition: partition as number,
      projection: projection as string,
      sequence: sequence as number,
      committedAtUs: committedAtUs as number,
    }));
  }

  #assertOpen(): void {
    const [state, switching] = this.#state.get([this.number]) ?? [];
    if (state === 'filling' || (state === 'in_force' && switching === 0)) return;
    this.#told.closed();
    throw new CopyClosedError(this.name, state === 'in_force' ? 'switching' : 'replaced or abandoned');
  }

  /** Collection by collection and in the order of the keys, which spares page reads; writes of one key keep their order. */
  #write(writes: readonly RowWrite[]): void {
    const byCollection = new Map<string, { readonly key: string; readonly write: RowWrite }[]>();
    for (const write of writes) {
      let keyed = byCollection.get(write.collection);
      if (keyed === undefined) {
        keyed = [];
        byCollection.set(write.collection, keyed);
      }
      keyed.push({ key: this.#table(write.collection).keyOf(write), write });
    }
    for (const [collection, keyed] of byCollection) {
      const table = this.#table(collection);
      keyed.sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
      for (const { key, write } of keyed) {
        if (write.kind === 'put') table.put(write.row);
        else table.delete(key);
      }
    }
  }

  #table(collection: string): CollectionTable {
    const table = this.#tables.get(collection);
    if (table === undefined) throw new Error(`there is no collection ${collection}`);
    return table;
  }
}
