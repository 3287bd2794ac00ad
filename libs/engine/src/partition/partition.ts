/**
 * A partition's writer: the only one that decides for its keys.
 *
 *   stopped ──prepare──▶ preparing ──start──▶ loading ──ownership commit durable──▶ serving ──memory dropped──▶ loading …
 *      └───────────────────start────────────────▲ │                                   │ │
 *                                                 └──────────── another owner ────────┴─┼─▶ lost
 *                                                                                       └──release──▶ releasing ──drained──▶ stopped
 *
 * A partition is started once; `release` and `stop` end every state.
 *
 * Submissions wait in a bounded queue. A turn takes what waits, decides it against the state in memory and forms one commit. One
 * append is outstanding at a time; while it is on its way the next turn may be decided (`staged`), no more. Answers leave when
 * their commit is durable. If an append fails, or its outcome is unknown, the pipeline finds out from the log what became of the commit, and memory
 * is kept. Where that takes too long, or the log is not what memory stands on, every turn from the commit on is lost: memory is dropped, the log
 * is read again and a new ownership commit fences off whatever may still be on its way. If the log then shows another owner, the partition
 * is lost: it steps down instead of taking it back. An exception in a decision drops the memory, too: half a turn is no state to go on from.
 *
 * This trades memory (the whole state of the partition, cold accounts packed) for deciding without I/O.
 */
import type { Bus, Clock, EventLog, SnapshotStore } from '@sluice/ports';
import { SequenceTakenError } from '@sluice/ports';
import type { DecodedCommit } from '@sluice/protocol';
import type { Capability, CapabilityState, Submission, SubmissionFailure } from '../capability';
import type { DeliveryBudget } from '../deliveries/delivery-budget';
import { PartitionDeliveries } from '../deliveries/partition-deliveries';
import type { EngineObserver } from '../engine-observer';
import type { PartitionWorker } from '../internal/engine-room';
import type { LogSeeds } from '../request-index/request-hash';
import type { RequestIndex } from '../request-index/request-index';
import type { RunSorter } from '../request-index/sorter';
import type { DueTimers } from '../timers/due-timers';
import { STEP_TIMERS } from '../timers/due-timers-submission';
import { ThrowingTimers } from '../timers/throwing-timers';
import { TimerFiring } from '../timers/timer-firing';
import { CommitPipeline, type PendingCommit } from './commit-pipeline';
import { commitRoomBytes, type PartitionLimits } from './limits';
import type { LoadSlots } from './load-slots';
import { PartitionLoader } from './partition-loader';
import { AbandonedError, PartitionMemory } from './partition-memory';
import { PartitionSnapshots } from './partition-snapshots';
import { Preparation } from './preparation';
import { Publisher } from './publisher';
import { SubmissionQueue } from './submission-queue';
import { TurnPace } from './turn-pace';
import { TurnWriter } from './turn-writer';
import { isUnreadableLog, UNREADABLE_RETRY_MS } from './unreadable-log';

export type PartitionState = 'stopped' | 'preparing' | 'loading' | 'serving' | 'releasing' | 'lost';

/** The log shows that another instance has taken the partition since. */
class DeposedError extends Error {
  constructor({ partition, newestOwnership, epoch }: PartitionMemory) {
    super(`partition ${partition}: ${newestOwnership?.owner ?? 'another instance'} owns it since epoch ${epoch}`);
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
  /** The key of the hashes of this log. */
  readonly seeds: LogSeeds;
  readonly sorter: RunSorter;
  readonly slots: LoadSlots;
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
  /** Whether the process is short of memory: then nothing is prepared. */
  readonly memoryIsShort: () => boolean;
  /** The timers of all partitions of the process. */
  readonly timers: DueTimers;
  /** Sends an encoded batch of deliveries to a partition, and resolves with its encoded answer. */
  readonly send: (target: number, batch: Uint8Array) => Promise<Uint8Array>;
  readonly deliveryBudget: DeliveryBudget;
}

const RELOAD_FIRST_MS = 50;
/** A partition serves so soon after the log can be read again. An attempt in vain costs one request. */
const RELOAD_LAST_MS = 500;
/** How long a released partition finishes what was taken. What is not durable by then is for the next owner to decide. */
const DRAIN_LIMIT_MS = 1_000;
/** How often an ownership commit is tried again because the owner before wrote its sequence first. */
const OWNERSHIP_ATTEMPTS = 10;

export class Partition {
  readonly partition: number;
  readonly seeds: LogSeeds;
  readonly deliveries: PartitionDeliveries;
  private memory: PartitionMemory;
  private readonly queue: SubmissionQueue;
  private readonly turns: TurnWriter;
  private readonly pace: TurnPace;
  private readonly pipeline: CommitPipeline;
  private readonly loader: PartitionLoader;
  private readonly snapshots: PartitionSnapshots;
  private publisher: Publisher | undefined;
  /** Send what is owed and fire what is due, while the partition serves. */
  private workers: readonly PartitionWorker[] = [];
  private readonly throwingTimers = new ThrowingTimers(STEP_TIMERS);
  private preparation: Preparation | undefined;
  private currentState: PartitionState = 'stopped';
  private turnScheduled = false;
  /** The newest sequence that is durable and that memory reflects. */
  private durable = 0;
  /** Settles when the ownership commit under way is in the log, or is not. */
  private takingOwnership: Promise<unknown> = Promise.resolve();
  /** Ends the pause before the next attempt to load. */
  private endPause = (): void => undefined;
  private idle: (() => void)[] = [];
  private snapshotting: Promise<void> | undefined;
  private releasing: Promise<void> | undefined;
  /** What was in memory when the partition was released, whole and durable. */
  private released: PartitionMemory | undefined;

