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
import { createHash } from 'node:crypto';
import { SequenceTakenError, type Bus, type Clock, type EventLog, type SnapshotStore } from '@sluice/ports';
import {
  beginningOf,
  CommitWriter,
  logpb,
  MAXIMUM_TRACEPARENTS,
  NO_CHECKSUM,
  readNextCommit,
  type DecodedCommit,
  type EventRecord,
  type LogPosition,
} from '@sluice/protocol';
import type { Capability, CapabilityState, SnapshotSession, Submission, SubmissionFailure } from '../capability';
import type { EngineObserver } from '../engine-observer';
import { hashSeeds, type HashSeeds } from '../request-index/request-hash';
import { numbered } from '../request-index/numbered-name';
import { RequestIndex, type RunDescription } from '../request-index/request-index';
import type { RunSorter } from '../request-index/sorter';
import { Commits } from './commits';
import type { PartitionLimits } from './limits';
import { decodeManifest, encodeManifest, SNAPSHOT_VERSION, type Manifest } from './manifest';
import { Publisher } from './publisher';
import { RecentCommits } from './recent-commits';
import { Turn } from './turn';

export type PartitionState = 'stopped' | 'loading' | 'serving' | 'lost';

/** While the log was read anew it showed that another instance owns the partition. */
class DeposedError extends Error {
  constructor(partition: number, owner: string | undefined, epoch: number) {
    super(`partition ${partition}: ${owner ?? 'another instance'} owns it since epoch ${epoch}`);
    this.name = 'DeposedError';
  }
}

/** The loading was overtaken: the partition was stopped, or its memory was dropped again. */
class AbandonedError extends Error {
  constructor() {
    super('the loading was abandoned');
    this.name = 'AbandonedError';
  }
}

/** More commands wait than the queue may hold: nothing of the submission was taken. */
export class QueueFullError extends Error {
  constructor(readonly partition: number) {
    super(`partition ${partition}: the queue is full`);
    this.name = 'QueueFullError';
  }
}

/** What a capability may ask of its partition. */
export interface PartitionServices {
  readonly partition: number;
  readonly seeds: HashSeeds;
  readonly index: RequestIndex;
  /** A durable commit, from memory or from the log, waiting until it is durable. Rejects when its turn is lost. */
  recall(sequence: number): Promise<DecodedCommit>;
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

interface Pending {
  readonly turn: Turn;
  readonly bytes: Buffer;
  readonly checksum: Uint8Array;
  readonly eventTypes: string[];
  /** When it was decided; 0: no request in it is traced, nobody asks. */
  readonly decidedAtUs: number;
  appendedAtUs: number;
}

const OWNERSHIP_TAKEN = 'log.OwnershipTaken';
const OWNERSHIP_TAKEN_VERSION = 1;
const LOAD_PAGE = { maxCommits: 1_000, maxBytes: 8 << 20 };
const RELOAD_FIRST_MS = 50;
const RELOAD_LAST_MS = 5_000;

export class Partition implements PartitionServices {
  readonly partition: number;
  readonly seeds: HashSeeds;
  index: RequestIndex;
  private readonly incarnation: Uint8Array;
  private readonly writer = new CommitWriter();
  private readonly recent: RecentCommits;
  private readonly commits: Commits;
  private states: CapabilityState[] = [];
  private publisher: Publisher | undefined;
  private currentState: PartitionState = 'stopped';
  private stopping = false;
  /** Rises whenever memory is dropped: results of older work are thrown away. */
  private generation = 0;

  private queue: Submission[] = [];
  private queueHead = 0;
  private queuedCommands = 0;
  private queuedBytes = 0;
  private submitted = 0;
  private decided = 0;
  private turnScheduled = false;

  private epoch = 0;
  /** The newest ownership commit that was read from the log; undefined: none since the snapshot. */
  private newestOwnership: { readonly epoch: number; readonly owner: string } | undefined;
  private decidedSequence = 0;
  private decidedChecksum: Uint8Array = NO_CHECKSUM;
  private decidedAtUs = 0;
  private durable = 0;
  private inFlight: Pending | undefined;
  private staged: Pending | undefined;
  /** The turn whose decisions are being made. */
  private deciding: Turn | undefined;
  private loading: Promise<void> | undefined;
  /** Ends the pause before the next attempt to load. */
  private endPause = (): void => undefined;
  private idle: (() => void)[] = [];

