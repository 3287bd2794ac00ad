/**
 * A partition's writer: the only one that decides for its keys.
 *
 *   stopped ──start──▶ loading ──ownership commit durable──▶ serving ──append failed──▶ loading …
 *                        │                                      │
 *                        └──── SequenceTaken: another owner ────┴──▶ lost ──start──▶ …
 *
 * Submissions wait in a bounded queue. A turn takes what waits, decides it against the state in memory and forms one commit. One
 * append is outstanding at a time; while it is on its way the next turn may be decided (`staged`), no more. Answers leave when
 * their commit is durable. If an append fails, or nobody knows whether it did, every turn from it on is lost: memory is dropped, the log is
 * read again and a new ownership commit fences off whatever may still be on its way.
 *
 * This trades memory (the whole state of the partition, cold accounts packed) for deciding without I/O.
 */
import { SequenceTakenError, type Bus, type Clock, type EventLog, type SnapshotStore } from '@sluice/ports';
import { CommitWriter, NO_CHECKSUM, readCommit, readNextCommit, type DecodedCommit, type LogPosition } from '@sluice/protocol';
import type { Capability, CapabilityState, SnapshotSession, Submission, SubmissionFailure } from '../capability';
import type { EngineObserver } from '../engine-observer';
import { hashSeeds, type HashSeeds } from '../request-index/request-hash';
import { RequestIndex, type RunDescription } from '../request-index/request-index';
import type { RunSorter } from '../request-index/sorter';
import { Commits } from './commits';
import type { PartitionLimits } from './limits';
import { decodeManifest, encodeManifest, SNAPSHOT_VERSION, type Manifest } from './manifest';
import { Publisher } from './publisher';
import { RecentCommits } from './recent-commits';
import { Turn } from './turn';

export type PartitionState = 'stopped' | 'loading' | 'serving' | 'lost';

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
  /** Another owner has taken the partition. */
  readonly onLost: (partition: number) => void;
}

