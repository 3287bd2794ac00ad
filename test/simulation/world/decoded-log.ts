/** The log as judges read it. Each commit is decoded once, however many judges read it and however often they look. */
import type { MemoryLogStorage } from '@sluice/memory';
import { readCommit, type DecodedCommit } from '@sluice/protocol';

export class DecodedLog {
  /** Index: partition; then sequence - 1. */
  readonly #decoded: DecodedCommit[][];

  constructor(private readonly storage: MemoryLogStorage) {
    this.#decoded = storage.partitions.map(() => []);
  }

  /** The commits of each partition, in order. */
  get partitions(): readonly (readonly DecodedCommit[])[] {
    for (const [partition, commits] of this.#decoded.entries()) {
      const stored = this.storage.commitsOf(partition);
      for (const { bytes } of stored.slice(commits.length)) commits.push(readCommit(bytes));
    }
    return this.#decoded;
  }

  /** @returns a function that reads, partition by partition, the commits that it has not read before. */
  follow(read: (commit: DecodedCommit) => void): () => void {
    const counts = this.#decoded.map(() => 0);
    return () => {
      for (const [partition, commits] of this.partitions.entries()) {
        for (const commit of commits.slice(counts[partition])) read(commit);
        counts[partition] = commits.length;
      }
    };
  }
}
