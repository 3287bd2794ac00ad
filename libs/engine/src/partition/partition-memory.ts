/**
 * What a partition holds in memory: the state of every capability, the request-id index and the newest commits, as of one commit of its
 * log. It is built once, from a snapshot and the log, and given up whole. What still works on a memory that was given up finds `ended` set
 * and ends, too.
 */
import { crc32 } from 'node:zlib';
import type { EventLog, SnapshotStore } from '@sluice/ports';
import {
  beginningOf,
  logEvents,
  NO_CHECKSUM,
  readCommit,
  readNextCommit,
  UnknownEventError,
  type CommitHeader,
  type DecodedCommit,
  type EventHandlersOf,
  type EventRecord,
  type LogPosition,
  type logpb,
} from '@sluice/protocol';
import { requestsIn } from '../aggregates/recorded-requests';
import type { Capability, CapabilityState, PartitionServices } from '../capability';
import { DELIVERY_EVENTS, DeliveryRoom } from '../deliveries/delivery-room';
import type { EngineRoom, EngineRooms } from '../internal/engine-room';
import { type HashSeeds } from '../request-index/request-hash';
import { RequestIndex } from '../request-index/request-index';
import { RunStore } from '../request-index/run-store';
import { CommitSearch } from '../requests/commit-search';
import type { RunSorter } from '../request-index/sorter';
import { TimerRoom } from '../timers/timer-room';
import { Commits } from './commits';
import type { PartitionLimits } from './limits';
import { RecentCommits } from './recent-commits';
import { UnreadableEventError } from './unreadable-log';
import type { WorkSteps } from './work-steps';

/** What replaying an event costs beside its bytes, in bytes. */
const EVENT_COST_BYTES = 64;

/** What replaying a verdict among several costs beside its reply, about. */
const VERDICT_BYTES = 64;

/** The memory was given up while it was loaded: the partition was stopped, or is loaded anew. */
export class AbandonedError extends Error {
  constructor() {
    super('the loading was abandoned');
    this.name = 'AbandonedError';
  }
}

interface Replaying {
  readonly memory: PartitionMemory;
  readonly room: DeliveryRoom;
  readonly commit: DecodedCommit;
}

/** Take the engine's own events into the memory: at once, or in steps like a capability's. */
const ENGINE_EVENTS: EventHandlersOf<typeof logEvents, Replaying, Iterable<number> | undefined> = {
  OwnershipTaken: ({ epoch, owner }, { memory }) => {
    memory.newestOwnership = { epoch: Number(epoch), owner };
    return undefined;
  },
  RequestDecided: (decided, { memory, commit }) => {
    replayRequest(decided, memory, commit);
    return undefined;
  },
  RequestsDecided: (decided, { memory, commit }) => replayRequests(decided, memory, commit),
  ...DELIVERY_EVENTS,
  TimersSet: (event, { memory }) => memory.timers.replaySet(event),
  TimersCancelled: ({ numbers }, { memory }) => memory.timers.replayEnded(numbers),
  TimersFired: ({ numbers }, { memory }) => memory.timers.replayEnded(numbers),
};

function replayRequest(decided: logpb.RequestDecided, memory: PartitionMemory, commit: CommitHeader): void {
  const state = memory.knownStateOf(decided.capability);
  if (state?.replayRequest === undefined) throw new Error(`this version of Sluice has no capability ${decided.capability} with such requests`);
  state.replayRequest(decided, commit);
}

/** Request by request: ten thousand of them would block the event loop. */
function* replayRequests(together: Uint8Array, memory: PartitionMemory, commit: CommitHeader): Generator<number> {
  for (const decided of requestsIn(together)) {
    replayRequest(decided, memory, commit);
    yield VERDICT_BYTES + decided.reply.length;
  }
}

export interface PartitionMemoryDependencies {
  readonly partition: number;
  readonly seeds: HashSeeds;
  readonly log: EventLog;
  readonly snapshots: SnapshotStore;
  readonly capabilities: readonly Capability[];
  readonly sorter: RunSorter;
  readonly limits: PartitionLimits;
  /** Id of this instance. */
  readonly owner: string;
}

export class PartitionMemory implements PartitionServices {
  readonly partition: number;
  readonly seeds: HashSeeds;
  readonly index: RequestIndex;
  readonly states: readonly CapabilityState[];
  readonly deliveries: DeliveryRoom;
  readonly timers: TimerRoom;
  readonly rooms: EngineRooms;
  readonly commits: Commits;
  readonly recent: RecentCommits;
  readonly commitSearch = new CommitSearch((sequence) => this.recall(sequence));

  /** The newest commit that the memory reflects; it may be on its way to the log still. */
  sequence = 0;
  checksum: Uint8Array = NO_CHECKSUM;
  committedAtUs = 0;
  /** The owner's epoch in that commit. */
  epoch = 0;
  /** The newest ownership commit that was read from the log; undefined: none since the snapshot. */
  newestOwnership: { readonly epoch: number; readonly owner: string } | undefined;

  /** What a start would replay of the log, and the size of the snapshot that it would restore before. */
  logBytesSinceSnapshot = 0;
  commitsSinceSnapshot = 0;
  snapshotSizeBytes = 0;

  private readonly beginning: LogPosition;
  private isEnded = false;
  /** 0: nothing was spilled. */
  private spillEpoch = 0;

