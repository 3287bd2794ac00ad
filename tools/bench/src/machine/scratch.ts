/**
 * What a run leaves behind must be nothing: folders, processes and clusters are given back in the reverse order of their
 * making, also when the run fails or is interrupted.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';

const TMPFS_MAGIC = 0x01021994;
/** A killed process may still be writing when its folder goes. */
const ABANDON_RETRIES = 5;

export class Scratch {
  readonly #duties: (() => Promise<void> | void)[] = [];
  readonly #children = new Set<ChildProcess>();
  readonly #folders = new Set<string>();

  constructor(private readonly parent: string) {
    process.once('exit', this.#abandon);
  }

  /** To be done at the end, the last first. */
  defer(duty: () => Promise<void> | void): void {
    this.#duties.push(duty);
  }

  folder(name: string): string {
    const path = mkdtempSync(join(this.parent, `sluice-bench-${name}-`));
    this.#folders.add(path);
    this.defer(() => {
      rmSync(path, { recursive: true, force: true });
      this.#folders.delete(path);
    });
    return path;
  }

  /** A process that must not outlive us, whatever ends us. */
  adopt(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }

  async clear(): Promise<void> {
    for (let duty = this.#duties.pop(); duty !== undefined; duty = this.#duties.pop()) {
      try {
        await duty();
      } catch (error) {
        process.stderr.write(`While clearing up: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
    process.off('exit', this.#abandon);
  }

  /** When the process ends before it could clear up (its output was cut off, somebody called exit): what can be done at once. */
  readonly #abandon = (): void => {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true, maxRetries: ABANDON_RETRIES });
  };
}

/** On a file system in memory an fsync costs nothing, and no figure says anything about durable writes. */
export async function isInMemory(folder: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  return (await statfs(folder)).type === TMPFS_MAGIC;
}
