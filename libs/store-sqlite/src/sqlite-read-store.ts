/**
 * The read store on an SQLite file. Instances over one file may live in several threads or processes: the projector's
 * writes (synchronous=NORMAL: a lost power supply may cost the newest batches, which come again from the log, never the
 * file), those of queries only read and never block it. A change by another instance is found by polling SQLite's
 * `data_version`, which costs microseconds, while somebody listens.
 */
import {
  assertCollection,
  systemClock,
  type Clock,
  type CollectionDefinition,
  CopyAbandonedError,
  type CopySwitch,
  type ReadCopy,
  type ReadStore,
  SwitchEndedError,
} from '@sluice/ports';
import {
  abandonFilling,
  copiesReplacedBefore,
  copyInForce,
  endSwitch,
  assertTables,
  hasCopies,
  hasTables,
  identifyCopy,
  makeCopy,
  makeMissingTables,
  markSwitch,
  prepareCopies,
  putInForce,
  removeCopy,
  retireCopyInForce,
  switchUnderWay,
  type CopyRecord,
  type ReadStoreIdentity,
  type SwitchRecord,
} from './read-copies';
import { numberOf, SqliteConnection, type SqlStatement } from './sqlite-connection';
import { copyName, SqliteReadCopy } from './sqlite-read-copy';

export interface SqliteReadStoreOptions {
  readonly file: string;
  readonly collections: readonly CollectionDefinition[];
  /** The log that a copy is made from which this store has to make; queries do not know it. */
  readonly identity?: ReadStoreIdentity;
  /** Only reads; an empty store is made where there is none. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
  /** How long a replaced copy still answers those who read from it. */
  readonly graceMs?: number;
  /** How often changes by others are looked for while somebody listens. */
  readonly pollMs?: number;
}

const DEFAULT_GRACE_MS = 30_000;
const DEFAULT_POLL_MS = 10;
/** How long `current` answers from memory before it looks whether another copy has been put in force. */
const CURRENT_CACHED_US = 100_000;
/** Write-ahead log after which a write copies it into the file: 16 MiB. */
const AUTO_CHECKPOINT_PAGES = 4096;
const WRITER_CACHE_BYTES = 64 * 1024 * 1024;
const READER_CACHE_BYTES = 16 * 1024 * 1024;

