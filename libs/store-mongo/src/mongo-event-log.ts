/**
 * The event log on MongoDB: one document per commit, acknowledged by a majority with its journal.
 *
 * The unique `_id` decides between two writers of a sequence. That sequences have no gaps is up to the writers, which read
 * the log before they write; so the first append of a partition after opening, and after every failure, compares with the
 * newest commit. After a failure that is looked for from where the partition stood, by exact ids.
 *
 * An append that is not answered has an unknown outcome, and may even be carried out later. The caller looks at the log and appends the same
 * commit again, or another one: the later one of the two finds the sequence taken.
 */
import { type Collection, type FindOptions, MongoServerError } from 'mongodb';

import {
  AppendFailedError,
  type Clock,
  type CommitRecord,
  type CommitToAppend,
  type EventLog,
  type LogIdentity,
  MAXIMUM_COMMIT_BYTES,
  MissingCommitError,
  SequenceTakenError,
  systemClock,
} from '@sluice/ports';

import { answeredOrLost, LOOK_LIMIT_MS, type Sighting } from './append-watch';
import { type CommitDocument, type CommitId, commitId, partitionRange, toDocument, toRecord } from './commit-document';
import { HeadSearch } from './head-search';
import { DUPLICATE_KEY, identityOf, type ReadStoreSource } from './log-identity-document';
import type { MongoConnection } from './mongo-connection';

/** How long the server waits for the majority before it answers that it did not get there. */
const MAJORITY_LIMIT_MS = 10_000;
/** How long a primary may try to find out whether it still is one: without a majority it would wait for ever. */
const LINEARIZABLE_LIMIT_MS = 5_000;
/** Commits asked for in the first request of a page, and at most in each; between them what the sizes seen so far suggest. */
const FIRST_READ_COMMITS = 4;
const MAX_READ_COMMITS = 256;

const OUT_OF_DISK_SPACE = 14_031;

export interface MongoEventLogOptions {
  readonly connection: MongoConnection;
  /** servers × containers. */
  readonly partitions: number;
  /** Only reads; the log must exist. For those whose credentials may not write. */
  readonly readOnly?: boolean;
  readonly clock?: Clock;
  /** The log that the read store was made from, where it can be asked: a log is not begun beside it. */
  readonly readStoreOf?: (() => Promise<ReadStoreSource | undefined>) | undefined;
}

export class MongoEventLog implements EventLog {
  readonly maximumCommitBytes = MAXIMUM_COMMIT_BYTES;
  readonly #commits: Collection<CommitDocument>;
  /** Newest sequence that was found or appended here, by partition. */
  readonly #newest = new Map<number, number>();
  /** Partitions whose last append from here succeeded. */
  readonly #sound = new Set<number>();
  /** Where the partitions stood when they were last asked for. */
  #heads: number[] | undefined;
  /** How a read is asked for that a deposed primary must not answer. */
  readonly #strictest: Pick<FindOptions, 'readConcern' | 'maxTimeMS'>;
  #closed = false;

  private constructor(
    readonly identity: LogIdentity,
    connection: MongoConnection,
    private readonly readOnly: boolean,
    private readonly clock: Clock,
  ) {
    this.#commits = connection.db.collection<CommitDocument>('commits');
    this.#strictest = connection.linearizableReads ? { readConcern: { level: 'linearizable' }, maxTimeMS: LINEARIZABLE_LIMIT_MS } : {};
  }

  static async open(options: MongoEventLogOptions): Promise<MongoEventLog> {
    const { connection, partitions, readOnly = false, clock = systemClock, readStoreOf } = options;
    const identity = await identityOf(connection.db, connection.describe, { partitions, readOnly, readStoreOf });
    return new MongoEventLog(identity, connection, readOnly, clock);
  }

