/**
 * The event log in memory, for tests and the simulation: same promises as a real one, except that it dies with the
 * process. Several logs on one `MemoryLogStorage` are several processes on one database.
 */
import { randomBytes } from 'node:crypto';
import {
  AppendFailedError,
  MAXIMUM_COMMIT_BYTES,
  SequenceTakenError,
  type CommitRecord,
  type CommitToAppend,
  type EventLog,
  type LogIdentity,
} from '@sluice/ports';
import { AppendFaults, type AppendFault } from './append-faults';

/** What survives when a log is closed: the database of the memory log. */
export class MemoryLogStorage {
  readonly identity: LogIdentity;
  /** Index: partition; then sequence - 1. */
  readonly partitions: CommitToAppend[][];

  constructor(options: { partitions: number; incarnation?: string; createdAtUs?: number }) {
    this.identity = {
      incarnation: options.incarnation ?? randomBytes(16).toString('hex'),
      partitions: options.partitions,
      createdAtUs: options.createdAtUs ?? Date.now() * 1000,
    };
    this.partitions = Array.from({ length: options.partitions }, () => []);
  }

  commitsOf(partition: number): CommitToAppend[] {
    const commits = this.partitions[partition];
    if (commits === undefined) throw new RangeError(`partition ${partition} is not one of ${this.identity.partitions}`);
    return commits;
  }
}

export class MemoryEventLog implements EventLog {
  readonly faults = new AppendFaults();
  /** Tests may lower it. */
  maximumCommitBytes = MAXIMUM_COMMIT_BYTES;
  readonly #storage: MemoryLogStorage;
  #closed = false;

  constructor(storage: MemoryLogStorage | { partitions: number; incarnation?: string; createdAtUs?: number }) {
    this.#storage = storage instanceof MemoryLogStorage ? storage : new MemoryLogStorage(storage);
  }

  get identity(): LogIdentity {
    return this.#storage.identity;
  }

  async append(commit: CommitToAppend): Promise<void> {
    this.#assertOpen();
    const commits = this.#storage.commitsOf(commit.partition);
    const fault = this.faults.take();
    await this.faults.pass();
    this.#assertOpen();
    if (commit.bytes.length > this.maximumCommitBytes) throw new AppendFailedError(`the commit has ${commit.bytes.length} bytes`, { refused: true });
    applyFaultBefore(fault, commit, commits);
    if (commit.sequence !== commits.length + 1) throw new SequenceTakenError(commit.partition, commit.sequence);
    commits.push({ ...commit, bytes: new Uint8Array(commit.bytes), eventTypes: [...commit.eventTypes] });
    if (fault?.kind === 'failAfterStoring') throw new AppendFailedError('the connection was lost before the answer came');
  }

  async read(partition: number, fromSequence: number, page: { maxCommits: number; maxBytes: number }): Promise<CommitRecord[]> {
    const records: CommitRecord[] = [];
    let bytes = 0;
    for (const commit of this.#storage.commitsOf(partition).slice(Math.max(0, fromSequence - 1), fromSequence - 1 + page.maxCommits)) {
      bytes += commit.bytes.length;
      if (records.length > 0 && bytes > page.maxBytes) break;
      records.push({ partition, sequence: commit.sequence, bytes: new Uint8Array(commit.bytes) });
    }
    return records;
  }

  async head(partition: number): Promise<CommitRecord | undefined> {
    const newest = this.#storage.commitsOf(partition).at(-1);
    return newest && { partition, sequence: newest.sequence, bytes: new Uint8Array(newest.bytes) };
  }

  async isTaken(partition: number, sequence: number): Promise<boolean> {
    return sequence >= 1 && sequence <= this.#storage.commitsOf(partition).length;
  }

  async headSequences(): Promise<number[]> {
    return this.#storage.partitions.map((commits) => commits.length);
  }

  async dropFrom(partition: number, sequence: number): Promise<number> {
    return this.#storage.commitsOf(partition).splice(Math.max(0, sequence - 1)).length;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new AppendFailedError('the event log is closed', { refused: true });
  }
}

function applyFaultBefore(fault: AppendFault | undefined, commit: CommitToAppend, commits: CommitToAppend[]): void {
  if (fault?.kind === 'fail') throw new AppendFailedError(fault.diskFull ? 'the disk is full' : 'the append was made to fail', { diskFull: fault.diskFull });
  if (fault?.kind === 'rivalFirst' && commit.sequence === commits.length + 1) {
    commits.push({ ...commit, bytes: new Uint8Array(fault.bytes), commandCount: 0, eventTypes: [] });
  }
}
