/** One partition over memory adapters, with everything around it that can be made to fail. */
import type { Bus, BusMessage, EventLog, SnapshotStore } from '@sluice/ports';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { logpb, NO_CHECKSUM, readNextCommit, type DecodedCommit, type LogPosition } from '@sluice/protocol';
import type { Capability } from '../capability';
import { DEFAULT_DELIVERY_BUDGET } from '../deliveries/delivery-budget';
import { type EngineObserver, SILENT_OBSERVER } from '../engine-observer';
import { DEFAULT_LIMITS, type PartitionLimits } from '../partition/limits';
import { LoadSlots } from '../partition/load-slots';
import { Partition } from '../partition/partition';
import { hashSeeds, type LogSeeds } from '../request-index/request-hash';
import { runSorter } from '../request-index/sorter';
import { DueTimers } from '../timers/due-timers';
import { journal, type JournalState, Lines, type Answer } from './journal';

export const INCARNATION = '00112233445566778899aabbccddeeff';
export const SEEDS = hashSeeds(Buffer.from('the secret of the tests'), Buffer.from(INCARNATION, 'hex'));
const PARTITION = 1;

/** An append that fails drops the memory at once, so that tests of lost turns need not wait for it. */
export const NO_DOUBT = { doubtMs: 0 };

/** One sorting thread for all tests of a file. */
export const sorter = runSorter('thread');

export interface Surroundings {
  readonly owner?: string;
  readonly limits?: Partial<PartitionLimits>;
  readonly seeds?: LogSeeds;
  readonly log?: EventLog;
  readonly snapshots?: SnapshotStore;
  readonly bus?: Bus;
  /** Other processes may own the partition, too. */
  readonly shared?: boolean;
  readonly memoryIsShort?: boolean;
  readonly observer?: Partial<EngineObserver>;
  /** Default: the journal. */
  readonly capabilities?: readonly Capability[];
}

/** A bus that keeps what it got and can be down. */
export class RecordingBus implements Bus {
  readonly messages: BusMessage[] = [];
  readonly keepsMessages = true;
  connected = true;
  private readonly waiting: { count: number; resolve: () => void }[] = [];

  async publish(message: BusMessage): Promise<void> {
    if (!this.connected) throw new Error('the bus is down');
    this.messages.push(message);
    for (const { count, resolve } of this.waiting) if (this.messages.length >= count) resolve();
  }

  async lastSequence(): Promise<number> {
    return Math.max(0, ...this.messages.map(({ sequence }) => sequence));
  }

  whenPublished(count: number): Promise<void> {
    if (this.messages.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }

  subscribe(): Promise<never> {
    return Promise.reject(new Error('nobody reads from this bus'));
  }

  async close(): Promise<void> {
    this.connected = false;
  }
}

export class PartitionUnderTest {
  readonly clock = new ManualClock();
  readonly troubles: string[] = [];
  readonly lost: number[] = [];
  readonly log: MemoryEventLog;
  readonly partition: Partition;
  readonly timers = new DueTimers();

  constructor(
    readonly storage: MemoryLogStorage = new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION }),
    readonly blocks: MemoryBlocks = new Map(),
    surroundings: Surroundings = {},
  ) {
    this.log = new MemoryEventLog(storage);
    this.partition = new Partition({
      partition: PARTITION,
      log: surroundings.log ?? this.log,
      snapshots: surroundings.snapshots ?? new MemorySnapshotStore(blocks),
      bus: surroundings.bus ?? new InProcessBus({ clock: this.clock }),
      clock: this.clock,
      capabilities: surroundings.capabilities ?? [journal],
      seeds: surroundings.seeds ?? SEEDS,
      sorter,
      timers: this.timers,
      slots: new LoadSlots(),
      limits: { ...DEFAULT_LIMITS, ...NO_DOUBT, ...surroundings.limits },
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what) => void this.troubles.push(what), ...surroundings.observer },
      owner: surroundings.owner ?? 'one',
      shared: surroundings.shared ?? false,
      onLost: (partition) => void this.lost.push(partition),
      memoryIsShort: () => surroundings.memoryIsShort ?? false,
      send: () => Promise.reject(new Error('there is no other partition')),
      deliveryBudget: DEFAULT_DELIVERY_BUDGET,
    });
  }

  static async started(surroundings: Surroundings = {}): Promise<PartitionUnderTest> {
    const started = new PartitionUnderTest(undefined, undefined, surroundings);
    await started.partition.start();
    return started;
  }

  /** Another process on the same log and snapshots. */
  async next(surroundings: Surroundings = {}): Promise<PartitionUnderTest> {
    const next = new PartitionUnderTest(this.storage, this.blocks, surroundings);
    await next.partition.start();
    return next;
  }

  /** What another process would start from now, without taking anything from this one. */
  copy(surroundings: Surroundings = {}): PartitionUnderTest {
    const storage = new MemoryLogStorage({ ...this.storage.identity });
    for (const [partition, commits] of this.storage.partitions.entries()) storage.commitsOf(partition).push(...commits);
    return new PartitionUnderTest(storage, new Map(this.blocks), surroundings);
  }

  submit(...lines: string[]): Lines {
    const submission = new Lines(this.partition, lines);
    this.partition.submit(submission);
    return submission;
  }

  write(...lines: string[]): Promise<Answer> {
    return this.submit(...lines).answer;
  }

  get lines(): readonly string[] {
    return (this.partition.stateOf('journal') as JournalState).lines;
  }

  /** The commits of the log, each checked against its predecessor. */
  commits(): DecodedCommit[] {
    let position: LogPosition = { incarnation: Buffer.from(INCARNATION, 'hex'), partition: PARTITION, sequence: 0, checksum: NO_CHECKSUM };
    return this.storage.commitsOf(PARTITION).map(({ bytes }) => {
      const commit = readNextCommit(position, bytes);
      position = { ...position, sequence: commit.sequence, checksum: commit.checksum };
      return commit;
    });
  }

  /** The lines in the log. */
  logged(): string[] {
    return this.commits().flatMap(({ events }) =>
      events.flatMap(({ type, payload }) => (type === 'journal.LineWritten' ? [Buffer.from(payload).toString()] : [])),
    );
  }

  /** Owners by epoch, as the log has them. */
  owners(): string[] {
    return this.commits().flatMap(({ events }) =>
      events.flatMap(({ type, payload }) => (type === 'log.OwnershipTaken' ? [logpb.OwnershipTaken.decode(payload).owner] : [])),
    );
  }

  /** Lets the time pass until the partition serves (or is lost). */
  async untilLoaded(): Promise<void> {
    while (this.partition.state === 'loading') await this.clock.elapse(50);
  }
}

/** A round of the event loop, for what waits for nothing but its turn. */
export async function rounds(count = 5): Promise<void> {
  for (let round = 0; round < count; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
