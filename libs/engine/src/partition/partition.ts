/**
 * A partition's writer: the only one that decides for its keys.
 *
 *   stopped ──start──▶ loading ──ownership commit durable──▶ serving ──append failed──▶ loading …
 *                        │                                      │
 *                        └────────── another owner ─────────────┴──▶ lost ──start──▶ …
 *
 * Submissions wait in a bounded queue. A turn takes what waits, decides it against the state in memory and forms one commit. One
 * append is outstanding at a time; while it is on its way the next turn may be decided (`staged`), no more. Answers leave when
 * their commit is durable. If an append fails, or nobody knows whether it did, every turn from it on is lost: memory is dropped, the log is
 * read again and a new ownership commit fences off whatever may still be on its way. If the log then shows another owner, the partition
 * is lost: it steps down instead of taking it back. An exception in a decision is met in the same way: half a turn is no state to go on from.
 *
 * This trades memory (the whole state of the partition, cold accounts packed) for deciding without I/O.
 */
import type { Bus, Clock, EventLog, SnapshotStore } from '@sluice/ports';
import { SequenceTakenError } from '@sluice/ports';
import type { DecodedCommit } from '@sluice/protocol';
import type { Capability, CapabilityState, Submission, SubmissionFailure } from '../capability';
import type { EngineObserver } from '../engine-observer';
import { hashSeeds, type HashSeeds } from '../request-index/request-hash';
import type { RequestIndex } from '../request-index/request-index';
import type { RunSorter } from '../request-index/sorter';
import { CommitPipeline, type PendingCommit } from './commit-pipeline';
import type { PartitionLimits } from './limits';
import { AbandonedError, PartitionLoader } from './partition-loader';
import { PartitionMemory } from './partition-memory';
import { PartitionSnapshots } from './partition-snapshots';
import { Publisher } from './publisher';
import { SubmissionQueue } from './submission-queue';
import { TurnWriter } from './turn-writer';

export type PartitionState = 'stopped' | 'loading' | 'serving' | 'lost';

/** While the log was read anew it showed that another instance owns the partition. */
class DeposedError extends Error {
  constructor(partition: number, owner: string | undefined, epoch: number) {
    super(`partition ${partition}: ${owner ?? 'another instance'} owns it since epoch ${epoch}`);
    this.name = 'DeposedError';
  }
}

export interface PartitionDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly capabilities: readonly Capability[];
  readonly sorter: RunSorter;
  readonly limits: PartitionLimits;
  readonly observer: EngineObserver;
  /** Id of this instance, for the ownership commit. */
  readonly owner: string;
  /** Other processes may own the partition, too. */
  readonly shared: boolean;
  /** Sequence up to which no projector needs the partition's commits any more. */
  readonly projected?: (partition: number) => Promise<number>;
  /** Another owner has taken the partition. */
  readonly onLost: (partition: number) => void;
}

const RELOAD_FIRST_MS = 50;
const RELOAD_LAST_MS = 5_000;

export class Partition {
  readonly partition: number;
  readonly seeds: HashSeeds;
  private memory: PartitionMemory;
  private readonly queue: SubmissionQueue;
  private readonly turns: TurnWriter;
  private readonly pipeline: CommitPipeline;
  private readonly loader: PartitionLoader;
  private readonly snapshots: PartitionSnapshots;
  private publisher: Publisher | undefined;
  private currentState: PartitionState = 'stopped';
  private stopping = false;
  private turnScheduled = false;
  /** The newest sequence that is durable and that memory reflects. */
  private durable = 0;
  private loading: Promise<void> | undefined;
  /** Ends the pause before the next attempt to load. */
  private endPause = (): void => undefined;
  private idle: (() => void)[] = [];
  private snapshotting: Promise<void> | undefined;

  constructor(private readonly dependencies: PartitionDependencies) {
    const { partition, log, clock, limits } = dependencies;
    const incarnation = Buffer.from(log.identity.incarnation, 'hex');
    this.partition = partition;
    this.seeds = hashSeeds(incarnation);
    this.memory = new PartitionMemory({ ...dependencies, seeds: this.seeds });
    this.queue = new SubmissionQueue(partition, limits);
    this.turns = new TurnWriter(incarnation, clock);
    this.pipeline = new CommitPipeline({ partition, log, clock, durable: (commit) => this.becameDurable(commit), failed: (error) => this.appendFailed(error) });
    this.snapshots = new PartitionSnapshots({ ...dependencies, queue: this.queue });
    this.loader = new PartitionLoader({ ...dependencies, snapshots: this.snapshots, newMemory: () => this.newMemory() });
  }

