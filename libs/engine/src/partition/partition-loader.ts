/**
 * Builds a partition's memory: the newest snapshot that can be used, then every commit behind it. Each commit is checked against its
 * predecessor. The work is done in steps, so that the process goes on answering meanwhile, and ends when the memory is given up.
 */
import type { CommitRecord, EventLog } from '@sluice/ports';
import type { EngineObserver } from '../engine-observer';
import type { LoadSlots } from './load-slots';
import type { Manifest } from './manifest';
import { AbandonedError, type PartitionMemory } from './partition-memory';
import type { PartitionSnapshots } from './partition-snapshots';
import { WorkSteps } from './work-steps';

/** What is read from the log at a time; one page more is on its way while it is replayed. */
const LOAD_PAGE = { maxCommits: 256, maxBytes: 4 << 20 };
/** Snapshots that are tried before the log is read from its beginning. The owner may replace them while they are read. */
const RESTORE_ATTEMPTS = 5;

export interface PartitionLoaderDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly snapshots: PartitionSnapshots;
  readonly observer: EngineObserver;
  readonly slots: LoadSlots;
  /** Makes the partition's next memory, empty, and drops the one before. Throws AbandonedError if the partition is not to be loaded any more. */
  readonly newMemory: () => PartitionMemory;
}

export class PartitionLoader {
  constructor(private readonly dependencies: PartitionLoaderDependencies) {}

  /** The memory as of the newest commit. Throws AbandonedError, CorruptCommitError, or what the log or a capability throws. */
  load(): Promise<PartitionMemory> {
    return this.dependencies.slots.run(async () => {
      const steps = new WorkSteps();
      const memory = await this.restored(steps);
      await this.catchUp(memory, steps);
      return memory;
    });
  }

  /** The same, for an instance that does not own the partition yet: throws MissingKeysError where keys are missing that its aggregates name. */
  async loadToOwn(): Promise<PartitionMemory> {
    const memory = await this.load();
    await memory.assertKeysPresent();
    return memory;
  }

  /** Takes in what the log has behind the memory. Throws what `load` throws; a memory that ended by it is not to be used. */
  async catchUp(memory: PartitionMemory, steps = new WorkSteps()): Promise<void> {
    for (let page = await this.pageAfter(memory.sequence); page.length > 0; ) {
      const next = this.pageAfter((page.at(-1) as CommitRecord).sequence);
      // If the replay throws, the next page is of no interest.
      next.catch(() => undefined);
      for (const { bytes } of page) {
        if (memory.ended) throw new AbandonedError();
        await memory.replay(bytes, steps);
      }
      page = await next;
    }
    if (memory.ended) throw new AbandonedError();
  }

  private pageAfter(sequence: number): Promise<CommitRecord[]> {
    return this.dependencies.log.read(this.dependencies.partition, sequence + 1, LOAD_PAGE);
  }

  /** The memory of the newest snapshot that fits the log; empty if there is none: the log has everything. */
  private async restored(steps: WorkSteps): Promise<PartitionMemory> {
    const { snapshots, observer, partition, newMemory } = this.dependencies;
    let memory = newMemory();
    const tried = new Set<string>();
    for (let manifest = await this.untried(tried); manifest !== undefined; manifest = await this.untried(tried)) {
      tried.add(manifest.blocks);
      if (memory.ended) throw new AbandonedError();
      if (!(await snapshots.fitsLog(manifest))) continue;
      try {
        await snapshots.restore(manifest, memory, steps);
        return memory;
      } catch (error) {
        if (memory.ended) throw new AbandonedError();
        observer.trouble(partition, 'a snapshot cannot be used; another one or the log is read', error);
        memory = newMemory();
      }
    }
    return memory;
  }

  /** Looks anew each time: a snapshot that lacks blocks may have been replaced by its owner's next one. */
  private async untried(tried: ReadonlySet<string>): Promise<Manifest | undefined> {
    if (tried.size === RESTORE_ATTEMPTS) return undefined;
    return (await this.dependencies.snapshots.manifests()).find(({ blocks }) => !tried.has(blocks));
  }
}
