/** Engines of several processes over one log and one snapshot store in memory, on one clock. */
import type { EventLog, SnapshotStore } from '@sluice/ports';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { Capability } from '../capability';
import { Engine } from '../engine';
import { SILENT_OBSERVER } from '../engine-observer';
import type { Partition } from '../partition/partition';
import type { PartitionLimits } from '../partition/limits';
import { journal, type Answer, type JournalState, Lines } from './journal';
import { INCARNATION, NO_DOUBT, SEEDS } from './partition-under-test';

export interface ProcessOptions {
  readonly limits?: Partial<PartitionLimits>;
  readonly capability?: Capability;
  readonly snapshots?: SnapshotStore;
  readonly memoryIsShort?: () => boolean;
}

/** One process of the cluster. */
export class EngineUnderTest {
  readonly log: MemoryEventLog;
  readonly engine: Engine;
  readonly troubles: string[] = [];
  readonly lost: number[] = [];

  constructor(
    cluster: Cluster,
    readonly owner: string,
    options: ProcessOptions,
  ) {
    this.log = new MemoryEventLog(cluster.storage);
    this.engine = new Engine({
      log: this.log,
      snapshots: options.snapshots ?? new MemorySnapshotStore(cluster.blocks),
      bus: new InProcessBus({ clock: cluster.clock }),
      clock: cluster.clock,
      capabilities: [options.capability ?? journal],
      seeds: SEEDS,
      owner,
      shared: true,
      limits: { ...NO_DOUBT, ...options.limits },
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what) => void this.troubles.push(what) },
      onLost: (partition) => void this.lost.push(partition),
      memoryIsShort: options.memoryIsShort ?? (() => false),
    });
  }

  owned(partition: number): Partition {
    const owned = this.engine.partition(partition);
    if (owned === undefined) throw new Error(`${this.owner} does not own partition ${partition}`);
    return owned;
  }

  submit(partition: number, ...lines: string[]): Lines {
    const submission = new Lines(this.owned(partition), lines);
    this.owned(partition).submit(submission);
    return submission;
  }

  write(partition: number, ...lines: string[]): Promise<Answer> {
    return this.submit(partition, ...lines).answer;
  }

  lines(partition: number): readonly string[] {
    return (this.owned(partition).stateOf('journal') as JournalState).lines;
  }
}

export class Cluster {
  readonly clock = new ManualClock();
  readonly storage = new MemoryLogStorage({ partitions: 2, incarnation: INCARNATION });
  readonly blocks: MemoryBlocks = new Map();
  private readonly processes: EngineUnderTest[] = [];

  process(owner: string, options: ProcessOptions = {}): EngineUnderTest {
    const started = new EngineUnderTest(this, owner, options);
    this.processes.push(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const { engine } of this.processes) await engine.stop({ snapshot: false });
  }
}

/** A log whose reads are counted and can be held, as those of a database that is slow. */
export class HeldReads {
  reads = 0;
  private gate: Promise<void> | undefined;
  private readonly watchers: (() => void)[] = [];

  constructor(log: EventLog) {
    const read = log.read.bind(log);
    log.read = async (...asked) => {
      this.reads += 1;
      for (const watcher of this.watchers.splice(0)) watcher();
      await this.gate;
      return read(...asked);
    };
  }

  /** From now on reads wait until the returned function is called. */
  hold(): () => void {
    let open!: () => void;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => {
      this.gate = undefined;
      open();
    };
  }

  /** Resolves at the next read. */
  next(): Promise<void> {
    return new Promise((resolve) => this.watchers.push(resolve));
  }
}
