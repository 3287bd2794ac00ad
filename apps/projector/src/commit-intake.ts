/**
 * The commits of one partition on their way in: in sequence, each once, bounded. What the bus brings is taken if it is the
 * next one; what comes early waits for a moment, what was lost is read from the log. Every commit is checked against its own
 * checksum and against its predecessor's, wherever it comes from: what the bus changed is read from the log instead.
 */
import { type BusMessage, type EventLog, MissingCommitError } from '@sluice/ports';
import { CorruptCommitError, type DecodedCommit, type LogPosition, readNextCommit } from '@sluice/protocol';
import { Wakeup } from './wakeup';

/** Commits that wait, at most: beyond it the bus is not read on. */
export const QUEUED_COMMITS_LIMIT = 4_096;
export const QUEUED_BYTES_LIMIT = 48 * 1024 * 1024;
/** What one flush takes at most (and at least one commit): a flush holds its thread, and who asks for the status waits. */
const FLUSH_BYTES_LIMIT = 24 * 1024 * 1024;
/** Messages that came before their turn and are kept. */
const EARLY_MESSAGES_LIMIT = 64;
/** One read from the log. */
const LOG_PAGE = { maxCommits: 512, maxBytes: 8 * 1024 * 1024 };

interface EarlyMessage {
  readonly bytes: Uint8Array;
  readonly traceparent: string | undefined;
}

export interface TakenCommits {
  readonly commits: DecodedCommit[];
  /** W3C trace context of the span that published the newest one of them that the bus brought, if it was sampled. */
  readonly publishTraceparent: string | undefined;
}

export class CommitIntake {
  private queue: DecodedCommit[] = [];
  private queuedBytes = 0;
  private position: LogPosition;
  private readonly early = new Map<number, EarlyMessage>();
  private publishTraceparent: string | undefined;
  /** The log is known to have commits that are not queued. */
  private behind = true;
  private polledHead = 0;
  /** It is away, or the log had to be read for what it did not bring; and it has brought nothing since. */
  private busIsSilent = false;
  /** The log's commit after the queued ones is not what was written. */
  private unreadable: CorruptCommitError | MissingCommitError | undefined;
  private readonly news = new Wakeup();
  private readonly room = new Wakeup();

  /**
   * @param after where the rows end; its checksum is undefined only for sequence 0.
   * @param signal ends every wait.
   * @param discarded told of each commit of the bus that was changed, or is not the one that the log has next.
   */
  constructor(
    private readonly log: EventLog,
    after: LogPosition,
    private readonly signal: AbortSignal,
    private readonly discarded: (error: CorruptCommitError) => void,
  ) {
    this.position = after;
    const wakeAll = (): void => {
      this.news.wake();
      this.room.wake();
    };
    signal.addEventListener('abort', wakeAll, { once: true });
  }

  /** Newest sequence that was queued. */
  get sequence(): number {
    return this.position.sequence;
  }

  get oldestUs(): number {
    return this.queue[0]?.committedAtUs ?? Number.POSITIVE_INFINITY;
  }

  /** Three quarters of what may wait does. */
  get crowded(): boolean {
    return this.queue.length * 4 > QUEUED_COMMITS_LIMIT * 3 || this.queuedBytes * 4 > QUEUED_BYTES_LIMIT * 3;
  }

  private get full(): boolean {
    return this.queue.length >= QUEUED_COMMITS_LIMIT || this.queuedBytes >= QUEUED_BYTES_LIMIT;
  }

  /** Takes a message of the bus; resolves when there is room for the next one. */
  async offer(message: BusMessage): Promise<void> {
    while (this.full && !this.signal.aborted) await this.room.wait();
    if (message.sequence <= this.position.sequence) return;
    this.busIsSilent = false;
    const { bytes, traceparent } = message;
    if (bytes !== undefined && this.early.size < EARLY_MESSAGES_LIMIT) this.early.set(message.sequence, { bytes, traceparent });
    this.takeEarly();
    if (this.position.sequence < message.sequence) this.behind = true;
    this.news.wake();
  }