  constructor(private readonly dependencies: PartitionMemoryDependencies) {
    const { partition, seeds, log, snapshots, sorter, limits, capabilities, owner } = dependencies;
    this.partition = partition;
    this.seeds = seeds;
    this.timers = new TimerRoom(seeds);
    this.deliveries = new DeliveryRoom(partition, log.identity.partitions, limits.deliveryBatchBytes);
    this.rooms = { deliveries: this.deliveries, timers: this.timers };
    this.beginning = beginningOf(log.identity, partition);
    this.recent = new RecentCommits(limits.recentBytes);
    this.commits = new Commits(partition, log, this.recent);
    this.index = new RequestIndex(new RunStore(snapshots, `partition/${partition}`, writerOf(owner)), sorter, limits);
    this.states = capabilities.map((capability) => capability.createState(this));
  }

  get ended(): boolean {
    return this.isEnded;
  }

  /** The partition stops: nothing changes the memory any more. Its durable commits can still be recalled. */
  retire(): void {
    this.isEnded = true;
  }

  /** The memory holds what the log may not have. Waiters for its commits get TurnLostError, and so does who asks for one. */
  drop(): void {
    this.isEnded = true;
    this.recent.clear();
    this.commits.lost();
  }

  recall(sequence: number): Promise<DecodedCommit> {
    return this.commits.durable(sequence);
  }

  stateOf(capability: string): CapabilityState {
    const state = this.knownStateOf(capability);
    if (state === undefined) throw new Error(`partition ${this.partition} has no state of ${capability}`);
    return state;
  }

  /** Undefined: this version of the program does not have the capability. */
  knownStateOf(capability: string): CapabilityState | undefined {
    return this.states[this.dependencies.capabilities.findIndex(({ name }) => name === capability)];
  }

  sibling(capability: string): unknown {
    return this.knownStateOf(capability)?.siblingView;
  }

  /** Rejects with MissingKeysError if aggregates name keys that the keyring lacks. The memory ends by it. */
  async assertKeysPresent(): Promise<void> {
    try {
      for (const state of this.states) await state.assertKeysPresent?.();
    } catch (error) {
      this.drop();
      throw error;
    }
    if (this.isEnded) throw new AbandonedError();
  }

  /** In the order in which a snapshot has them. */
  get roomList(): readonly EngineRoom[] {
    return [this.rooms.deliveries, this.rooms.timers];
  }

  /**
   * Takes the next commit of the log in, in steps. Throws CorruptCommitError or UnreadableEventError, with partition and sequence, and
   * AbandonedError if the memory ends meanwhile. The memory ends by any of them: half a commit may be in it.
   */
  async replay(bytes: Uint8Array, steps: WorkSteps): Promise<void> {
    try {
      const commit = readNextCommit({ ...this.beginning, sequence: this.sequence, checksum: this.checksum }, bytes);
      this.epoch = Math.max(this.epoch, commit.epoch);
      for (const event of commit.events) {
        for (const taken of this.eventSteps(event, commit)) {
          const pause = this.pauseAfter(taken, steps);
          if (pause !== undefined) await pause;
        }
      }
      this.sequence = commit.sequence;
      this.checksum = commit.checksum;
      this.committedAtUs = commit.committedAtUs;
      this.logBytesSinceSnapshot += bytes.length;
      this.commitsSinceSnapshot += 1;
      if (this.index.full) await this.spillIndex();
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** Ids leave memory while the log is replayed, too. Runs carry an epoch above that of the owner of now, which removes only what is older. */
  private async spillIndex(): Promise<void> {
    if (this.spillEpoch === 0) {
      const head = await this.dependencies.log.head(this.partition);
      this.spillEpoch = 1 + Math.max(this.epoch, head === undefined ? 0 : readCommit(head.bytes).epoch);
    }
    await this.index.spill(this.spillEpoch);
    if (this.isEnded) throw new AbandonedError();
  }

  /** Lets the event loop run if a step is over; rejects with AbandonedError if the memory ended meanwhile. */
  pauseAfter(bytes: number, steps: WorkSteps): Promise<void> | undefined {
    return steps.done(bytes)?.then(() => {
      if (this.isEnded) throw new AbandonedError();
    });
  }

  private *eventSteps(event: EventRecord, commit: DecodedCommit): Generator<number> {
    try {
      const rest = this.replayEvent(event, commit);
      if (rest !== undefined) yield* rest;
      yield EVENT_COST_BYTES + (rest === undefined ? event.payload.length : 0);
    } catch (error) {
      throw new UnreadableEventError(this.partition, commit.sequence, event.type, error);
    }
  }

  private replayEvent(event: EventRecord, commit: DecodedCommit): Iterable<number> | undefined {
    if (logEvents.owns(event.type)) return logEvents.read(event, commit, ENGINE_EVENTS, { memory: this, room: this.deliveries, commit });
    const name = event.type.slice(0, event.type.indexOf('.'));
    const at = this.dependencies.capabilities.findIndex((capability) => capability.name === name);
    if (at === -1) throw new UnknownEventError(this.partition, commit.sequence, event.type, event.version);
    return (this.states[at] as CapabilityState).replay(event, commit);
  }
}

/** Names the instance in the names of runs, which hold no arbitrary text. */
function writerOf(owner: string): string {
  return crc32(owner).toString(16).padStart(8, '0');
}