  get state(): PartitionState {
    return this.currentState;
  }

  get durableSequence(): number {
    return this.durable;
  }

  get waitingCommands(): number {
    return this.queue.commands;
  }

  get ownerEpoch(): number {
    return this.memory.epoch;
  }

  /** Where request ids were seen; another one after a reload. */
  get index(): RequestIndex {
    return this.memory.index;
  }

  /** Loads the state, takes ownership and serves. Throws CorruptCommitError, or what the log throws. */
  async start(): Promise<void> {
    this.currentState = 'loading';
    this.stopping = false;
    await this.load();
    if (this.currentState === 'loading') this.currentState = 'serving';
  }

  /** Takes no more, finishes what was taken, leaves a snapshot if asked. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    this.stopping = true;
    if (this.currentState === 'serving') await this.drained();
    await this.snapshotting;
    // An append may have failed meanwhile: memory that is being loaded makes no snapshot.
    if (options.snapshot && this.currentState === 'serving' && this.memory.logBytesSinceSnapshot > 0) await this.snapshot();
    this.currentState = 'stopped';
    this.memory.retire();
    this.publisher?.stop();
    this.endPause();
    await this.loading;
    this.failWaiting('SHUTTING_DOWN');
  }

  /** Throws QueueFullError; then nothing was taken. While the partition does not serve, the submission fails at once. */
  submit(submission: Submission): void {
    if (this.currentState !== 'serving' || this.stopping) {
      submission.fail(this.refusalNow());
      return;
    }
    this.queue.push(submission, this.scheduleTurn);
    this.dependencies.observer.queued(this.partition, this.queue.commands);
  }

  /** The state that the capability made for this partition; another one after a reload. */
  stateOf(capability: string): CapabilityState {
    return this.memory.stateOf(capability);
  }

  /** A durable commit, from memory or from the log, waiting until it is durable. Throws TurnLostError when its turn is lost. */
  recall(sequence: number): Promise<DecodedCommit> {
    return this.memory.recall(sequence);
  }

  /** Publish again what the bus has lost. */
  republish(fromSequence: number): void {
    this.publisher?.rewind(fromSequence - 1);
  }

  // ---- turns ----

  private readonly scheduleTurn = (): void => {
    if (this.turnScheduled || this.currentState !== 'serving') return;
    this.turnScheduled = true;
    // What arrives in the same round of the event loop travels in the same turn.
    setImmediate(this.runTurn);
  };

  private readonly runTurn = (): void => {
    const { queue, pipeline, memory } = this;
    this.turnScheduled = false;
    if (this.currentState !== 'serving' || pipeline.full || queue.empty) return;
    if (!pipeline.empty && queue.commands < this.dependencies.limits.decideAheadCommands) return;
    const taken = queue.take();
    if (taken.length > 0 && !this.decide(memory, taken)) return;
    if (!queue.empty && !pipeline.full) this.scheduleTurn();
    else this.noteIdle();
  };

  /** False: a decision threw, and the memory is dropped. */
  private decide(memory: PartitionMemory, taken: Submission[]): boolean {
    let commit: PendingCommit | undefined;
    try {
      const turn = this.turns.decide(memory, taken);
      this.dependencies.observer.turnDecided(this.partition, turn.commandCount);
      if (turn.commit.events > 0) commit = this.turns.finish(memory, turn);
    } catch (error) {
      this.turnsLost('a turn could not be decided; the log is read again', error, taken);
      return false;
    }
    if (commit === undefined) this.settleUnrecorded(memory, taken);
    else this.pipeline.add(commit);
    return true;
  }

  /** Nothing is to be recorded, but the answers may depend on what is not durable yet. */
  private settleUnrecorded(memory: PartitionMemory, submissions: Submission[]): void {
    const { newest } = this.pipeline;
    if (newest !== undefined) newest.submissions.push(...submissions);
    else if (this.dependencies.shared) void this.settleIfOwner(memory, submissions);
    else for (const submission of submissions) submission.settle(this.durable);
  }