  /**
   * The log's head, from polling it. What the poll before knew already and has not come yet is not on its way any more: it
   * is read from the log. What only this poll knows may be, unless the bus has fallen silent or cannot be reached.
   * Returns whether the log is read because of this poll.
   */
  headIs(sequence: number, busConnected: boolean): boolean {
    const overdue = this.polledHead > this.position.sequence;
    this.polledHead = sequence;
    if (overdue || !busConnected) this.busIsSilent = true;
    if (!this.busIsSilent || sequence <= this.position.sequence) return false;
    this.behind = true;
    this.news.wake();
    return true;
  }

  /** Resolves when commits are queued, reading the log where that is needed; or when the signal aborts. Throws CorruptCommitError where the next one is. */
  async waitForCommits(): Promise<void> {
    while (!this.signal.aborted) {
      if (this.behind && !this.full && this.unreadable === undefined) await this.readLog();
      if (this.queue.length > 0 || this.signal.aborted) return;
      if (this.unreadable !== undefined) throw this.unreadable;
      if (!this.behind) await this.news.wait();
    }
  }

  /** What is queued, as much as one flush may take. */
  take(): TakenCommits {
    let bytes = 0;
    let count = 0;
    for (; count < this.queue.length && bytes < FLUSH_BYTES_LIMIT; count += 1) bytes += this.queue[count]?.bytes.length ?? 0;
    const commits = count === this.queue.length ? this.queue : this.queue.slice(0, count);
    const taken = { commits, publishTraceparent: this.publishTraceparent };
    this.queue = this.queue.slice(count);
    this.queuedBytes -= bytes;
    this.publishTraceparent = undefined;
    this.room.wake();
    return taken;
  }

  private async readLog(): Promise<void> {
    // Before the read, so that what is heard of meanwhile leads to another one.
    this.behind = false;
    const records = await this.log.read(this.position.partition, this.position.sequence + 1, LOG_PAGE).catch((error: unknown) => {
      if (!(error instanceof MissingCommitError)) throw error;
      this.unreadable = error;
      return undefined;
    });
    if (records === undefined) return;
    if (records.length === 0) {
      // Nothing that came early is of this log.
      this.early.clear();
      return;
    }
    for (const record of records) {
      // The bus may have brought it while the log was read.
      if (record.sequence > this.position.sequence && !this.takeOfLog(record.bytes)) return;
    }
    this.takeEarly();
    this.behind = true;
  }

  /** False: the commit cannot be read. What came before it is projected first. */
  private takeOfLog(bytes: Uint8Array): boolean {
    try {
      this.enqueue(readNextCommit(this.position, bytes));
      return true;
    } catch (error) {
      if (!(error instanceof CorruptCommitError)) throw error;
      this.unreadable = error;
      return false;
    }
  }

  private takeEarly(): void {
    for (const sequence of this.early.keys()) if (sequence <= this.position.sequence) this.early.delete(sequence);
    for (let next = this.early.get(this.position.sequence + 1); next !== undefined; next = this.early.get(this.position.sequence + 1)) {
      this.early.delete(this.position.sequence + 1);
      const commit = this.readNext(next.bytes);
      if (commit === undefined) return;
      this.enqueue(commit);
      this.publishTraceparent = next.traceparent ?? this.publishTraceparent;
    }
  }

  /** Undefined: the commit of the bus was changed, or is not the one that the log has next. The log decides. */
  private readNext(bytes: Uint8Array): DecodedCommit | undefined {
    try {
      // The bus may still have commits that a restored log lost; the log itself may have commits of former incarnations.
      return readNextCommit({ ...this.position, formerIncarnations: [] }, bytes);
    } catch (error) {
      if (!(error instanceof CorruptCommitError)) throw error;
      this.discarded(error);
    }
    this.behind = true;
    return undefined;
  }

  private enqueue(commit: DecodedCommit): void {
    // The bus may have brought the commit that the log does not have whole.
    this.unreadable = undefined;
    this.queue.push(commit);
    this.queuedBytes += commit.bytes.length;
    this.position = { ...this.position, sequence: commit.sequence, checksum: commit.checksum };
  }
}
