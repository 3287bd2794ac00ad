/**
 * The read store in memory, for tests and the simulation. Stores on one `MemoryReadStorage` are several processes on one
 * database: what one applies or activates, the others see at once and hear of through `onChange`.
 */
import {
  assertCollection,
  assertIndexed,
  CheckpointMovedError,
  compareText,
  compareValues,
  indexedFields,
  pageOf,
  scanOf,
  CopyAbandonedError,
  CopyClosedError,
  type CopySwitch,
  SwitchEndedError,
  storedName,
  systemClock,
  type Checkpoint,
  type Clock,
  type CollectionDefinition,
  type IndexedValue,
  type ProjectedBatch,
  type ReadCopy,
  type ReadStore,
  type Row,
  type RowPage,
  type RowQuery,
  type ScanEnd,
} from '@sluice/ports';

export interface ReadStoreIdentity {
  readonly incarnation: string;
  readonly partitions: number;
}

/** What survives when a store is closed: the database of the memory read store. */
export class MemoryReadStorage {
  readonly copies = new Set<CopyStorage>();
  inForce: CopyStorage | undefined;
  switchUnderWay: CopySwitch | undefined;
  readonly #listeners = new Set<() => void>();
  #copiesMade = 0;
  #marksMade = 0;

  /** @param collections those of the stores that name none of their own. */
  constructor(readonly collections: readonly CollectionDefinition[]) {}

  makeCopy(identity: ReadStoreIdentity | undefined): CopyStorage {
    this.#copiesMade += 1;
    const copy = new CopyStorage(`copy${this.#copiesMade}`, identity);
    this.copies.add(copy);
    return copy;
  }

