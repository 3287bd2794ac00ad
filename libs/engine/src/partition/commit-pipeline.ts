/**
 * Commits of one partition on their way to the log. One append is outstanding; while it is, one more commit may be staged behind it.
 *
 *   add ──▶ in flight ──append──▶ durable
 *   add ──▶ staged ──the one in flight is durable──▶ in flight …
 *
 * What a turn has to store elsewhere (keys that its events name) is stored while its commit is staged, and is durable before the append begins.
 *
 * An append that fails, or a store before it, takes the staged commit with it: the owner of the pipeline aborts it. The outcome of an aborted append is ignored.
 */
import type { Clock, EventLog } from '@sluice/ports';
import type { Turn } from './turn';

/** A turn with the commit that was formed from it. */
export interface PendingCommit {
  readonly turn: Turn;
  readonly bytes: Buffer;
  readonly eventTypes: readonly string[];
  /** When it was decided; 0: no request in it is traced. */
  readonly decidedAtUs: number;
  appendedAtUs: number;
  /** What must be durable before the append; undefined: nothing. */
  stored?: Promise<unknown> | undefined;
}

export interface CommitPipelineDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly durable: (commit: PendingCommit) => void;
  /** The append in flight failed, or its outcome is unknown. */
  readonly failed: (error: unknown) => void;
}

export class CommitPipeline {
  private inFlight: PendingCommit | undefined;
  private staged: PendingCommit | undefined;

  constructor(private readonly dependencies: CommitPipelineDependencies) {}

  get empty(): boolean {
    return this.inFlight === undefined;
  }

  /** No commit can be added until the one in flight is durable. */
  get full(): boolean {
    return this.staged !== undefined;
  }

  /** Turn of the newest commit that is not durable yet. */
  get newest(): Turn | undefined {
    return (this.staged ?? this.inFlight)?.turn;
  }

  add(commit: PendingCommit): void {
    commit.stored = commit.turn.storeBeforeAppend();
    // Handled when the append begins, if it does.
    commit.stored?.catch(() => undefined);
    if (this.inFlight === undefined) this.append(commit);
    else if (this.staged === undefined) this.staged = commit;
    else throw new Error(`partition ${this.dependencies.partition}: a commit is staged already`);
  }

  /** Forgets what is on its way, and returns its turns, the oldest first. */
  abort(): Turn[] {
    const aborted = [this.inFlight, this.staged].flatMap((commit) => commit?.turn ?? []);
    this.inFlight = undefined;
    this.staged = undefined;
    return aborted;
  }

  private append(commit: PendingCommit): void {
    this.inFlight = commit;
    const appended = commit.stored === undefined ? this.appendToLog(commit) : this.appendWhenStored(commit, commit.stored);
    appended.then(
      () => {
        if (this.inFlight === commit) this.appended(commit);
      },
      (error: unknown) => {
        if (this.inFlight === commit) this.dependencies.failed(error);
      },
    );
  }

  private async appendWhenStored(commit: PendingCommit, stored: Promise<unknown>): Promise<void> {
    await stored;
    // An aborted commit must not reach the log.
    if (this.inFlight === commit) await this.appendToLog(commit);
  }

  private appendToLog(commit: PendingCommit): Promise<void> {
    const { partition, log, clock } = this.dependencies;
    const { turn, bytes, eventTypes } = commit;
    commit.appendedAtUs = clock.nowUs();
    return log.append({ partition, sequence: turn.sequence, bytes, commandCount: turn.commandCount, committedAtUs: turn.committedAtUs, eventTypes });
  }

  private appended(commit: PendingCommit): void {
    const { staged } = this;
    this.inFlight = undefined;
    this.staged = undefined;
    // Before answers leave: the disk need not wait for them.
    if (staged !== undefined) this.append(staged);
    this.dependencies.durable(commit);
  }
}
