/**
 * The event log on an SQLite file (write-ahead log, synchronous=FULL). Appends are carried out by a thread of their own;
 * reads come from a connection in the calling thread, which a write never blocks. Opened read-only it has no thread, and
 * sees what another thread or process appends.
 */
import {
  AppendFailedError,
  type AppendReceipt,
  MAXIMUM_COMMIT_BYTES,
  SequenceTakenError,
  type CommitRecord,
  type CommitToAppend,
  type EventLog,
  type LogIdentity,
} from '@sluice/ports';
import { checkedIdentity } from './log-schema';
import type { LogRequest, LogWriterOptions, StoredCommit } from './log-writer';
import { numberOf, SqliteConnection, type SqlStatement } from './sqlite-connection';
import { ownBytes, StorageThread } from './storage-thread';
import { StorageFailure } from './storage-thread-messages';

/** The log was made with another number of partitions than it is opened with. */
export class PartitionCountError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PartitionCountError';
  }
}

export interface SqliteEventLogOptions {
  readonly file: string;
  /** servers × containers; a log that is only read may be opened without, whatever it was made with. */
  readonly partitions?: number;
  /** Incarnations of lost logs whose place a new log takes: what was made from them is then made anew from it. */
  readonly succeeds?: readonly string[];
  /** Only reads; the log must exist. */
  readonly readOnly?: boolean;
  /** Pages of 8 KiB that the file may have; beyond it the disk counts as full. */
  readonly maxPageCount?: number;
  /** The writing thread died, or could not be started again: it is tried again, and appends fail meanwhile. */
  readonly writerDied?: (error: Error) => void;
}

type LogThread = StorageThread<LogRequest>;

/** Cache of the reading connection: commits are read once, in order. */
const READ_CACHE_BYTES = 4 * 1024 * 1024;

export class SqliteEventLog implements EventLog {
  readonly maximumCommitBytes = MAXIMUM_COMMIT_BYTES;
  readonly identity: LogIdentity;
  readonly #thread: LogThread | undefined;
  readonly #connection: SqliteConnection;
  readonly #sizes: SqlStatement;
  readonly #range: SqlStatement;
  readonly #newest: SqlStatement;
  readonly #head: SqlStatement;
  readonly #dataVersion: SqlStatement;
  #heads: { readonly dataVersion: number; readonly sequences: readonly number[] } | undefined;
  #closed = false;

  private constructor(identity: LogIdentity, connection: SqliteConnection, thread: LogThread | undefined) {
    this.identity = identity;
    this.#thread = thread;
    this.#connection = connection;
    this.#sizes = connection.prepare('SELECT sequence, length(bytes) FROM commits WHERE partition = ? AND sequence >= ? ORDER BY sequence LIMIT ?');
    this.#range = connection.prepare('SELECT sequence, bytes FROM commits WHERE partition = ? AND sequence BETWEEN ? AND ? ORDER BY sequence');
    this.#newest = connection.prepare('SELECT sequence, bytes FROM commits WHERE partition = ? ORDER BY sequence DESC LIMIT 1');
    this.#head = connection.prepare('SELECT sequence FROM commits WHERE partition = ? ORDER BY sequence DESC LIMIT 1');
    this.#dataVersion = connection.prepare('PRAGMA data_version');
  }

  static async open(options: SqliteEventLogOptions): Promise<SqliteEventLog> {
    const thread = options.readOnly === true ? undefined : await startWriter(options);
    try {
      const connection = new SqliteConnection(options.file, { readOnly: true, cacheBytes: READ_CACHE_BYTES });
      return new SqliteEventLog(checkedIdentity(connection, options.partitions), connection, thread);
    } catch (error) {
      await thread?.close();
      throw openError(error);
    }
  }