  newMark(): string {
    this.#marksMade += 1;
    return String(this.#marksMade);
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** How long the replaced copy still answers those who read from it. */
const DEFAULT_GRACE_MS = 30_000;

export class MemoryReadStore implements ReadStore {
  readonly #storage: MemoryReadStorage;
  readonly #identity: ReadStoreIdentity | undefined;
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #collections: readonly CollectionDefinition[];
  readonly #views = new Map<CopyStorage, MemoryReadCopy>();
  readonly #stops = new Set<() => void>();

  /** Over a storage of its own if none is given. */
  constructor(options: {
    collections: readonly CollectionDefinition[] | MemoryReadStorage;
    storage?: MemoryReadStorage;
    identity?: ReadStoreIdentity;
    clock?: Clock;
    graceMs?: number;
  }) {
    const { collections } = options;
    this.#storage = collections instanceof MemoryReadStorage ? collections : (options.storage ?? new MemoryReadStorage(collections));
    this.#collections = collections instanceof MemoryReadStorage ? collections.collections : collections;
    for (const definition of this.#collections) assertCollection(definition);
    this.#identity = options.identity;
    this.#clock = options.clock ?? systemClock;
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
  }

  async incarnation(): Promise<string | undefined> {
    return this.#storage.inForce?.identity?.incarnation;
  }

  async partitions(): Promise<number | undefined> {
    return this.#storage.inForce?.identity?.partitions;
  }

  async current(): Promise<ReadCopy> {
    const storage = this.#storage;
    storage.inForce ??= storage.makeCopy(undefined);
    storage.inForce.state = 'inForce';
    storage.inForce.identity ??= this.#identity;
    return this.#viewOf(storage.inForce);
  }

  async beginCopy(identity: ReadStoreIdentity): Promise<ReadCopy> {
    const storage = this.#storage;
    storage.switchUnderWay = undefined;
    for (const copy of storage.copies) {
      if (copy.state !== 'filling') continue;
      copy.state = 'abandoned';
      storage.copies.delete(copy);
    }
    return this.#viewOf(storage.makeCopy(identity));
  }

  async beginSwitch(copy: ReadCopy): Promise<CopySwitch> {
    if (this.#filling(copy.name) === undefined) throw new CopyAbandonedError(copy.name);
    return this.#giveMark(copy.name);
  }

  async continueSwitch(seen: CopySwitch): Promise<CopySwitch> {
    this.#assertAsSeen(seen);
    return this.#giveMark(seen.copy);
  }

  async activate(seen: CopySwitch): Promise<void> {
    this.#assertAsSeen(seen);
    const storage = this.#storage;
    const copy = this.#filling(seen.copy);
    if (copy === undefined) throw new CopyAbandonedError(seen.copy);
    const replaced = storage.inForce;
    storage.inForce = copy;
    storage.switchUnderWay = undefined;
    copy.state = 'inForce';
    if (replaced !== undefined) {
      replaced.state = 'replaced';
      this.#stops.add(this.#clock.after(this.#graceMs, () => storage.copies.delete(replaced)));
    }
    storage.changed();
  }

  async endSwitch(seen: CopySwitch): Promise<void> {
    if (this.#storage.switchUnderWay?.mark === seen.mark) this.#storage.switchUnderWay = undefined;
  }

  async switchUnderWay(): Promise<CopySwitch | undefined> {
    return this.#storage.switchUnderWay;
  }

  onChange(listener: () => void): () => void {
    const stop = this.#storage.listen(listener);
    this.#stops.add(stop);
    return stop;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }

  #viewOf(copy: CopyStorage): MemoryReadCopy {
    let view = this.#views.get(copy);
    if (view === undefined) {
      view = new MemoryReadCopy(copy, this.#storage, this.#collections);
      this.#views.set(copy, view);
    }
    return view;
  }

  #filling(name: string): CopyStorage | undefined {
    return [...this.#storage.copies].find((copy) => copy.name === name && copy.state === 'filling');
  }

  #giveMark(copy: string): CopySwitch {
    const given = { copy, mark: this.#storage.newMark() };
    this.#storage.switchUnderWay = given;
    return given;
  }

  #assertAsSeen({ copy, mark }: CopySwitch): void {
    if (this.#storage.switchUnderWay?.mark !== mark) throw new SwitchEndedError(copy);
  }
}

/** filling (by a rebuild) → inForce → replaced, or filling → abandoned. */
type CopyState = 'filling' | 'inForce' | 'replaced' | 'abandoned';

/** What is stored of one copy, whatever collections the stores over it know. */
class CopyStorage {
  state: CopyState = 'filling';
  readonly collections = new Map<string, MemoryCollection>();
  readonly checkpoints = new Map<number, Map<string, Checkpoint>>();

  constructor(
    readonly name: string,
    public identity: ReadStoreIdentity | undefined,
  ) {}
}

/** A copy, as a store with these collections sees it. */
export class MemoryReadCopy implements ReadCopy {
  readonly #collections = new Map<string, MemoryCollection>();

  constructor(
    private readonly stored: CopyStorage,
    private readonly storage: MemoryReadStorage,
    definitions: readonly CollectionDefinition[],
  ) {
    for (const definition of definitions) {
      const name = storedName(definition);
      const collection = stored.collections.get(name) ?? new MemoryCollection(definition);
      stored.collections.set(name, collection);
      this.#collections.set(definition.name, collection);
    }
  }

  get name(): string {
    return this.stored.name;
  }

  async get(collection: string, key: string): Promise<Row | undefined> {
    return this.#collection(collection).get(key);
  }

  async getMany(collection: string, keys: readonly string[]): Promise<(Row | undefined)[]> {
    const rows = this.#collection(collection);
    return keys.map((key) => rows.get(key));
  }

  async find(query: RowQuery): Promise<RowPage> {
    return this.#collection(query.collection).find(query);
  }

  async apply(batch: ProjectedBatch): Promise<void> {
    this.#assertOpen();
    const { partition, sequence, committedAtUs } = batch;
    const checkpoints = this.stored.checkpoints.get(partition) ?? new Map<string, Checkpoint>();
    for (const projection of batch.projections) {
      const found = checkpoints.get(projection)?.sequence ?? 0;
      if (found !== batch.previousSequence) throw new CheckpointMovedError(partition, batch.previousSequence, found);
    }
    for (const write of batch.writes) if (write.kind === 'put') this.#collection(write.collection).check(write.row);
    for (const write of batch.writes) {
      const collection = this.#collection(write.collection);
      if (write.kind === 'put') collection.put(write.row);
      else collection.delete(write.key);
    }
    for (const projection of batch.projections) checkpoints.set(projection, { partition, projection, sequence, committedAtUs });
    this.stored.checkpoints.set(partition, checkpoints);
    this.storage.changed();
  }

  async checkpoints(): Promise<Checkpoint[]> {
    const checkpoints = [...this.stored.checkpoints.values()].flatMap((ofPartition) => [...ofPartition.values()]);
    return checkpoints.sort((left, right) => left.partition - right.partition || compareText(left.projection, right.projection));
  }

  #assertOpen(): void {
    switch (this.stored.state) {
      case 'filling':
        return;
      case 'inForce':
        if (this.storage.switchUnderWay !== undefined) throw new CopyClosedError(this.name, 'switching');
        return;
      case 'replaced':
      case 'abandoned':
        throw new CopyClosedError(this.name, 'replaced or abandoned');
      default:
        throw new Error(`unreachable: ${this.stored.state satisfies never}`);
    }
  }

  #collection(name: string): MemoryCollection {
    const collection = this.#collections.get(name);
    if (collection === undefined) throw new Error(`there is no collection ${name}`);
    return collection;
  }
}

class MemoryCollection {
  readonly #rows = new Map<string, Row>();
  readonly #fields: readonly string[];
  readonly #indexedFields: readonly string[];
  /** The rows in the order of each index that was asked for, by its fields; emptied by every write. */
  readonly #ordered = new Map<string, readonly Row[]>();

  constructor(private readonly definition: CollectionDefinition) {
    this.#fields = Object.keys(definition.fields);
    this.#indexedFields = indexedFields(definition);
  }

  get(key: string): Row | undefined {
    const row = this.#rows.get(key);
    return row && { ...row };
  }

  find(query: RowQuery): RowPage {
    const scan = scanOf(this.definition, query);
    if (scan === undefined) return { rows: [], next: undefined };
    const { fields, prefix, low, high, descending, limit } = scan;
    const ordered = this.#inOrder(fields);
    const rest = fields.slice(prefix.length);
    const found: Row[] = [];
    for (let step = 0; step < ordered.length && found.length <= limit; step += 1) {
      const row = ordered[descending ? ordered.length - 1 - step : step] as Row;
      if (compareRow(row, fields, prefix) !== 0 || isBeyond(row, rest, low, -1) || isBeyond(row, rest, high, 1)) continue;
      found.push({ ...row });
    }
    return pageOf(scan, found);
  }

  check(row: Row): void {
    for (const field of Object.keys(row)) if (!(field in this.definition.fields)) throw new Error(`${this.definition.name} has no field ${field}`);
    if (typeof row[this.definition.key] !== 'string') throw new Error(`a row of ${this.definition.name} has no key`);
    assertIndexed(this.definition, this.#indexedFields, row);
  }

  put(row: Row): void {
    const key = row[this.definition.key] as string;
    const stored = this.#rows.get(key);
    const { guard } = this.definition;
    if (stored !== undefined && guard !== undefined && !((row[guard] as number) > (stored[guard] as number))) return;
    const kept: Record<string, Row[string]> = {};
    for (const field of this.#fields) kept[field] = row[field] ?? null;
    this.#rows.set(key, kept);
    this.#ordered.clear();
  }

  delete(key: string): void {
    if (this.#rows.delete(key)) this.#ordered.clear();
  }

  #inOrder(fields: readonly string[]): readonly Row[] {
    const name = fields.join();
    let ordered = this.#ordered.get(name);
    if (ordered === undefined) {
      ordered = [...this.#rows.values()].sort((left, right) => compareRow(left, fields, valuesOf(right, fields)));
      this.#ordered.set(name, ordered);
    }
    return ordered;
  }
}

function valuesOf(row: Row, fields: readonly string[]): IndexedValue[] {
  return fields.map((field) => row[field] as IndexedValue);
}

/** Compares the row's first fields with as many values as there are. */
function compareRow(row: Row, fields: readonly string[], values: readonly IndexedValue[]): number {
  for (let at = 0; at < values.length; at += 1) {
    const difference = compareValues(row[fields[at] as string] as IndexedValue, values[at] as IndexedValue);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether the row is outside of the end; `side` says on which side: -1 below a low end, 1 above a high one. */
function isBeyond(row: Row, fields: readonly string[], end: ScanEnd | undefined, side: -1 | 1): boolean {
  if (end === undefined) return false;
  const difference = compareRow(row, fields, end.values);
  return difference === 0 ? !end.inclusive : difference < 0 === side < 0;
}