interface Pending {
  readonly turn: Turn;
  readonly bytes: Buffer;
  readonly checksum: Uint8Array;
  readonly eventTypes: string[];
  appendedAtUs: number;
}

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
  private decidedSequence = 0;
  private decidedChecksum: Uint8Array = NO_CHECKSUM;
  private decidedAtUs = 0;
  private durable = 0;
  private inFlight: Pending | undefined;
  private staged: Pending | undefined;
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
    await this.load();
    this.currentState = 'serving';
  }

  /** Takes no more, finishes what was taken, leaves a snapshot if asked. */
  async stop(options: { snapshot: boolean }): Promise<void> {
    this.stopping = true;
    if (this.currentState === 'serving') {
      await this.drained();
      if (options.snapshot && this.logBytesSinceSnapshot > 0) {
        await this.snapshotting;
        await this.snapshot();
      }
    }
    await this.snapshotting;
    this.currentState = 'stopped';
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
    const turn = this.decideTurn();
    if (turn === undefined) return;
    this.afterTurn(turn);
    if (this.queueHead < this.queue.length && this.staged === undefined) this.scheduleTurn();
  };

  private decideTurn(): Turn | undefined {
    const { limits, clock, observer } = this.dependencies;
    let turn: Turn | undefined;
    let bytes = 0;
    while (this.queueHead < this.queue.length) {
      const submission = this.queue[this.queueHead] as Submission;
      if (submission.prepared !== undefined && !this.ready.has(submission)) break;
      if (turn === undefined) {
        const committedAtUs = Math.max(clock.nowUs(), this.decidedAtUs);
        this.writer.begin(this.header(this.decidedSequence + 1, committedAtUs), []);
        turn = new Turn(this.decidedSequence + 1, committedAtUs, this.writer);
      } else if (turn.commandCount + submission.commandCount > limits.turnCommands || bytes + submission.sizeBytes > limits.turnBytes) {
        break;
      }
      this.queueHead += 1;
      this.decided += 1;
      this.queuedCommands -= submission.commandCount;
      this.queuedBytes -= submission.sizeBytes;
      bytes += submission.sizeBytes;
      turn.commandCount += submission.commandCount;
      turn.submissions.push(submission);
      submission.decide(turn);
    }
    if (this.queueHead > 1024 || this.queueHead === this.queue.length) {
      this.queue = this.queueHead === this.queue.length ? [] : this.queue.slice(this.queueHead);
      this.queueHead = 0;
    }
    if (turn !== undefined) {
      turn.flush();
      observer.turnDecided(this.partition, turn.commandCount);
    }
    return turn;
  }

  private afterTurn(turn: Turn): void {
    if (turn.commit.events === 0) {
      // Nothing to record, but the answers may depend on what is not durable yet.
      const before = this.staged ?? this.inFlight;
      if (before === undefined) for (const submission of turn.submissions) submission.settle();
      else before.turn.submissions.push(...turn.submissions);
      return;
    }
    const pending = this.finish(turn);
    if (this.inFlight === undefined) this.append(pending);
    else this.staged = pending;
  }

  private finish(turn: Turn): Pending {
    const eventTypes = turn.commit.eventTypes;
    const bytes = turn.commit.finish();
    const checksum = bytes.subarray(bytes.length - NO_CHECKSUM.length);
    this.decidedSequence = turn.sequence;
    this.decidedChecksum = checksum;
    this.decidedAtUs = turn.committedAtUs;
    return { turn, bytes, checksum, eventTypes, appendedAtUs: 0 };
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
    observer.committed(this.partition, bytes.length, clock.nowUs() - pending.appendedAtUs);
    const { staged } = this;
    if (staged !== undefined) {
      this.staged = undefined;
      this.append(staged);
    }
    for (const submission of turn.submissions) submission.settle();
    this.commits.becameDurable(turn.sequence);
    this.publisher?.offer(turn.sequence);
    this.logBytesSinceSnapshot += bytes.length;
    if (this.queueHead < this.queue.length) this.scheduleTurn();
    else if (this.inFlight === undefined) this.becameIdle();
    this.maybeSnapshot();
  }

  private appendFailed(error: unknown): void {
    const { observer, onLost } = this.dependencies;
    const lost = [...(this.inFlight?.turn.submissions ?? []), ...(this.staged?.turn.submissions ?? [])];
    this.inFlight = undefined;
    this.staged = undefined;
    this.generation += 1;
    this.dropMemory();
    const taken = error instanceof SequenceTakenError;
    this.currentState = taken ? 'lost' : 'loading';
    observer.trouble(this.partition, taken ? 'another owner has taken the partition' : 'an append failed; the log is read again', error);
    for (const submission of lost) submission.fail(taken ? 'NOT_OWNER' : 'PARTITION_UNAVAILABLE');
    // What waits was looked up in the memory that is dropped: it has to come again.
    this.failWaiting(taken ? 'NOT_OWNER' : 'PARTITION_UNAVAILABLE');
    if (taken) onLost(this.partition);
    else void this.reload();
  }

  private async reload(): Promise<void> {
    const { observer, clock, onLost } = this.dependencies;
    const { generation } = this;
    for (let waitMs = RELOAD_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RELOAD_LAST_MS)) {
      try {
        await this.load();
        if (generation === this.generation && this.currentState === 'loading') this.currentState = 'serving';
        return;
      } catch (error) {
        if (generation !== this.generation || this.currentState !== 'loading') return;
        observer.trouble(this.partition, 'the partition could not be loaded', error);
        if (error instanceof SequenceTakenError) {
          this.currentState = 'lost';
          onLost(this.partition);
          return;
        }
        await new Promise<void>((resolve) => clock.after(waitMs, resolve));
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
    if (this.inFlight === undefined) this.becameIdle();
  }

  private drained(): Promise<void> {
    if (this.queueHead === this.queue.length && this.inFlight === undefined && this.staged === undefined) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private becameIdle(): void {
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

  private async load(): Promise<void> {
    const { capabilities, log, bus, clock, observer } = this.dependencies;
    this.dropMemory();
    this.index = this.newIndex();
    this.states = capabilities.map((capability) => capability.createState(this));
    let position: LogPosition = { incarnation: this.incarnation, partition: this.partition, sequence: 0, checksum: NO_CHECKSUM };
    let committedAtUs = 0;
    this.epoch = 0;
    this.logBytesSinceSnapshot = 0;
    this.snapshotSize = 0;
    const manifest = await this.usableManifest();
    if (manifest !== undefined) {
      await this.restore(manifest);
      position = { ...position, sequence: manifest.sequence, checksum: Buffer.from(manifest.checksum, 'hex') };
      committedAtUs = manifest.committedAtUs;
      this.epoch = manifest.epoch;
      this.snapshotSize = manifest.sizeBytes;
    }
    for (;;) {
      const page = await log.read(this.partition, position.sequence + 1, LOAD_PAGE);
      if (page.length === 0) break;
      for (const record of page) {
        const commit = readNextCommit(position, record.bytes);
        this.replay(commit);
        position = { ...position, sequence: commit.sequence, checksum: commit.checksum };
        committedAtUs = commit.committedAtUs;
        this.logBytesSinceSnapshot += record.bytes.length;
      }
    }
    this.decidedSequence = position.sequence;
    this.decidedChecksum = position.checksum as Uint8Array;
    this.decidedAtUs = committedAtUs;
    this.durable = position.sequence;
    await this.takeOwnership();
    this.commits.becameDurable(this.durable);
    this.publisher = new Publisher(this.partition, bus, log, this.recent, clock, (error) => observer.trouble(this.partition, 'publishing failed; it is tried again', error));
    const { publisher, generation } = this;
    const durable = this.durable;
    if (!bus.keepsMessages) {
      publisher.begin(durable - 1, durable);
      return;
    }
    bus.lastSequence(this.partition).then(
      (published) => {
        if (generation === this.generation) publisher.begin(Math.min(published, durable), this.durable);
      },
      (error: unknown) => {
        observer.trouble(this.partition, 'the bus does not say what it has', error);
        if (generation === this.generation) publisher.begin(durable - 1, this.durable);
      },
    );
  }

  private replay(commit: DecodedCommit): void {
    this.epoch = Math.max(this.epoch, commit.epoch);
    for (const event of commit.events) {
      const dot = event.type.indexOf('.');
      const name = event.type.slice(0, dot);
      if (name === 'log') continue;
      const at = this.dependencies.capabilities.findIndex((capability) => capability.name === name);
      if (at === -1) throw new Error(`partition ${this.partition}, sequence ${commit.sequence}: event ${event.type} is not known to this version of Sluice`);
      (this.states[at] as CapabilityState).replay(event, commit);
    }
  }

  /** The fence: from this commit on no append of an older owner succeeds. */
  private async takeOwnership(): Promise<void> {
    const { log, clock, owner } = this.dependencies;
    this.epoch += 1;
    const committedAtUs = Math.max(clock.nowUs(), this.decidedAtUs);
    this.writer.begin(this.header(this.decidedSequence + 1, committedAtUs), []);
    const mark = this.writer.openEvent('log.OwnershipTaken', 1);
    this.writer.writer.numberField(0x08, this.epoch);
    this.writer.writer.stringField(0x12, owner);
    this.writer.closeEvent(mark);
    const turn = new Turn(this.decidedSequence + 1, committedAtUs, this.writer);
    const { bytes, eventTypes } = this.finish(turn);
    await log.append({ partition: this.partition, sequence: turn.sequence, bytes, commandCount: 0, committedAtUs, eventTypes });
    this.durable = turn.sequence;
    this.recent.add(turn.sequence, bytes);
  }

  // ---- snapshots ----

  /** The newest snapshot, if the log still has the commit at which it stands. */
  private async usableManifest(): Promise<Manifest | undefined> {
    const { snapshots, log } = this.dependencies;
    const bytes = await snapshots.get(`${this.prefix}/manifest`);
    const manifest = bytes === undefined ? undefined : decodeManifest(bytes);
    if (manifest === undefined || manifest.incarnation !== log.identity.incarnation) return undefined;
    const [record] = await log.read(this.partition, manifest.sequence, { maxCommits: 1, maxBytes: 1 });
    if (record === undefined || record.sequence !== manifest.sequence) return undefined;
    return Buffer.from(readCommit(record.bytes).checksum).toString('hex') === manifest.checksum ? manifest : undefined;
  }

  private async restore(manifest: Manifest): Promise<void> {
    const { snapshots, capabilities } = this.dependencies;
    for (const { name, blocks } of manifest.capabilities) {
      const at = capabilities.findIndex((capability) => capability.name === name);
      if (at === -1) throw new Error(`partition ${this.partition}: the snapshot holds ${name}, which this version of Sluice does not know`);
      for (let block = 0; block < blocks; block += 1) {
        const bytes = await snapshots.get(blockName(manifest.blocks, name, block));
        if (bytes === undefined) throw new Error(`partition ${this.partition}: the snapshot lacks block ${block} of ${name}; remove the snapshots to load from the log`);
        (this.states[at] as CapabilityState).restore(bytes);
      }
    }
    await this.index.restore(manifest.runs);
  }

  private maybeSnapshot(): void {
    if (this.snapshotting !== undefined || this.currentState !== 'serving') return;
    const due = Math.max(this.dependencies.limits.snapshotBytes, this.snapshotSize * 2);
    if (this.logBytesSinceSnapshot < due && !this.index.full) return;
    this.snapshotting = this.snapshot()
      .catch((error: unknown) => this.dependencies.observer.trouble(this.partition, 'a snapshot failed; the next one is tried later', error))
      .finally(() => {
        this.snapshotting = undefined;
      });
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
      const old = (await snapshots.get(`${this.prefix}/manifest`)) ?? undefined;
      const previous = old === undefined ? undefined : decodeManifest(old);
      if (previous !== undefined) await RequestIndex.removeUnnamed(snapshots, this.prefix, previous.runs);
      const blocks = `${this.prefix}/state-${String(standing.sequence).padStart(16, '0')}`;
      let sizeBytes = 0;
      const counts: { name: string; blocks: number }[] = [];
      for (const [at, session] of sessions.entries()) {
        const name = (capabilities[at] as Capability).name;
        let count = 0;
        for (let block = session.next(); block !== undefined; block = session.next()) {
          await snapshots.put([{ name: blockName(blocks, name, count), bytes: block }]);
          sizeBytes += block.length;
          count += 1;
          await new Promise<void>((resolve) => setImmediate(resolve));
          if (generation !== this.generation) return;
        }
        counts.push({ name, blocks: count });
      }
      const runs = await index.writeSealed();
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
        sizeBytes,
        runs,
      };
      await snapshots.put([{ name: `${this.prefix}/manifest`, bytes: encodeManifest(manifest) }]);
      durable = true;
      this.snapshotSize = sizeBytes;
      this.forgetWhenDecided(runs, index, this.submitted);
      for (const name of new Set((await snapshots.list(`${this.prefix}/state-`)).map(stateOf))) if (name !== blocks) await snapshots.remove(`${name}/`);
    } finally {
      for (const session of sessions) session.end(durable);
    }
  }

  /** Requests that were looked up before the runs stood must be decided before the segments go. */
  private forgetWhenDecided(runs: readonly RunDescription[], index: RequestIndex, submitted: number): void {
    if (index !== this.index) return;
    if (this.decided >= submitted) index.forgetWritten(runs);
    else this.dependencies.clock.after(100, () => this.forgetWhenDecided(runs, index, submitted));
  }
}

function blockName(blocks: string, capability: string, block: number): string {
  return `${blocks}/${capability}-${String(block).padStart(8, '0')}`;
}

function stateOf(block: string): string {
  return block.slice(0, block.lastIndexOf('/'));
}