  constructor(private readonly dependencies: PartitionDependencies) {
    const { partition, log, clock, limits } = dependencies;
    const incarnation = Buffer.from(log.identity.incarnation, 'hex');
    this.partition = partition;
    this.seeds = dependencies.seeds;
    this.memory = new PartitionMemory(dependencies);
    this.queue = new SubmissionQueue(partition, limits, commitRoomBytes(log));
    this.turns = new TurnWriter(incarnation, clock);
    this.pace = new TurnPace(limits.turnCommands);
    this.pipeline = new CommitPipeline({
      partition,
      log,
      clock,
      durable: (commit) => this.becameDurable(commit),
      failed: (error) => this.appendFailed(error),
      // The next owner finds the commit in its log, or decides what was in it.
      doubtLimitMs: () => (this.currentState === 'releasing' ? 0 : limits.doubtMs),
      doubted: (error) => dependencies.observer.trouble(partition, 'an append failed, or was not answered; the log is asked for the commit', error),
      stalled: () => this.failWaiting('PARTITION_UNAVAILABLE'),
    });
    this.snapshots = new PartitionSnapshots({ ...dependencies, queue: this.queue });
    this.deliveries = new PartitionDeliveries({ ...dependencies, budget: dependencies.deliveryBudget, submit: (submission) => this.submit(submission) });
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

  /**
   * Loads a partition that another instance owns, and follows its log until `start`. Resolves when memory is at the head of the log, or when
   * memory is short: then `start` loads it. Rejects if the log cannot be read: this instance must not take the partition over.
   */
  prepare(): Promise<void> {
    const { partition, clock, observer, limits, memoryIsShort } = this.dependencies;
    this.currentState = 'preparing';
    this.preparation ??= new Preparation({ partition, loader: this.loader, clock, observer, limits, memoryIsShort });
    return this.preparation.ready;
  }

  /**
   * Loads the state, takes ownership and serves. Throws CorruptCommitError, MissingKeysError, what the log throws, and AbandonedError when it is released
   * meanwhile: then there is no ownership commit, or nothing is done under it.
   */
  async start(): Promise<void> {
    if (this.releasing !== undefined) throw new AbandonedError();
    this.currentState = 'loading';
    const memory = (await this.takePrepared()) ?? (await this.loader.loadToOwn());
    const { newestOwnership } = memory;
    await this.takeOwnership(memory, () => {
      if (memory.newestOwnership !== newestOwnership) throw new DeposedError(memory);
    });
    this.serve(memory);
  }

  /**
   * Takes no more and finishes what was taken, within a bound. When it resolves nothing of this instance comes to the partition's log or
   * snapshots any more; answers that were on their way have left, or have failed with NOT_OWNER.
   */
  release(): Promise<void> {
    this.releasing ??= this.letGo();
    return this.releasing;
  }

  /** Releases the partition and leaves a snapshot if asked. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    await this.release();
    if (options.snapshot) await this.leaveSnapshot();
  }

  /** Leaves a snapshot of a released partition for its next owner, unless there is one already. */
  async leaveSnapshot(): Promise<void> {
    const { released } = this;
    this.released = undefined;
    await this.snapshotting;
    if (released !== undefined && released.logBytesSinceSnapshot > 0) await this.snapshot(() => this.snapshots.writeLast(released));
  }

  /** Throws QueueFullError or SubmissionTooLargeError; then nothing was taken. While the partition does not serve, the submission fails at once. */
  submit(submission: Submission): void {
    if (this.currentState !== 'serving' || this.pipeline.isStalled) {
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

  private async letGo(): Promise<void> {
    const wasServing = this.currentState === 'serving';
    this.currentState = 'releasing';
    this.endPause();
    if (this.pipeline.inDoubt) this.abortTurns(this.refusalNow());
    if (wasServing) await this.drained();
    if (wasServing && !this.busy && !this.memory.ended) this.released = this.memory;
    else this.abortTurns(this.refusalNow());
    this.memory.retire();
    this.stopWorkers();
    this.preparation?.end();
    await Promise.all([this.takingOwnership.catch(() => undefined), this.snapshots.removing.catch(() => undefined)]);
    this.currentState = 'stopped';
  }

  // ---- turns ----

  /** What was taken before the partition is released is decided still. */
  private get decides(): boolean {
    return this.currentState === 'serving' || this.currentState === 'releasing';
  }

  private readonly scheduleTurn = (): void => {
    if (this.turnScheduled || !this.decides) return;
    this.turnScheduled = true;
    // What arrives in the same round of the event loop travels in the same turn.
    setImmediate(this.runTurn);
  };

  private readonly runTurn = (): void => {
    const { queue, pipeline, memory } = this;
    this.turnScheduled = false;
    if (!this.decides || pipeline.full || !queue.hasReady) return;
    if (!pipeline.empty && queue.commands < this.dependencies.limits.decideAheadCommands) return;
    const taken = queue.take(queue.contended ? this.pace.share : 1);
    if (taken.length > 0 && !this.decide(memory, taken)) return;
    if (queue.hasReady && !pipeline.full) this.scheduleTurn();
    else this.noteIdle();
  };

  /** False: a decision threw, and the memory is dropped. */
  private decide(memory: PartitionMemory, taken: Submission[]): boolean {
    let commit: PendingCommit | undefined;
    try {
      const { clock, observer } = this.dependencies;
      const startedUs = clock.nowUs();
      const turn = this.turns.decide(memory, taken);
      observer.turnDecided(this.partition, turn.commandCount);
      if (turn.commit.events > 0) commit = this.turns.finish(memory, turn);
      this.pace.decided(turn.commandCount, clock.nowUs() - startedUs);
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
   * paused may be stale, so it looks one commit past its own, by a read that a stale database server cannot answer. What is recorded needs no look: its append fails for a stale owner.
   */
  private async settleIfOwner(memory: PartitionMemory, submissions: readonly Submission[]): Promise<void> {
    const { durable, pipeline } = this;
    try {
      const next = durable + 1;
      const taken = await this.dependencies.log.isTaken(this.partition, next);
      const foreign = taken && next > this.durable && pipeline.empty;
      if (foreign && !memory.ended) this.stepDown('the log has its commits', new SequenceTakenError(this.partition, next));
      if (memory.ended) failAll(submissions, this.refusalNow());
      // What is there may be ours, on its way: its append will tell.
      else if (taken && !pipeline.empty) pipeline.newest?.submissions.push(...submissions);
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
    this.pace.appended(commit.appendUs ?? durableUs - commit.appendedAtUs);
    for (const submission of turn.submissions) submission.settle(turn.sequence);
    memory.commits.becameDurable(turn.sequence);
    for (const worker of this.workers) worker.durable(turn.sequence);
    this.publisher?.offer(turn.sequence, commit.decidedAtUs > 0 ? this.traced(commit, durableUs) : undefined);
    memory.logBytesSinceSnapshot += bytes.length;
    memory.commitsSinceSnapshot += 1;
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
    const released = this.currentState === 'releasing';
    if (!released) this.currentState = 'loading';
    this.dependencies.observer.trouble(this.partition, what, error);
    this.abortTurns('PARTITION_UNAVAILABLE', deciding);
    if (!released) void this.reload(epoch);
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
    switch (this.currentState) {
      case 'preparing':
      case 'lost':
        return 'NOT_OWNER';
      case 'releasing':
      case 'stopped':
        return this.dependencies.shared ? 'NOT_OWNER' : 'SHUTTING_DOWN';
      case 'loading':
      case 'serving':
        return 'PARTITION_UNAVAILABLE';
      default:
        return this.currentState satisfies never;
    }
  }

  /** Fails what waits undecided. */
  private failWaiting(failure: SubmissionFailure): void {
    failAll(this.queue.clear(), failure);
    this.noteIdle();
  }

  private get busy(): boolean {
    return !this.queue.empty || !this.pipeline.empty;
  }

  /** Resolves when nothing is left to decide and to append, or when the next owner has waited long enough. */
  private async drained(): Promise<void> {
    if (!this.busy) return;
    const idle = new Promise<void>((resolve) => this.idle.push(resolve));
    if (!this.dependencies.shared) return idle;
    let cancel = (): void => undefined;
    const limit = new Promise<void>((resolve) => {
      cancel = this.dependencies.clock.after(DRAIN_LIMIT_MS, resolve);
    });
    await Promise.race([idle, limit]).finally(() => cancel());
  }

  private noteIdle(): void {
    if (this.idle.length === 0 || this.busy) return;
    const { idle } = this;
    this.idle = [];
    for (const resolve of idle) resolve();
  }

  // ---- loading ----

  /** Throws AbandonedError if the partition is not to be loaded any more. */
  private newMemory(): PartitionMemory {
    if (this.currentState !== 'loading' && this.currentState !== 'preparing') throw new AbandonedError();
    this.dropMemory();
    this.memory = new PartitionMemory(this.dependencies);
    return this.memory;
  }

  private dropMemory(): void {
    this.memory.drop();
    this.stopWorkers();
    this.publisher = undefined;
  }

  private stopWorkers(): void {
    this.publisher?.stop();
    for (const worker of this.workers) worker.stop();
    this.workers = [];
  }

  private async takePrepared(): Promise<PartitionMemory | undefined> {
    const { preparation } = this;
    this.preparation = undefined;
    return preparation?.take();
  }

  /** @param epoch the epoch in which the partition was this instance's. */
  private async reload(epoch: number): Promise<void> {
    const { observer, owner } = this.dependencies;
    let unreadable = false;
    for (let waitMs = RELOAD_FIRST_MS; this.currentState === 'loading'; waitMs = Math.min(waitMs * 2, RELOAD_LAST_MS)) {
      try {
        const memory = await this.loader.load();
        await this.takeOwnership(memory, () => {
          // Ownership commits of this instance itself may stand in the log although their appends seemed to fail.
          if (memory.epoch > epoch && memory.newestOwnership?.owner !== owner) throw new DeposedError(memory);
        });
        this.serve(memory);
        break;
      } catch (error) {
        if (this.currentState !== 'loading') break;
        if (error instanceof DeposedError) {
          this.stepDown('the log has its epoch', error);
          break;
        }
        if (!isUnreadableLog(error)) observer.trouble(this.partition, 'the partition could not be loaded', error);
        else if (!unreadable) observer.unreadable?.(this.partition, error);
        unreadable ||= isUnreadableLog(error);
        await this.pause(unreadable ? UNREADABLE_RETRY_MS : waitMs);
      }
    }
    if (unreadable) observer.unreadable?.(this.partition, undefined);
  }

  /**
   * Appends the ownership commit, the fence: from then on no append of an older owner succeeds. A commit of the owner before, or a late one of
   * our own, may have taken the sequence: then the log is read on and it is tried again.
   * @param assertOurs throws if the log, as memory has it now, shows another owner that must not be deposed.
   */
  private async takeOwnership(memory: PartitionMemory, assertOurs: () => void): Promise<void> {
    const { log, owner } = this.dependencies;
    for (let attempt = 1; ; attempt += 1) {
      assertOurs();
      if (memory.ended) throw new AbandonedError();
      const { sequence, checksum, committedAtUs, epoch } = memory;
      const { turn, bytes, eventTypes } = this.turns.ownership(memory, owner);
      try {
        const { sequence: ownSequence, committedAtUs: takenAtUs } = turn;
        this.takingOwnership = log.append({ partition: this.partition, sequence: ownSequence, bytes, commandCount: 0, committedAtUs: takenAtUs, eventTypes });
        await this.takingOwnership;
        memory.recent.add(turn.sequence, bytes);
        return;
      } catch (error) {
        if (!(error instanceof SequenceTakenError) || attempt === OWNERSHIP_ATTEMPTS) throw error;
        Object.assign(memory, { sequence, checksum, committedAtUs, epoch });
      }
      await this.loader.catchUp(memory);
    }
  }

  private serve(memory: PartitionMemory): void {
    if (memory.ended) throw new AbandonedError();
    this.durable = memory.sequence;
    memory.commits.becameDurable(memory.sequence);
    this.beginPublishing(memory);
    this.currentState = 'serving';
    this.workers = this.newWorkers(memory);
    for (const worker of this.workers) worker.durable(memory.sequence);
  }

  /** What works for the partition while this memory stands. */
  private newWorkers(memory: PartitionMemory): readonly PartitionWorker[] {
    const firing = new TimerFiring({
      ...this.dependencies,
      room: memory.timers,
      throwing: this.throwingTimers,
      stateOf: (capability) => memory.knownStateOf(capability),
      submit: (submission) => this.submit(submission),
    });
    return [this.deliveries.begin(memory), firing];
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
    const { memory } = this;
    if (this.snapshotting !== undefined || this.currentState !== 'serving' || !this.snapshots.due(memory)) return;
    this.snapshotting = this.snapshot(() => this.snapshots.write(memory)).finally(() => {
      this.snapshotting = undefined;
    });
  }

  private async snapshot(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.dependencies.observer.trouble(this.partition, 'a snapshot failed; the next one is tried later', error);
    }
  }
}

function failAll(submissions: readonly Submission[], failure: SubmissionFailure): void {
  for (const submission of submissions) submission.fail(failure);
}
