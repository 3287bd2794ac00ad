/**
 * What a run leaves behind must be nothing: folders, processes and clusters are given back in the reverse order of their
 * making, also when the run fails or is interrupted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';

const TMPFS_MAGIC = 0x01021994;

export class Scratch {
  readonly #duties: (() => Promise<void> | void)[] = [];

  constructor(private readonly parent: string) {}

  /** To be done at the end, the last first. */
  defer(duty: () => Promise<void> | void): void {
    this.#duties.push(duty);
  }

  folder(name: string): string {
    const path = mkdtempSync(join(this.parent, `sluice-bench-${name}-`));
    this.defer(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async clear(): Promise<void> {
    for (let duty = this.#duties.pop(); duty !== undefined; duty = this.#duties.pop()) {
      try {
        await duty();
      } catch (error) {
        process.stderr.write(`While clearing up: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
}

/** On a file system in memory an fsync costs nothing, and no figure says anything about durable writes. */
export async function isInMemory(folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return (await statfs(folder)).type === TMPFS_MAGIC;
}
