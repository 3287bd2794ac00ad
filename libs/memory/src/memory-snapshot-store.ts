/** The snapshot store in memory, for tests and the simulation. Stores on one `MemoryBlocks` share their blocks. */
import { compareText, type SnapshotStore } from '@sluice/ports';

export type MemoryBlocks = Map<string, Uint8Array>;

export class MemorySnapshotStore implements SnapshotStore {
  readonly #blocks: MemoryBlocks;

  constructor(blocks: MemoryBlocks = new Map()) {
    this.#blocks = blocks;
  }

  async put(blocks: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<void> {
    for (const { name, bytes } of blocks) this.#blocks.set(name, new Uint8Array(bytes));
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const bytes = this.#blocks.get(name);
    return bytes && new Uint8Array(bytes);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#blocks.keys()].filter((name) => name.startsWith(prefix)).sort(compareText);
  }

  async remove(prefix: string): Promise<void> {
    for (const name of [...this.#blocks.keys()]) if (name.startsWith(prefix)) this.#blocks.delete(name);
  }

  async close(): Promise<void> {}
}
