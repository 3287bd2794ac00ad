/**
 * Writes the event log's file, in its own thread. All commits that wait, of all partitions, go into one transaction and
 * share one fsync. A commit whose sequence is not the next one is refused before anything is written, so that it does not
 * fail the others of its group. If the disk is full each commit of the group is tried alone; after any other error the
 * whole group has failed, and its callers read the log again.
 *
 * The write-ahead log is copied into the file in small steps, after the answers have left: a step of 4 MiB takes some
 * milliseconds, SQLite's own way would make one unlucky commit wait for all of it.
 */
import type { CommitToAppend, LogIdentity } from '@sluice/ports';
import { LOG_PAGE_BYTES, prepareLog, renewIncarnation } from './log-schema';
import { isDiskFull, numberOf, SqliteConnection, type SqlStatement } from './sqlite-connection';
import { failureOf, type Outcome, type StorageService } from './storage-thread-server';

export type LogRequest =
  | { readonly kind: 'append'; readonly commit: CommitToAppend }
  | { readonly kind: 'dropFrom'; readonly partition: number; readonly sequence: number }
  | { readonly kind: 'renewIncarnation' }
  | { readonly kind: 'limitPages'; readonly pages: number };

/** The answer to an append. */
export interface StoredCommit {
  /** By `process.hrtime`, which is the same in all threads. */
  readonly storedAtNs: bigint;
}

type AppendRequest = Extract<LogRequest, { kind: 'append' }>;

export interface LogWriterOptions {
  readonly file: string;
  readonly partitions: number;
  readonly succeeds?: readonly string[];
  readonly maxPageCount?: number;
}

/** Bytes in the write-ahead log after which it is copied into the file. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** Pages that a commit touches beside its own bytes (table leaf, index leaf), and a transaction on top. */
const PAGES_PER_COMMIT = 2;

export class LogWriter implements StorageService<LogRequest> {
  readonly identity: LogIdentity;
  readonly #connection: SqliteConnection;
  readonly #insert: SqlStatement;
  readonly #head: SqlStatement;
  #walBytes = 0;

  constructor(options: LogWriterOptions) {
    this.#connection = new SqliteConnection(options.file, { synchronous: 'FULL', pageSize: LOG_PAGE_BYTES, autoCheckpointPages: 0 });
    this.identity = prepareLog(this.#connection, options.partitions, options.succeeds);
    if (options.maxPageCount !== undefined) this.#limitPages(options.maxPageCount);
    this.#insert = this.#connection.prepare(
      'INSERT INTO commits (partition, sequence, command_count, committed_at_us, event_types, bytes) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#head = this.#connection.prepare('SELECT sequence FROM commits WHERE partition = ? ORDER BY sequence DESC LIMIT 1');
  }

  /** Appends that stand together form one transaction; what else is asked for has its turn between them. */
  carryOut(group: readonly LogRequest[]): Outcome[] {
    const outcomes: Outcome[] = [];
    let appends: AppendRequest[] = [];
    const flush = (): void => {
      if (appends.length > 0) outcomes.push(...this.#append(appends));
      appends = [];
    };
    for (const request of group) {
      if (request.kind === 'append') {
        appends.push(request);
        continue;
      }
      flush();
      outcomes.push(attempt(() => this.#carryOutAlone(request)));
    }
    flush();
    return outcomes;
  }

  afterGroup(): void {
    if (this.#walBytes < CHECKPOINT_BYTES) return;
    try {
      this.#connection.checkpoint('passive');
      this.#walBytes = 0;
    } catch {
      // Nothing is lost: the commits stand in the write-ahead log, and the next group tries again.
    }
  }

  close(): void {
    this.#connection.closeEmptied();
  }

  #carryOutAlone(request: Exclude<LogRequest, AppendRequest>): unknown {
    switch (request.kind) {
      case 'dropFrom':
        return this.#dropFrom(request.partition, request.sequence);
      case 'renewIncarnation':
        return renewIncarnation(this.#connection);
      case 'limitPages':
        return this.#limitPages(request.pages);
      default:
        throw new Error(`unreachable: ${JSON.stringify(request satisfies never)}`);
    }
  }

  #append(requests: readonly AppendRequest[]): Outcome[] {
    try {
      const outcomes = this.#connection.transaction(() => this.#insertAll(requests));
      const value: StoredCommit = { storedAtNs: process.hrtime.bigint() };
      return outcomes.map((outcome) => (outcome.failure === undefined ? { value } : outcome));
    } catch (error) {
      if (isDiskFull(error) && requests.length > 1) return requests.flatMap((request) => this.#append([request]));
      return requests.map(() => ({ failure: failureOf(error) }));
    }
  }

  /** The heads are read inside the transaction: another process may have written since. */
  #insertAll(requests: readonly AppendRequest[]): Outcome[] {
    const heads = new Map<number, number>();
    return requests.map(({ commit }) => {
      const { partition, sequence } = commit;
      const head = heads.get(partition) ?? numberOf(this.#head.get([partition])) ?? 0;
      if (sequence !== head + 1) {
        heads.set(partition, head);
        return { failure: { kind: 'sequenceTaken', message: `partition ${partition}: sequence ${sequence} does not follow ${head}` } };
      }
      this.#insert.run([partition, sequence, commit.commandCount, commit.committedAtUs, commit.eventTypes.join(' '), commit.bytes]);
      heads.set(partition, sequence);
      this.#walBytes += commit.bytes.length + PAGES_PER_COMMIT * LOG_PAGE_BYTES;
      return { value: undefined };
    });
  }

  #dropFrom(partition: number, sequence: number): number {
    return this.#connection.transaction(
      () => this.#connection.prepare('DELETE FROM commits WHERE partition = ? AND sequence >= ?').run([partition, sequence]).changes,
    );
  }

  #limitPages(pages: number): void {
    this.#connection.pragma(`max_page_count = ${pages}`);
  }
}

function attempt(work: () => unknown): Outcome {
  try {
    return { value: work() };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