  async append(commit: CommitToAppend): Promise<void> {
    const { partition, sequence } = commit;
    this.#assertPartition(partition);
    if (this.#closed) throw new AppendFailedError('the event log is closed', { refused: true });
    if (this.readOnly) throw new AppendFailedError('the event log is opened for reading only', { refused: true });
    if (commit.bytes.length > MAXIMUM_COMMIT_BYTES) {
      throw new AppendFailedError(`partition ${partition}: commit ${sequence} has ${commit.bytes.length} bytes, ${MAXIMUM_COMMIT_BYTES} is the most`, {
        refused: true,
      });
    }
    const document = toDocument(commit);
    const isNext = this.#sound.delete(partition) && this.#newest.get(partition) === sequence - 1;
    const appended = (isNext ? Promise.resolve() : this.#assertNext(partition, sequence)).then(() => this.#insert(document));
    try {
      await answeredOrLost(appended, () => this.#look(document._id), this.clock, commit.bytes.length);
    } catch (error) {
      throw appendError(error, partition, sequence);
    }
    this.#newest.set(partition, sequence);
    this.#sound.add(partition);
  }

  async read(partition: number, fromSequence: number, page: { maxCommits: number; maxBytes: number }): Promise<CommitRecord[]> {
    this.#assertPartition(partition);
    const records: CommitRecord[] = [];
    let bytes = 0;
    let next = Math.max(1, fromSequence);
    let count = Math.min(FIRST_READ_COMMITS, page.maxCommits);
    while (count > 0) {
      const found = await this.#readRun(partition, next, count).catch((error: unknown) => {
        // What is before the gap is given out; the next read begins at it.
        if (error instanceof MissingCommitError && records.length > 0) return [];
        throw error;
      });
      for (const record of found) {
        bytes += record.bytes.length;
        if (records.length > 0 && bytes > page.maxBytes) return records;
        records.push(record);
      }
      if (found.length < count) break;
      next += count;
      const fitting = Math.ceil((page.maxBytes - bytes) / Math.max(1, bytes / records.length));
      count = Math.min(MAX_READ_COMMITS, page.maxCommits - records.length, fitting);
    }
    return records;
  }

  async head(partition: number): Promise<CommitRecord | undefined> {
    this.#assertPartition(partition);
    const [newest] = await this.#commits
      .find({ _id: partitionRange(partition) })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    return newest && toRecord(newest);
  }

  async isTaken(partition: number, sequence: number): Promise<boolean> {
    this.#assertPartition(partition);
    const found = await this.#commits.findOne({ _id: commitId(partition, sequence) }, { projection: { _id: 1 }, ...this.#strictest });
    return found !== null;
  }

  async headSequences(): Promise<number[]> {
    const partitions = Array.from({ length: this.identity.partitions }, (_, partition) => partition);
    this.#heads ??= await Promise.all(partitions.map((partition) => this.#newestSequence(partition)));
    const heads = await this.#advance(new Map(this.#heads.entries()));
    this.#heads = partitions.map((partition) => heads.get(partition) as number);
    return [...this.#heads];
  }

  /** From the newest down, one by one, so that an interruption leaves no gap. */
  async dropFrom(partition: number, sequence: number): Promise<number> {
    this.#assertPartition(partition);
    this.#newest.delete(partition);
    this.#heads = undefined;
    const newest = await this.#newestSequence(partition);
    const first = Math.max(1, sequence);
    for (let dropping = newest; dropping >= first; dropping -= 1) await this.#commits.deleteOne({ _id: commitId(partition, dropping) });
    return Math.max(0, newest - first + 1);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Throws SequenceTakenError if the log has the sequence, and Error if the one before is missing. */
  async #assertNext(partition: number, sequence: number): Promise<void> {
    const known = this.#newest.get(partition);
    const newest =
      known === undefined ? await this.#newestSequence(partition) : ((await this.#advance(new Map([[partition, known]]))).get(partition) as number);
    this.#newest.set(partition, newest);
    if (sequence <= newest) throw new SequenceTakenError(partition, sequence);
    if (sequence > newest + 1) throw new Error(`the log ends at ${newest}, the commit would leave a gap`);
  }

  async #insert(document: CommitDocument): Promise<void> {
    await this.#commits.insertOne(document, { writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAJORITY_LIMIT_MS } });
  }

  /** What the server knows of the commit of an append that it has not answered yet. */
  async #look(id: CommitId): Promise<Sighting> {
    const isThere = async (level: 'local' | 'majority'): Promise<boolean> =>
      (await this.#commits.findOne({ _id: id }, { projection: { _id: 1 }, readConcern: { level }, maxTimeMS: LOOK_LIMIT_MS })) !== null;
    if (!(await isThere('local'))) return 'absent';
    return (await isThere('majority')) ? 'durable' : 'accepted';
  }

  /** The commits of `count` sequences that exist, in order, up to a gap. Throws MissingCommitError where the first one is missing. By their exact ids, which no server answers by a scan. */
  async #readRun(partition: number, from: number, count: number): Promise<CommitRecord[]> {
    const ids = Array.from({ length: count }, (_, at) => commitId(partition, from + at));
    const documents = await this.#commits.find({ _id: { $in: ids } }).toArray();
    const records = documents.map(toRecord).sort((left, right) => left.sequence - right.sequence);
    const gap = records.findIndex((record, at) => record.sequence !== from + at);
    if (gap === 0) throw new MissingCommitError(partition, from);
    return gap === -1 ? records : records.slice(0, gap);
  }

  async #newestSequence(partition: number): Promise<number> {
    const [newest] = await this.#commits
      .find({ _id: partitionRange(partition) }, { projection: { _id: 1 } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    return newest === undefined ? 0 : Number(newest._id.sequence);
  }

  /** Where the partitions stand now, knowing where they stood. */
  async #advance(lastKnown: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    const searches = new Map([...lastKnown].map(([partition, sequence]) => [partition, new HeadSearch(sequence)]));
    for (;;) {
      const open = [...searches]
        .filter(([, { head }]) => head === undefined)
        .map(([partition, search]) => ({ partition, search, candidates: search.candidates() }));
      if (open.length === 0) return new Map([...searches].map(([partition, { head }]) => [partition, head as number]));
      const existing = await this.#existing(open.flatMap(({ partition, candidates }) => candidates.map((sequence) => commitId(partition, sequence))));
      for (const { partition, search, candidates } of open) {
        const stands = search.narrow(candidates, (sequence) => existing.has(`${partition}/${sequence}`));
        if (!stands) searches.set(partition, new HeadSearch(0));
      }
    }
  }

  async #existing(ids: readonly CommitId[]): Promise<ReadonlySet<string>> {
    const documents = await this.#commits.find({ _id: { $in: ids } }, { projection: { _id: 1 } }).toArray();
    return new Set(documents.map(({ _id }) => `${_id.partition}/${_id.sequence}`));
  }

  #assertPartition(partition: number): void {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.identity.partitions) {
      throw new RangeError(`partition ${partition} is not one of ${this.identity.partitions}`);
    }
  }
}

function appendError(error: unknown, partition: number, sequence: number): Error {
  if (error instanceof SequenceTakenError) return error;
  if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return new SequenceTakenError(partition, sequence);
  const diskFull = error instanceof MongoServerError && error.code === OUT_OF_DISK_SPACE;
  const message = error instanceof Error ? error.message : String(error);
  return new AppendFailedError(`partition ${partition}: commit ${sequence}: ${message}`, { cause: error, diskFull });
}