  private logBytesSinceSnapshot = 0;
  private snapshotSize = 0;
  private snapshotting: Promise<void> | undefined;

  constructor(private readonly dependencies: PartitionDependencies) {
    this.partition = dependencies.partition;
    this.incarnation = Buffer.from(dependencies.log.identity.incarnation, 'hex');
    this.seeds = hashSeeds(this.incarnation);
    this.recent = new RecentCommits(dependencies.limits.recentBytes);
    this.commits = new Commits(this.partition, dependencies.log, this.recent);
    this.index = this.newIndex();
  }

  get state(): PartitionState {
    return this.currentState;
  }

  get durableSequence(): number {
    return this.durable;
  }

  get waitingCommands(): number {
    return this.queuedCommands;
  }

  get ownerEpoch(): number {
    return this.epoch;
  }

  /** Loads the state, takes ownership and serves. Throws CorruptCommitError, or what the log throws. */
  async start(): Promise<void> {
    this.currentState = 'loading';
    this.stopping = false;
    this.generation += 1;
    const { generation } = this;
    await this.load(generation);
    if (generation === this.generation) this.currentState = 'serving';
  }

  /** Takes no more, finishes what was taken, leaves a snapshot if asked. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    this.stopping = true;
    if (this.currentState === 'serving') await this.drained();
    await this.snapshotting;
    // An append may have failed meanwhile: memory that is being loaded makes no snapshot.
    if (options.snapshot && this.currentState === 'serving' && this.logBytesSinceSnapshot > 0) await this.guardedSnapshot();
    this.currentState = 'stopped';
    this.generation += 1;
    this.endPause();
    await this.loading;
    this.publisher?.stop();
    this.failWaiting('SHUTTING_DOWN');
  }

  /** Throws QueueFullError; then nothing was taken. While the partition does not serve, the submission fails at once. */
  submit(submission: Submission): void {
    if (this.currentState !== 'serving' || this.stopping) {
      submission.fail(this.refusalNow());
      return;
    }
    const { limits, observer } = this.dependencies;
    if (this.queuedCommands + submission.commandCount > limits.queueCommands || this.queuedBytes + submission.sizeBytes > limits.queueBytes) {
      throw new QueueFullError(this.partition);
    }
    this.queue.push(submission);
    this.submitted += 1;
    this.queuedCommands += submission.commandCount;
    this.queuedBytes += submission.sizeBytes;
    observer.queued(this.partition, this.queuedCommands);
    if (submission.prepared === undefined) this.scheduleTurn();
    else void this.awaitPreparation(submission, submission.prepared);
  }

  /** The state that the capability made for this partition; another one after a reload. */
  stateOf(capability: string): CapabilityState {
    const at = this.dependencies.capabilities.findIndex(({ name }) => name === capability);
    const state = this.states[at];
    if (state === undefined) throw new Error(`partition ${this.partition} has no state of ${capability}`);
    return state;
  }

  recall(sequence: number): Promise<DecodedCommit> {
    return this.commits.durable(sequence);
  }

  /** Publish again what the bus has lost. */
  republish(fromSequence: number): void {
    this.publisher?.rewind(fromSequence - 1);
  }

  // ---- turns ----

  private readonly ready = new WeakSet<Submission>();

  private async awaitPreparation(submission: Submission, prepared: Promise<void>): Promise<void> {
    await prepared;
    this.ready.add(submission);
    this.scheduleTurn();
  }

  private scheduleTurn(): void {
    if (this.turnScheduled || this.currentState !== 'serving') return;
    this.turnScheduled = true;
    // What arrives in the same round of the event loop travels in the same turn.
    setImmediate(this.runTurn);
  }

  private readonly runTurn = (): void => {
    this.turnScheduled = false;
    if (this.currentState !== 'serving' || this.staged !== undefined || this.queueHead === this.queue.length) return;
    if (this.inFlight !== undefined && this.queuedCommands < this.dependencies.limits.decideAheadCommands) return;
    try {
      const taken = this.take();
      if (taken.length > 0) this.afterTurn(this.decideTurn(taken));
    } catch (error) {
      this.turnsLost('PARTITION_UNAVAILABLE', 'a turn could not be decided; the log is read again', error);
      return;
    }
    if (this.queueHead < this.queue.length && this.staged === undefined) this.scheduleTurn();
    else this.noteIdle();
  };