  /**
   * Answers for which nothing is recorded (no such account) are true only while no other instance owns the partition. An owner that was
   * paused may be stale, so it looks one commit past its own. What is recorded needs no look: its append fails for a stale owner.
   */
  private async settleIfOwner(memory: PartitionMemory, submissions: readonly Submission[]): Promise<void> {
    const { durable, pipeline } = this;
    try {
      const [beyond] = await this.dependencies.log.read(this.partition, durable + 1, { maxCommits: 1, maxBytes: 1 });
      const foreign = beyond !== undefined && beyond.sequence > this.durable && pipeline.empty;
      if (foreign && !memory.ended) this.stepDown('the log has its commits', new SequenceTakenError(this.partition, beyond.sequence));
      if (memory.ended) failAll(submissions, 'PARTITION_UNAVAILABLE');
      // What is there may be ours, on its way: its append will tell.
      else if (beyond !== undefined && !pipeline.empty) pipeline.newest?.submissions.push(...submissions);
      else for (const submission of submissions) submission.settle(durable);
    } catch (error) {
      this.dependencies.observer.trouble(this.partition, 'whether the partition is still owned could not be seen', error);
      failAll(submissions, 'PARTITION_UNAVAILABLE');
    }
  }

  // ---- commits ----

  private becameDurable(commit: PendingCommit): void {
    const { turn, bytes } = commit;
    const { memory, queue } = this;
    const { observer, clock } = this.dependencies;
    this.durable = turn.sequence;
    memory.recent.add(turn.sequence, bytes);
    const durableUs = clock.nowUs();
    observer.committed(this.partition, bytes.length, durableUs - commit.appendedAtUs);
    for (const submission of turn.submissions) submission.settle(turn.sequence);
    memory.commits.becameDurable(turn.sequence);
    this.publisher?.offer(turn.sequence, commit.decidedAtUs > 0 ? this.traced(commit, durableUs) : undefined);
    memory.logBytesSinceSnapshot += bytes.length;
    if (queue.empty) this.noteIdle();
    else this.scheduleTurn();
    this.maybeSnapshot();
  }

  private traced({ turn, bytes, decidedAtUs, appendedAtUs }: PendingCommit, durableUs: number): string | undefined {
    return this.dependencies.observer.traced?.({
      partition: this.partition,
      sequence: turn.sequence,
      commands: turn.commandCount,
      sizeBytes: bytes.length,
      traceparents: turn.traceparents,
      decideStartUs: turn.committedAtUs,
      decideEndUs: decidedAtUs,
      appendStartUs: appendedAtUs,
      durableUs,
    });
  }

  private appendFailed(error: unknown): void {
    if (error instanceof SequenceTakenError) this.stepDown('an append was refused', error);
    else this.turnsLost('an append failed; the log is read again', error);
  }

  /**
   * Memory holds what the log may not have: it is dropped, with every turn from the failed one on, and read again.
   * @param deciding submissions of the turn in whose decisions it failed.
   */
  private turnsLost(what: string, error: unknown, deciding: readonly Submission[] = []): void {
    const { epoch } = this.memory;
    this.currentState = 'loading';
    this.dependencies.observer.trouble(this.partition, what, error);
    this.abortTurns('PARTITION_UNAVAILABLE', deciding);
    this.loading = this.reload(epoch).finally(() => {
      this.loading = undefined;
    });
  }

  /** Another instance owns the partition. @param noticed how this one found out. */
  private stepDown(noticed: string, error: unknown): void {
    const { observer, onLost } = this.dependencies;
    this.currentState = 'lost';
    observer.trouble(this.partition, `another owner has taken the partition: ${noticed}`, error);
    this.abortTurns('NOT_OWNER');
    onLost(this.partition);
  }

  private abortTurns(failure: SubmissionFailure, deciding: readonly Submission[] = []): void {
    const aborted = this.pipeline.abort().flatMap(({ submissions }) => submissions);
    this.dropMemory();
    failAll([...aborted, ...deciding], failure);
    // What waits was looked up in the memory that is dropped: it has to come again.
    this.failWaiting(failure);
  }

  private refusalNow(): SubmissionFailure {
    if (this.currentState === 'lost') return 'NOT_OWNER';
    return this.stopping || this.currentState === 'stopped' ? 'SHUTTING_DOWN' : 'PARTITION_UNAVAILABLE';
  }

  /** Fails what waits undecided. */
  private failWaiting(failure: SubmissionFailure): void {
    failAll(this.queue.clear(), failure);
    this.noteIdle();
  }

  private get busy(): boolean {
    return !this.queue.empty || !this.pipeline.empty;
  }

