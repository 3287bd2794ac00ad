/**
 * A partition's memory that is loaded while another instance still owns the partition, and then follows its log, until this instance takes
 * the partition over or gives it up.
 *
 *   loading ──at the head of the log──▶ following ──take──▶ taken
 *      └─────────── cannot be kept ─────────┴──▶ dropped: the partition is loaded as if nothing had been prepared
 *
 * It trades memory, for as long as it is prepared, for a short gap in service: what is left to do when the owner lets go is to read its
 * last commits.
 */
import type { Clock } from '@sluice/ports';
import type { EngineObserver } from '../engine-observer';
import type { PartitionLimits } from './limits';
import type { PartitionLoader } from './partition-loader';
import { AbandonedError, type PartitionMemory } from './partition-memory';

/** How often the log is looked at. What comes in between is read when the partition is taken over. */
const FOLLOW_MS = 100;

export interface PreparationDependencies {
  readonly partition: number;
  readonly loader: PartitionLoader;
  readonly clock: Clock;
  readonly observer: EngineObserver;
  readonly limits: PartitionLimits;
  /** Whether the process is short of memory: then nothing is prepared. */
  readonly memoryIsShort: () => boolean;
}

export class Preparation {
  /** Resolves when the memory is at the head of the log for the first time, or is dropped. Rejects if the log cannot be read, or keys are missing. */
  readonly ready: Promise<void>;
  private readonly followed: Promise<void>;
  private memory: PartitionMemory | undefined;
  private ended = false;
  private endPause = (): void => undefined;

  constructor(private readonly dependencies: PreparationDependencies) {
    this.ready = this.load();
    this.followed = this.ready.then(
      () => this.follow(),
      () => undefined,
    );
  }

  /** Takes over: ends the following. Resolves with the memory at the newest commit; undefined: there is none, the partition is to be loaded. Throws AbandonedError. */
  async take(): Promise<PartitionMemory | undefined> {
    this.end();
    await this.followed;
    const { memory } = this;
    if (memory === undefined) return undefined;
    try {
      await Promise.all([this.dependencies.loader.catchUp(memory), memory.index.assertStored()]);
      return memory;
    } catch (error) {
      if (error instanceof AbandonedError) throw error;
      this.drop('a prepared partition is not what its log and its snapshot are; it is loaded again', error);
      return undefined;
    }
  }

  /** Ends the following. The memory stays as it is. */
  end(): void {
    this.ended = true;
    this.endPause();
  }

  private async load(): Promise<void> {
    const { loader, memoryIsShort } = this.dependencies;
    if (memoryIsShort()) this.drop('memory is short: a partition is not prepared but loaded when it is taken over');
    else this.memory = await loader.loadToOwn();
  }

  private async follow(): Promise<void> {
    while (!this.ended && this.memory !== undefined) {
      await this.pause();
      if (!this.ended) await this.step(this.memory);
    }
  }

  private async step(memory: PartitionMemory): Promise<void> {
    const { loader, observer, partition } = this.dependencies;
    try {
      if (this.dependencies.memoryIsShort()) this.drop('memory is short: a prepared partition is dropped');
      // The owner has written a newer snapshot since, which holds less than what was followed.
      else if (memory.logBytesSinceSnapshot > this.maximumLogBytes(memory)) this.memory = await loader.load();
      else await loader.catchUp(memory);
    } catch (error) {
      if (this.ended) return;
      if (memory.ended) this.drop('a prepared partition cannot follow its log; it is loaded when it is taken over', error);
      else observer.trouble(partition, 'the log of a prepared partition cannot be read; it is tried again', error);
    }
  }

  /** Twice what makes an owner write a snapshot. */
  private maximumLogBytes({ snapshotSizeBytes }: PartitionMemory): number {
    return 2 * Math.max(this.dependencies.limits.snapshotBytes, snapshotSizeBytes * 2);
  }

  private drop(what: string, error?: unknown): void {
    const { observer, partition } = this.dependencies;
    observer.trouble(partition, what, error);
    this.memory?.drop();
    this.memory = undefined;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.dependencies.clock.after(FOLLOW_MS, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
  }
}