  /** What is ready at the head of the queue, within the limits of a turn; one submission may be larger than they are. */
  private take(): Submission[] {
    const { limits } = this.dependencies;
    const taken: Submission[] = [];
    let commands = 0;
    let bytes = 0;
    while (this.queueHead < this.queue.length) {
      const submission = this.queue[this.queueHead] as Submission;
      if (submission.prepared !== undefined && !this.ready.has(submission)) break;
      if (taken.length > 0 && (commands + submission.commandCount > limits.turnCommands || bytes + submission.sizeBytes > limits.turnBytes)) break;
      this.queueHead += 1;
      commands += submission.commandCount;
      bytes += submission.sizeBytes;
      taken.push(submission);
    }
    this.queuedCommands -= commands;
    this.queuedBytes -= bytes;
    if (this.queueHead > 1024 || this.queueHead === this.queue.length) {
      this.queue = this.queueHead === this.queue.length ? [] : this.queue.slice(this.queueHead);
      this.queueHead = 0;
    }
    return taken;
  }

  private decideTurn(taken: Submission[]): Turn {
    const { clock, observer } = this.dependencies;
    const sequence = this.decidedSequence + 1;
    const committedAtUs = Math.max(clock.nowUs(), this.decidedAtUs);
    const turn = new Turn(sequence, committedAtUs, this.writer, taken, traceparentsOf(taken));
    this.deciding = turn;
    this.writer.begin(this.header(sequence, committedAtUs), turn.traceparents);
    for (const submission of taken) {
      turn.commandCount += submission.commandCount;
      submission.decide(turn);
      this.decided += 1;
    }
    turn.flush();
    this.deciding = undefined;
    observer.turnDecided(this.partition, turn.commandCount);
    return turn;
  }

  private afterTurn(turn: Turn): void {
    if (turn.commit.events === 0) {
      // Nothing to record, but the answers may depend on what is not durable yet.
      const before = this.staged ?? this.inFlight;
      if (before !== undefined) before.turn.submissions.push(...turn.submissions);
      else if (this.dependencies.shared) void this.settleIfOwner(turn.submissions);
      else for (const submission of turn.submissions) submission.settle(this.durable);
      return;
    }
    const pending = this.finish(turn);
    if (this.inFlight === undefined) this.append(pending);
    else this.staged = pending;
  }

  /**
   * Answers for which nothing is recorded (no such account) are true only as long as nobody else owns the partition: one who was
   * paused would answer from the past. So the log is looked at, once a turn; what is recorded needs no look, its append says it.
   */
  private async settleIfOwner(submissions: readonly Submission[]): Promise<void> {
    const { generation, durable } = this;
    const answer = (give: (submission: Submission) => void): void => {
      for (const submission of submissions) give(submission);
    };
    try {
      const [beyond] = await this.dependencies.log.read(this.partition, durable + 1, { maxCommits: 1, maxBytes: 1 });
      const foreign = beyond !== undefined && beyond.sequence > this.durable && this.inFlight === undefined;
      if (foreign && generation === this.generation) this.stepDown(new SequenceTakenError(this.partition, beyond.sequence));
      if (generation !== this.generation) answer((submission) => submission.fail('PARTITION_UNAVAILABLE'));
      // What is there may be ours, on its way: its append will tell.
      else if (beyond !== undefined && this.inFlight !== undefined) this.inFlight.turn.submissions.push(...submissions);
      else answer((submission) => submission.settle(durable));
    } catch (error) {
      this.dependencies.observer.trouble(this.partition, 'whether the partition is still owned could not be seen', error);
      answer((submission) => submission.fail('PARTITION_UNAVAILABLE'));
    }
  }

  private finish(turn: Turn): Pending {
    const eventTypes = turn.commit.eventTypes;
    const bytes = turn.commit.finish();
    const checksum = bytes.subarray(bytes.length - NO_CHECKSUM.length);
    this.decidedSequence = turn.sequence;
    this.decidedChecksum = checksum;
    this.decidedAtUs = turn.committedAtUs;
    const decidedAtUs = turn.traceparents.length > 0 ? this.dependencies.clock.nowUs() : 0;
    return { turn, bytes, checksum, eventTypes, decidedAtUs, appendedAtUs: 0 };
  }