export class SqliteReadStore implements ReadStore {
  readonly #options: SqliteReadStoreOptions;
  readonly #clock: Clock;
  readonly #connection: SqliteConnection;
  readonly #dataVersion: SqlStatement;
  readonly #copies = new Map<number, SqliteReadCopy>();
  readonly #listeners = new Set<() => void>();
  #current: { readonly copy: SqliteReadCopy; readonly checkedAtUs: number } | undefined;
  #seenDataVersion = 0;
  #cancelPoll: (() => void) | undefined;
  #cancelRemoval: (() => void) | undefined;
  #removal: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: SqliteReadStoreOptions, connection: SqliteConnection) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#connection = connection;
    this.#dataVersion = connection.prepare('PRAGMA data_version');
  }

  static async open(options: SqliteReadStoreOptions): Promise<SqliteReadStore> {
    for (const definition of options.collections) assertCollection(definition);
    if (options.readOnly === true) {
      prepareFile(options.file);
      return new SqliteReadStore(options, new SqliteConnection(options.file, { readOnly: true, cacheBytes: READER_CACHE_BYTES }));
    }
    const connection = writingConnection(options.file);
    prepareCopies(connection);
    return new SqliteReadStore(options, connection);
  }

  async incarnation(): Promise<string | undefined> {
    return copyInForce(this.#connection)?.identity?.incarnation;
  }

  async partitions(): Promise<number | undefined> {
    return copyInForce(this.#connection)?.identity?.partitions;
  }

  async current(): Promise<ReadCopy> {
    const nowUs = this.#clock.nowUs();
    if (this.#current === undefined || nowUs - this.#current.checkedAtUs >= CURRENT_CACHED_US) {
      const record = this.#ensureCopyInForce();
      if (!this.#copies.has(record.number)) this.#ensureTables(record);
      this.#current = { copy: this.#copyOf(record), checkedAtUs: nowUs };
    }
    return this.#current.copy;
  }

  async beginCopy(identity: ReadStoreIdentity): Promise<ReadCopy> {
    this.#connection.transaction(() => abandonFilling(this.#connection));
    await this.#remove(() => this.#replacedCopies());
    return this.#copyOf(this.#connection.transaction(() => makeCopy(this.#connection, 'filling', identity, this.#options.collections)));
  }

  async beginSwitch(copy: ReadCopy): Promise<CopySwitch> {
    if (!(copy instanceof SqliteReadCopy)) throw new Error(`${copy.name} is not a copy of this store`);
    const begun = this.#connection.transaction(() => markSwitch(this.#connection, copy.number));
    if (begun === undefined) throw new CopyAbandonedError(copy.name);
    return switchOf(begun);
  }

  async continueSwitch(seen: CopySwitch): Promise<CopySwitch> {
    return this.#connection.transaction(() => {
      const { number } = this.#switchAsSeen(seen);
      const continued = markSwitch(this.#connection, number);
      if (continued === undefined) throw new CopyAbandonedError(seen.copy);
      return switchOf(continued);
    });
  }

  async activate(seen: CopySwitch): Promise<void> {
    const record = this.#connection.transaction(() => {
      const { number } = this.#switchAsSeen(seen);
      retireCopyInForce(this.#connection, this.#clock.nowUs());
      if (!putInForce(this.#connection, number)) throw new CopyAbandonedError(seen.copy);
      endSwitch(this.#connection);
      return copyInForce(this.#connection) as CopyRecord;
    });
    this.#current = { copy: this.#copyOf(record), checkedAtUs: this.#clock.nowUs() };
    this.#cancelRemoval?.();
    this.#cancelRemoval = this.#clock.after(this.#graceMs, () => void this.#remove(() => this.#replacedCopies()));
    this.#changed();
  }

  async endSwitch(seen: CopySwitch): Promise<void> {
    this.#connection.transaction(() => {
      const found = switchUnderWay(this.#connection);
      if (found !== undefined && switchOf(found).mark === seen.mark) endSwitch(this.#connection);
    });
  }

  async switchUnderWay(): Promise<CopySwitch | undefined> {
    const found = switchUnderWay(this.#connection);
    return found && switchOf(found);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#cancelPoll === undefined) {
      this.#seenDataVersion = this.#readDataVersion();
      this.#schedulePoll();
    }
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelPoll?.();
    this.#cancelRemoval?.();
    await this.#removal;
    if (this.#options.readOnly === true) this.#connection.close();
    else this.#connection.closeEmptied();
  }

  #switchAsSeen(seen: CopySwitch): SwitchRecord {
    const found = switchUnderWay(this.#connection);
    if (found === undefined || switchOf(found).mark !== seen.mark) throw new SwitchEndedError(seen.copy);
    return found;
  }

  get #graceMs(): number {
    return this.#options.graceMs ?? DEFAULT_GRACE_MS;
  }

  #ensureCopyInForce(): CopyRecord {
    const found = copyInForce(this.#connection);
    const { identity } = this.#options;
    if (found !== undefined && (found.identity !== undefined || identity === undefined || this.#options.readOnly === true)) return found;
    return this.#write((connection) => {
      const record = copyInForce(connection);
      if (record !== undefined) {
        if (record.identity === undefined && identity !== undefined) identifyCopy(connection, record.number, identity);
        return record;
      }
      return makeCopy(connection, 'in_force', identity, this.#options.collections);
    });
  }

  /** A copy that an earlier version made lacks the collections, formats and indexes that came since. */
  #ensureTables({ number }: CopyRecord): void {
    const { collections } = this.#options;
    if (hasTables(this.#connection, number, collections)) assertTables(this.#connection, number, collections);
    else this.#write((connection) => makeMissingTables(connection, number, collections));
  }

  /** A store that only reads writes only this: what a new file, or one of an earlier version, lacks. */
  #write<Result>(work: (connection: SqliteConnection) => Result): Result {
    if (this.#options.readOnly !== true) return this.#connection.transaction(() => work(this.#connection));
    const connection = writingConnection(this.#options.file);
    try {
      return connection.transaction(() => work(connection));
    } finally {
      connection.close();
    }
  }

  #copyOf(record: CopyRecord): SqliteReadCopy {
    let copy = this.#copies.get(record.number);
    if (copy === undefined) {
      const told = { applied: () => this.#changed(), closed: () => this.#forgetCurrent() };
      copy = new SqliteReadCopy(record.number, this.#connection, this.#options.collections, told);
      this.#copies.set(record.number, copy);
    }
    return copy;
  }

  #forgetCurrent(): void {
    this.#current = undefined;
  }

  #replacedCopies(): number[] {
    return copiesReplacedBefore(this.#connection, this.#clock.nowUs() - this.#graceMs * 1000);
  }

  /** Removals follow one another. */
  #remove(choose: () => number[]): Promise<void> {
    const removal = this.#removal.then(async () => {
      for (const number of choose()) {
        await removeCopy(this.#connection, number);
        this.#copies.delete(number);
      }
    });
    this.#removal = removal.catch(() => {});
    return removal;
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #readDataVersion(): number {
    return numberOf(this.#dataVersion.get([])) ?? 0;
  }

  #schedulePoll(): void {
    this.#cancelPoll = this.#clock.after(this.#options.pollMs ?? DEFAULT_POLL_MS, () => {
      this.#cancelPoll = undefined;
      if (this.#closed || this.#listeners.size === 0) return;
      const dataVersion = this.#readDataVersion();
      if (dataVersion !== this.#seenDataVersion) {
        this.#seenDataVersion = dataVersion;
        this.#changed();
      }
      this.#schedulePoll();
    });
  }
}

function switchOf({ number, mark }: SwitchRecord): CopySwitch {
  return { copy: copyName(number), mark: String(mark) };
}

function writingConnection(file: string): SqliteConnection {
  return new SqliteConnection(file, { synchronous: 'NORMAL', autoCheckpointPages: AUTO_CHECKPOINT_PAGES, cacheBytes: WRITER_CACHE_BYTES });
}

/** Makes the file and its lists of copies where they are missing. */
function prepareFile(file: string): void {
  const connection = writingConnection(file);
  try {
    if (!hasCopies(connection)) prepareCopies(connection);
  } finally {
    connection.close();
  }
}
