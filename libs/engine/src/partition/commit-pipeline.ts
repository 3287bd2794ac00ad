/**
 * Commits of one partition on their way to the log. One append is outstanding; while it is, one more commit may be staged behind it.
 *
 *   add ──▶ in flight ──append──▶ durable
 *              └──append failed──▶ in doubt ──the log has it──▶ durable
 *   add ──▶ staged ──the one in flight is durable──▶ in flight …
 *
 * What a turn has to store elsewhere (keys that its events name) is stored while its commit is staged, and is durable before the append begins.
 *
 * An append that failed leaves its commit in doubt for a bounded time, in which `CommitInDoubt` finds out what became of it. Nothing is added
 * meanwhile. A commit that is lost takes the staged one with it: the owner of the pipeline aborts it. The outcome of an aborted append is ignored.
 */
import { AppendFailedError, type AppendReceipt, type Clock, type CommitToAppend, type EventLog, SequenceTakenError } from '@sluice/ports';
import { CommitInDoubt, type CommitFate } from './commit-in-doubt';
import type { Turn } from './turn';

/** Whoever waits undecided waits no longer for a commit in doubt: most doubts are over by then, the others take as long as the log is away. */
const STALLED_AFTER_MS = 1_000;

/** A turn with the commit that was formed from it. */
export interface PendingCommit {
  readonly turn: Turn;
  readonly bytes: Buffer;
  readonly eventTypes: readonly string[];
  /** When it was decided; 0: no request in it is traced. */
  readonly decidedAtUs: number;
  appendedAtUs: number;
  /** How long its append took, where the log says so. */
  appendUs?: number | undefined;
  /** What must be durable before the append; undefined: nothing. */
  stored?: Promise<unknown> | undefined;
}

export interface CommitPipelineDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly durable: (commit: PendingCommit) => void;
  /** The commit in flight is lost, or was given up: another owner has its sequence, or its outcome stays unknown. */
  readonly failed: (error: unknown) => void;
  /** How long a commit may be in doubt now; 0: it is given up at once. */
  readonly doubtLimitMs: () => number;
  /** The commit in flight is in doubt. */
  readonly doubted: (error: unknown) => void;
  /** The doubt lasts: nothing is decided for a while. */
  readonly stalled: () => void;
}

interface Doubt {
  readonly cancel: () => void;
  stalled: boolean;
}

export class CommitPipeline {
  private inFlight: PendingCommit | undefined;
  private staged: PendingCommit | undefined;
  private doubt: Doubt | undefined;

  constructor(private readonly dependencies: CommitPipelineDependencies) {}

  get empty(): boolean {
    return this.inFlight === undefined;
  }

  /** No commit can be added until the one in flight is durable. */
  get full(): boolean {
    return this.staged !== undefined || this.doubt !== undefined;
  }

  /** The commit in flight is in doubt. */
  get inDoubt(): boolean {
    return this.doubt !== undefined;
  }

  /** The commit in flight has been in doubt for long. */
  get isStalled(): boolean {
    return this.doubt?.stalled === true;
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
    this.endDoubt();
    this.inFlight = undefined;
    this.staged = undefined;
    return aborted;
  }

  private append(commit: PendingCommit): void {
    this.inFlight = commit;
    const appended = commit.stored === undefined ? this.appendToLog(commit) : this.appendWhenStored(commit, commit.stored);
    appended.then(
      (receipt) => {
        commit.appendUs = receipt?.durationUs;
        if (this.inFlight === commit) this.appended(commit);
      },
      (error: unknown) => {
        if (this.inFlight === commit) this.appendFailed(commit, error);
      },
    );
  }

  private async appendWhenStored(commit: PendingCommit, stored: Promise<unknown>): Promise<AppendReceipt | void> {
    await stored;
    // An aborted commit must not reach the log.
    if (this.inFlight === commit) return this.appendToLog(commit);
  }

  private appendToLog(commit: PendingCommit): Promise<AppendReceipt | void> {
    const { log, clock } = this.dependencies;
    commit.appendedAtUs = clock.nowUs();
    return log.append(this.recordOf(commit));
  }

  private recordOf({ turn, bytes, eventTypes }: PendingCommit): CommitToAppend {
    const { partition } = this.dependencies;
    return { partition, sequence: turn.sequence, bytes, commandCount: turn.commandCount, committedAtUs: turn.committedAtUs, eventTypes };
  }

  private appended(commit: PendingCommit): void {
    const { staged } = this;
    this.inFlight = undefined;
    this.staged = undefined;
    // Before answers leave: the disk need not wait for them.
    if (staged !== undefined) this.append(staged);
    this.dependencies.durable(commit);
  }

  // ---- in doubt ----

  private appendFailed(commit: PendingCommit, error: unknown): void {
    const { clock, failed, doubted, stalled, doubtLimitMs } = this.dependencies;
    const limitMs = doubtLimitMs();
    if (limitMs === 0 || !(error instanceof AppendFailedError) || error.refused) {
      failed(error);
      return;
    }
    const cancelLimit = clock.after(limitMs, () => failed(error));
    const cancelStalled = clock.after(STALLED_AFTER_MS, () => {
      doubt.stalled = true;
      stalled();
    });
    const cancel = (): void => {
      cancelLimit();
      cancelStalled();
    };
    const doubt: Doubt = { cancel, stalled: false };
    this.doubt = doubt;
    doubted(error);
    const { log } = this.dependencies;
    const inDoubt = new CommitInDoubt({ log, clock, commit: this.recordOf(commit), isWanted: () => this.doubt === doubt });
    void inDoubt.fate().then((fate) => {
      if (this.doubt === doubt && fate !== undefined) this.doubtIsOver(commit, fate, error);
    });
  }

  private doubtIsOver(commit: PendingCommit, fate: CommitFate, error: unknown): void {
    const { failed, partition } = this.dependencies;
    this.endDoubt();
    switch (fate) {
      case 'recorded':
        this.appended(commit);
        break;
      case 'overtaken':
        failed(new SequenceTakenError(partition, commit.turn.sequence));
        break;
      case 'unfounded':
        failed(error);
        break;
      default:
        fate satisfies never;
    }
  }

  private endDoubt(): void {
    this.doubt?.cancel();
    this.doubt = undefined;
  }
}