  private header(sequence: number, committedAtUs: number) {
    return { incarnation: this.incarnation, partition: this.partition, sequence, epoch: this.epoch, committedAtUs, previousChecksum: this.decidedChecksum };
  }

  // ---- the way to the disk ----

  private append(pending: Pending): void {
    const { log, clock } = this.dependencies;
    const { turn, bytes, eventTypes } = pending;
    const { generation } = this;
    this.inFlight = pending;
    pending.appendedAtUs = clock.nowUs();
    log
      .append({
        partition: this.partition,
        sequence: turn.sequence,
        bytes,
        commandCount: turn.commandCount,
        committedAtUs: turn.committedAtUs,
        eventTypes,
      })
      .then(
        () => {
          if (generation === this.generation) this.appended(pending);
        },
        (error: unknown) => {
          if (generation === this.generation) this.appendFailed(error);
        },
      );
  }

  private appended(pending: Pending): void {
    const { turn, bytes } = pending;
    const { observer, clock } = this.dependencies;
    this.inFlight = undefined;
    this.durable = turn.sequence;
    this.recent.add(turn.sequence, bytes);
    const durableUs = clock.nowUs();
    observer.committed(this.partition, bytes.length, durableUs - pending.appendedAtUs);
    const { staged } = this;
    if (staged !== undefined) {
      this.staged = undefined;
      this.append(staged);
    }
    for (const submission of turn.submissions) submission.settle(turn.sequence);
    this.commits.becameDurable(turn.sequence);
    this.publisher?.offer(turn.sequence, pending.decidedAtUs > 0 ? this.traced(pending, durableUs) : undefined);
    this.logBytesSinceSnapshot += bytes.length;
    if (this.queueHead < this.queue.length) this.scheduleTurn();
    else this.noteIdle();
    this.maybeSnapshot();
  }

  private traced({ turn, bytes, decidedAtUs, appendedAtUs }: Pending, durableUs: number): string | undefined {
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
    if (error instanceof SequenceTakenError) this.stepDown(error);
    else this.turnsLost('PARTITION_UNAVAILABLE', 'an append failed; the log is read again', error);
  }

  /** Memory holds what the log may not have: it is dropped, with every turn from the failed one on, and read again. */
  private turnsLost(failure: SubmissionFailure, what: string, error: unknown): void {
    this.currentState = 'loading';
    this.dependencies.observer.trouble(this.partition, what, error);
    const { epoch } = this;
    this.abortTurns(failure);
    this.loading = this.reload(epoch).finally(() => {
      this.loading = undefined;
    });
  }

  /** Another instance owns the partition. */
  private stepDown(error: unknown): void {
    const { observer, onLost } = this.dependencies;
    this.currentState = 'lost';
    observer.trouble(this.partition, 'another owner has taken the partition', error);
    this.abortTurns('NOT_OWNER');
    onLost(this.partition);
  }

  private abortTurns(failure: SubmissionFailure): void {
    const lost = [this.inFlight?.turn, this.staged?.turn, this.deciding].flatMap((turn) => turn?.submissions ?? []);
    this.inFlight = undefined;
    this.staged = undefined;
    this.deciding = undefined;
    this.generation += 1;
    this.dropMemory();
    for (const submission of lost) submission.fail(failure);
    // What waits was looked up in the memory that is dropped: it has to come again.
    this.failWaiting(failure);
  }

  /** @param epoch the epoch in which the partition was this instance's. */
  private async reload(epoch: number): Promise<void> {
    const { observer, clock } = this.dependencies;
    const { generation } = this;
    for (let waitMs = RELOAD_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RELOAD_LAST_MS)) {
      try {
        await this.load(generation, epoch);
        this.currentState = 'serving';
        return;
      } catch (error) {
        if (generation !== this.generation) return;
        if (error instanceof DeposedError) {
          this.stepDown(error);
          return;
        }
        // A sequence that is taken may be an append of ours that came late: the next reading shows whose it is.
        observer.trouble(this.partition, 'the partition could not be loaded', error);
        await new Promise<void>((resolve) => {
          const cancel = clock.after(waitMs, resolve);
          this.endPause = () => {
            cancel();
            resolve();
          };
        });
        if (generation !== this.generation) return;
      }
    }
  }

  private refusalNow(): SubmissionFailure {
    if (this.currentState === 'lost') return 'NOT_OWNER';
    return this.stopping || this.currentState === 'stopped' ? 'SHUTTING_DOWN' : 'PARTITION_UNAVAILABLE';
  }