  async append(commit: CommitToAppend): Promise<AppendReceipt> {
    if (this.#thread === undefined) throw new AppendFailedError('the event log is opened for reading only', { refused: true });
    this.#assertPartition(commit.partition);
    if (commit.bytes.length > MAXIMUM_COMMIT_BYTES)
      throw new AppendFailedError(`the commit has ${commit.bytes.length} bytes, ${MAXIMUM_COMMIT_BYTES} is the most`, { refused: true });
    try {
      const askedAtNs = process.hrtime.bigint();
      const { storedAtNs } = await this.#thread.request<StoredCommit>({ kind: 'append', commit: { ...commit, bytes: ownBytes(commit.bytes) } });
      return { durationUs: Number(storedAtNs - askedAtNs) / 1_000 };
    } catch (error) {
      throw appendError(error, commit);
    }
  }

  async read(partition: number, fromSequence: number, page: { maxCommits: number; maxBytes: number }): Promise<CommitRecord[]> {
    this.#assertPartition(partition);
    let last: number | undefined;
    let bytes = 0;
    for (const [sequence, size] of this.#sizes.all([partition, fromSequence, page.maxCommits]) as [number, number][]) {
      bytes += size;
      if (last !== undefined && bytes > page.maxBytes) break;
      last = sequence;
    }
    if (last === undefined) return [];
    return (this.#range.all([partition, fromSequence, last]) as [number, Uint8Array][]).map(([sequence, commitBytes]) => ({
      partition,
      sequence,
      bytes: commitBytes,
    }));
  }

  async head(partition: number): Promise<CommitRecord | undefined> {
    this.#assertPartition(partition);
    const row = this.#newest.get([partition]);
    return row && { partition, sequence: row[0] as number, bytes: row[1] as Uint8Array };
  }

  async isTaken(partition: number, sequence: number): Promise<boolean> {
    this.#assertPartition(partition);
    return this.#sizes.all([partition, sequence, 1]).some(([found]) => found === sequence);
  }

  /** Asks the file only when somebody has written since the last time. */
  async headSequences(): Promise<number[]> {
    const dataVersion = numberOf(this.#dataVersion.get([])) ?? 0;
    if (this.#heads?.dataVersion !== dataVersion) {
      const sequences = Array.from({ length: this.identity.partitions }, (_, partition) => numberOf(this.#head.get([partition])) ?? 0);
      this.#heads = { dataVersion, sequences };
    }
    return [...this.#heads.sequences];
  }

  async dropFrom(partition: number, sequence: number): Promise<number> {
    if (this.#thread === undefined) throw new Error('the event log is opened for reading only');
    this.#assertPartition(partition);
    return this.#thread.request<number>({ kind: 'dropFrom', partition, sequence });
  }

  /**
   * Gives the log another incarnation, in force from its next opening on, and resolves with it: to be called once, by a person,
   * when commits were lost (a restore from a backup, a repair). Read stores, snapshots and position tokens may reflect them; those of
   * the old incarnation are refused from then on, or made anew.
   */
  async renewIncarnation(): Promise<string> {
    if (this.#thread === undefined) throw new Error('the event log is opened for reading only');
    return this.#thread.request<string>({ kind: 'renewIncarnation' });
  }

  /** Bounds the file while its writing thread lives: pages of 8 KiB; beyond it the disk counts as full. */
  async limitPages(pages: number): Promise<void> {
    await this.#thread?.request({ kind: 'limitPages', pages });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    await this.#thread?.close();
  }

  #assertPartition(partition: number): void {
    if (!(partition >= 0 && partition < this.identity.partitions)) throw new RangeError(`partition ${partition} is not one of ${this.identity.partitions}`);
  }
}

async function startWriter(options: SqliteEventLogOptions): Promise<LogThread> {
  if (options.partitions === undefined) throw new Error('a log that is written must be told its number of partitions');
  const { file, partitions, maxPageCount, succeeds } = options;
  const data: LogWriterOptions = { file, partitions, maxPageCount, succeeds };
  try {
    return (
      await StorageThread.start<LogRequest, LogIdentity>({ name: 'log-writer', description: 'the thread of the event log', data, died: options.writerDied })
    ).thread;
  } catch (error) {
    throw openError(error);
  }
}

function openError(error: unknown): Error {
  if (error instanceof StorageFailure) {
    return error.failure.kind === 'partitionsDiffer' ? new PartitionCountError(error.failure.message) : new Error(error.failure.message, { cause: error });
  }
  return error as Error;
}

function appendError(error: unknown, commit: CommitToAppend): Error {
  if (!(error instanceof StorageFailure)) return new AppendFailedError('the commit could not be handed to the event log', { cause: error });
  if (error.failure.kind === 'sequenceTaken') return new SequenceTakenError(commit.partition, commit.sequence);
  return new AppendFailedError(error.failure.message, { cause: error, diskFull: error.failure.kind === 'diskFull' });
}
