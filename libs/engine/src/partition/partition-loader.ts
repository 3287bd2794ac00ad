/**
 * Builds a partition's memory: the newest snapshot that can be used, then every commit behind it. Each commit is checked against its
 * predecessor.
 */
import type { EventLog } from '@sluice/ports';
import type { EngineObserver } from '../engine-observer';
import type { PartitionMemory } from './partition-memory';
import type { PartitionSnapshots } from './partition-snapshots';

const LOAD_PAGE = { maxCommits: 1_000, maxBytes: 8 << 20 };

/** The memory that was being loaded was given up: the partition was stopped, or is loaded anew. */
export class AbandonedError extends Error {
  constructor() {
    super('the loading was abandoned');
    this.name = 'AbandonedError';
  }
}

export interface PartitionLoaderDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly snapshots: PartitionSnapshots;
  readonly observer: EngineObserver;
  /** Makes the partition's next memory, empty, and drops the one before. */
  readonly newMemory: () => PartitionMemory;
}

export class PartitionLoader {
  constructor(private readonly dependencies: PartitionLoaderDependencies) {}

  /** The memory as of the newest commit. Throws AbandonedError, CorruptCommitError, or what the log or a capability throws. */
  async load(): Promise<PartitionMemory> {
    const { log, partition } = this.dependencies;
    const memory = await this.restored();
    for (;;) {
      const page = await log.read(partition, memory.sequence + 1, LOAD_PAGE);
      if (memory.ended) throw new AbandonedError();
      if (page.length === 0) return memory;
      for (const { bytes } of page) memory.replay(bytes);
    }
  }

  /** The memory of the newest snapshot that fits the log; empty if there is none: the log has everything. */
  private async restored(): Promise<PartitionMemory> {
    const { snapshots, observer, partition, newMemory } = this.dependencies;
    let memory = newMemory();
    for (const manifest of await snapshots.manifests()) {
      if (!(await snapshots.fitsLog(manifest))) continue;
      try {
        await snapshots.restore(manifest, memory);
        return memory;
      } catch (error) {
        if (memory.ended) throw new AbandonedError();
        observer.trouble(partition, 'a snapshot cannot be used; what it holds is read from the log', error);
        memory = newMemory();
      }
    }
    return memory;
  }
}