  /** Fails what waits undecided. */
  private failWaiting(failure: SubmissionFailure): void {
    const waiting = this.queue.slice(this.queueHead);
    this.queue = [];
    this.queueHead = 0;
    this.queuedCommands = 0;
    this.queuedBytes = 0;
    this.decided = this.submitted;
    for (const submission of waiting) submission.fail(failure);
    this.noteIdle();
  }

  private get busy(): boolean {
    return this.queueHead < this.queue.length || this.inFlight !== undefined || this.staged !== undefined;
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

  private newIndex(): RequestIndex {
    const { snapshots, sorter, limits } = this.dependencies;
    return new RequestIndex(this.prefix, snapshots, sorter, limits.filterBytes);
  }

  private get prefix(): string {
    return `partition/${this.partition}`;
  }

  private dropMemory(): void {
    this.states = [];
    this.recent.clear();
    this.commits.lost();
    this.publisher?.stop();
    this.publisher = undefined;
  }

  /**
   * @param generation what it stands in the way of is given up as soon as this is not the partition's generation any more.
   * @param epoch of a partition that is loaded again: the epoch in which it was this instance's.
   */
  private async load(generation: number, epoch?: number): Promise<void> {
    const { log } = this.dependencies;
    this.dropMemory();
    this.emptyMemory();
    let position = beginningOf(log.identity, this.partition);
    let committedAtUs = 0;
    this.epoch = 0;
    this.newestOwnership = undefined;
    this.logBytesSinceSnapshot = 0;
    this.snapshotSize = 0;
    const manifest = await this.restoredManifest();
    if (manifest !== undefined) {
      position = { ...position, sequence: manifest.sequence, checksum: Buffer.from(manifest.checksum, 'hex') };
      committedAtUs = manifest.committedAtUs;
      this.epoch = manifest.epoch;
      this.snapshotSize = manifest.sizeBytes;
    }
    for (;;) {
      const page = await log.read(this.partition, position.sequence + 1, LOAD_PAGE);
      if (generation !== this.generation) throw new AbandonedError();
      if (page.length === 0) break;
      for (const record of page) {
        const commit = readNextCommit(position, record.bytes);
        this.replay(commit);
        position = { ...position, sequence: commit.sequence, checksum: commit.checksum };
        committedAtUs = commit.committedAtUs;
        this.logBytesSinceSnapshot += record.bytes.length;
      }
    }
    if (epoch !== undefined) this.assertStillOurs(epoch);
    this.decidedSequence = position.sequence;
    this.decidedChecksum = position.checksum as Uint8Array;
    this.decidedAtUs = committedAtUs;
    this.durable = position.sequence;
    await this.takeOwnership();
    if (generation !== this.generation) throw new AbandonedError();
    this.commits.becameDurable(this.durable);
    this.beginPublishing();
  }

  /** Ownership commits of this instance itself may stand in the log although their appends seemed to fail. */
  private assertStillOurs(epoch: number): void {
    const { owner } = this.newestOwnership ?? {};
    if (this.epoch > epoch && owner !== this.dependencies.owner) throw new DeposedError(this.partition, owner, this.epoch);
  }

  /** What the bus has, and what every projector has, need not be published. */
  private beginPublishing(): void {
    const { log, bus, clock, observer, projected } = this.dependencies;
    const publisher = new Publisher(
      this.partition,
      bus,
      log,
      this.recent,
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

  private replay(commit: DecodedCommit): void {
    this.epoch = Math.max(this.epoch, commit.epoch);
    for (const event of commit.events) {
      try {
        this.replayEvent(event, commit);
      } catch (error) {
        throw new Error(`partition ${this.partition}, sequence ${commit.sequence}: ${event.type}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    }
  }

  private replayEvent(event: EventRecord, commit: DecodedCommit): void {
    if (event.type === OWNERSHIP_TAKEN && event.version === OWNERSHIP_TAKEN_VERSION) {
      const { epoch, owner } = logpb.OwnershipTaken.decode(event.payload);
      this.newestOwnership = { epoch: Number(epoch), owner };
      return;
    }
    const name = event.type.slice(0, event.type.indexOf('.'));
    const at = this.dependencies.capabilities.findIndex((capability) => capability.name === name);
    if (at === -1) throw new Error(`version ${event.version} is not known to this version of Sluice; deploy readers before writers`);
    (this.states[at] as CapabilityState).replay(event, commit);
  }

  /** The fence: from this commit on no append of an older owner succeeds. */
  private async takeOwnership(): Promise<void> {
    const { log, clock, owner } = this.dependencies;
    this.epoch += 1;
    const sequence = this.decidedSequence + 1;
    const committedAtUs = Math.max(clock.nowUs(), this.decidedAtUs);
    this.writer.begin(this.header(sequence, committedAtUs), []);
    this.writer.event(OWNERSHIP_TAKEN, OWNERSHIP_TAKEN_VERSION, logpb.OwnershipTaken.encode({ epoch: BigInt(this.epoch), owner }).finish());
    const { bytes, eventTypes } = this.finish(new Turn(sequence, committedAtUs, this.writer, []));
    await log.append({ partition: this.partition, sequence, bytes, commandCount: 0, committedAtUs, eventTypes });
    this.durable = sequence;
    this.recent.add(sequence, bytes);
  }

  // ---- snapshots ----

  /** Restores the newest snapshot that fits the log; undefined: there is none that can be used, and the log has everything. */
  private async restoredManifest(): Promise<Manifest | undefined> {
    for (const manifest of await this.manifests()) {
      if (!(await this.fitsLog(manifest))) continue;
      try {
        await this.restore(manifest);
        return manifest;
      } catch (error) {
        this.dependencies.observer.trouble(this.partition, 'a snapshot cannot be used; what it holds is read from the log', error);
        this.emptyMemory();
      }
    }
    return undefined;
  }

  private emptyMemory(): void {
    this.index = this.newIndex();
    this.states = this.dependencies.capabilities.map((capability) => capability.createState(this));
  }

  /** Those of this log, the newest epoch first. */
  private async manifests(): Promise<Manifest[]> {
    const { snapshots, log } = this.dependencies;
    const found: Manifest[] = [];
    for (const name of (await snapshots.list(`${this.prefix}/manifest-`)).reverse()) {
      const bytes = await snapshots.get(name);
      const manifest = bytes === undefined ? undefined : decodeManifest(bytes);
      if (manifest !== undefined && manifest.incarnation === log.identity.incarnation) found.push(manifest);
    }
    return found;
  }

  /** Whether the log still has the commit at which the snapshot stands. */
  private async fitsLog(manifest: Manifest): Promise<boolean> {
    const [record] = await this.dependencies.log.read(this.partition, manifest.sequence, { maxCommits: 1, maxBytes: 1 });
    if (record === undefined || record.sequence !== manifest.sequence) return false;
    const standing: LogPosition = { ...beginningOf(this.dependencies.log.identity, this.partition), sequence: manifest.sequence - 1, checksum: undefined };
    return Buffer.from(readNextCommit(standing, record.bytes).checksum).toString('hex') === manifest.checksum;
  }

  private async restore(manifest: Manifest): Promise<void> {
    const { snapshots, capabilities } = this.dependencies;
    const digest = createHash('sha256');
    for (const { name, blocks } of manifest.capabilities) {
      const at = capabilities.findIndex((capability) => capability.name === name);
      if (at === -1) throw new Error(`the snapshot holds ${name}, which this version of Sluice does not know`);
      for (let block = 0; block < blocks; block += 1) {
        const bytes = await snapshots.get(blockName(manifest.blocks, name, block));
        if (bytes === undefined) throw new Error(`the snapshot lacks block ${block} of ${name}`);
        digest.update(bytes);
        (this.states[at] as CapabilityState).restore(bytes);
      }
    }
    if (digest.digest('hex') !== manifest.digest) throw new Error('the blocks of the snapshot are not those that were written');
    await this.index.restore(manifest.runs);
  }

  private maybeSnapshot(): void {
    if (this.snapshotting !== undefined || this.currentState !== 'serving') return;
    const due = Math.max(this.dependencies.limits.snapshotBytes, this.snapshotSize * 2);
    if (this.logBytesSinceSnapshot < due && !this.index.full) return;
    this.snapshotting = this.guardedSnapshot().finally(() => {
      this.snapshotting = undefined;
    });
  }

  private async guardedSnapshot(): Promise<void> {
    try {
      await this.snapshot();
    } catch (error) {
      this.dependencies.observer.trouble(this.partition, 'a snapshot failed; the next one is tried later', error);
    }
  }

  /**
   * Snapshot of the state as decided now. Its blocks are formed in small steps between turns; what changes meanwhile is kept as it was.
   * It leaves only when the commit at which it stands is durable.
   */
  private async snapshot(): Promise<void> {
    const { snapshots, capabilities, log } = this.dependencies;
    const { generation, index, states } = this;
    const standing = { sequence: this.decidedSequence, checksum: this.decidedChecksum, committedAtUs: this.decidedAtUs, epoch: this.epoch };
    const sessions: SnapshotSession[] = states.map((state) => state.beginSnapshot());
    index.seal();
    this.logBytesSinceSnapshot = 0;
    let durable = false;
    try {
      await this.commits.durable(standing.sequence);
      await index.removeUnused(
        (await this.manifests()).flatMap(({ runs }) => runs),
        standing.epoch,
      );
      const blocks = stateName(this.prefix, standing.epoch, standing.sequence);
      let sizeBytes = 0;
      const digest = createHash('sha256');
      const counts: { name: string; blocks: number }[] = [];
      for (const [at, session] of sessions.entries()) {
        const name = (capabilities[at] as Capability).name;
        let count = 0;
        for (let block = session.next(); block !== undefined; block = session.next()) {
          await snapshots.put([{ name: blockName(blocks, name, count), bytes: block }]);
          digest.update(block);
          sizeBytes += block.length;
          count += 1;
          await new Promise<void>((resolve) => setImmediate(resolve));
          if (generation !== this.generation) return;
        }
        counts.push({ name, blocks: count });
      }
      const runs = await index.writeSealed(standing.epoch);
      if (generation !== this.generation) return;
      const manifest: Manifest = {
        version: SNAPSHOT_VERSION,
        incarnation: log.identity.incarnation,
        sequence: standing.sequence,
        epoch: standing.epoch,
        committedAtUs: standing.committedAtUs,
        checksum: Buffer.from(standing.checksum).toString('hex'),
        blocks,
        capabilities: counts,
        digest: digest.digest('hex'),
        sizeBytes,
        runs,
      };
      await snapshots.put([{ name: manifestName(this.prefix, standing.epoch), bytes: encodeManifest(manifest) }]);
      durable = true;
      this.snapshotSize = sizeBytes;
      this.forgetWhenDecided(runs, index, this.submitted);
      await this.removeOlder(standing.epoch, blocks);
    } finally {
      for (const session of sessions) session.end(durable);
    }
  }

  /** What a newer owner wrote stays: who was paused in the middle of a snapshot may come back long after. */
  private async removeOlder(epoch: number, blocks: string): Promise<void> {
    const { snapshots } = this.dependencies;
    for (const name of await snapshots.list(`${this.prefix}/manifest-`)) if (name < manifestName(this.prefix, epoch)) await snapshots.remove(name);
    const newer = stateName(this.prefix, epoch + 1, 0);
    const states = new Set((await snapshots.list(`${this.prefix}/state-`)).map((block) => block.slice(0, block.lastIndexOf('/'))));
    for (const name of states) if (name !== blocks && name < newer) await snapshots.remove(`${name}/`);
  }

  /** Requests that were looked up before the runs stood must be decided before the segments go. */
  private forgetWhenDecided(runs: readonly RunDescription[], index: RequestIndex, submitted: number): void {
    if (index !== this.index) return;
    if (this.decided >= submitted) index.forgetWritten(runs);
    else this.dependencies.clock.after(100, () => this.forgetWhenDecided(runs, index, submitted));
  }
}

function traceparentsOf(submissions: readonly Submission[]): string[] {
  const traceparents: string[] = [];
  for (const { traceparent } of submissions) {
    if (traceparent === undefined || traceparents.length >= MAXIMUM_TRACEPARENTS) continue;
    // What comes by one stream has one span.
    if (!traceparents.includes(traceparent)) traceparents.push(traceparent);
  }
  return traceparents;
}

function blockName(blocks: string, capability: string, block: number): string {
  return `${blocks}/${capability}-${String(block).padStart(8, '0')}`;
}

function manifestName(prefix: string, epoch: number): string {
  return `${prefix}/manifest-${numbered(epoch)}`;
}

function stateName(prefix: string, epoch: number, sequence: number): string {
  return `${prefix}/state-${numbered(epoch)}-${numbered(sequence)}`;
}