  private drained(): Promise<void> {
    return this.busy ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
  }

  private noteIdle(): void {
    if (this.idle.length === 0 || this.busy) return;
    const { idle } = this;
    this.idle = [];
    for (const resolve of idle) resolve();
  }

  // ---- loading ----

  private newMemory(): PartitionMemory {
    this.dropMemory();
    this.memory = new PartitionMemory({ ...this.dependencies, seeds: this.seeds });
    return this.memory;
  }

  private dropMemory(): void {
    this.memory.drop();
    this.publisher?.stop();
    this.publisher = undefined;
  }

  /** @param epoch of a partition that is loaded again: the epoch in which it was this instance's. */
  private async load(epoch?: number): Promise<void> {
    const memory = await this.loader.load();
    if (epoch !== undefined) this.assertStillOurs(memory, epoch);
    await this.takeOwnership(memory);
    if (memory.ended) throw new AbandonedError();
    this.durable = memory.sequence;
    memory.commits.becameDurable(memory.sequence);
    this.beginPublishing(memory);
  }

  /** Ownership commits of this instance itself may stand in the log although their appends seemed to fail. */
  private assertStillOurs(memory: PartitionMemory, epoch: number): void {
    const { owner } = memory.newestOwnership ?? {};
    if (memory.epoch > epoch && owner !== this.dependencies.owner) throw new DeposedError(this.partition, owner, memory.epoch);
  }

  /** The fence: from this commit on no append of an older owner succeeds. */
  private async takeOwnership(memory: PartitionMemory): Promise<void> {
    const { log, owner } = this.dependencies;
    const { turn, bytes, eventTypes } = this.turns.ownership(memory, owner);
    const { sequence, committedAtUs } = turn;
    await log.append({ partition: this.partition, sequence, bytes, commandCount: 0, committedAtUs, eventTypes });
    memory.recent.add(sequence, bytes);
  }

  /** @param epoch the epoch in which the partition was this instance's. */
  private async reload(epoch: number): Promise<void> {
    const { observer } = this.dependencies;
    for (let waitMs = RELOAD_FIRST_MS; this.currentState === 'loading'; waitMs = Math.min(waitMs * 2, RELOAD_LAST_MS)) {
      try {
        await this.load(epoch);
        if (this.currentState === 'loading') this.currentState = 'serving';
        return;
      } catch (error) {
        if (this.currentState !== 'loading') return;
        if (error instanceof DeposedError) {
          this.stepDown('the log has its epoch', error);
          return;
        }
        // A sequence that is taken may be an append of ours that came late: the next reading shows whose it is.
        observer.trouble(this.partition, 'the partition could not be loaded', error);
        await this.pause(waitMs);
      }
    }
  }

  private pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.dependencies.clock.after(waitMs, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** What the bus has, and what every projector has, need not be published. */
  private beginPublishing(memory: PartitionMemory): void {
    const { log, bus, clock, observer, projected } = this.dependencies;
    const publisher = new Publisher(
      this.partition,
      bus,
      log,
      memory.recent,
      clock,
      (error) => observer.trouble(this.partition, 'publishing failed; it is tried again', error),
      (sequence, traceparent) => observer.publishing?.(this.partition, sequence, traceparent),
    );
    this.publisher = publisher;
    const { durable } = this;
    if (!bus.keepsMessages) {
      publisher.begin(durable - 1, durable);
      return;
    }
    Promise.all([bus.lastSequence(this.partition), projected?.(this.partition) ?? 0]).then(
      (done) => publisher.begin(Math.min(Math.max(...done), durable), this.durable),
      (error: unknown) => {
        observer.trouble(this.partition, 'what the bus and the projectors have is not known; only what is new is published', error);
        publisher.begin(durable - 1, this.durable);
      },
    );
  }

  // ---- snapshots ----

  private maybeSnapshot(): void {
    if (this.snapshotting !== undefined || this.currentState !== 'serving' || !this.snapshots.due(this.memory)) return;
    this.snapshotting = this.snapshot().finally(() => {
      this.snapshotting = undefined;
    });
  }

  private async snapshot(): Promise<void> {
    try {
      await this.snapshots.write(this.memory);
    } catch (error) {
      this.dependencies.observer.trouble(this.partition, 'a snapshot failed; the next one is tried later', error);
    }
  }
}

function failAll(submissions: readonly Submission[], failure: SubmissionFailure): void {
  for (const submission of submissions) submission.fail(failure);
}
