/**
 * The keyring that a start begins where there is none. A start that is refused because accounts name keys that are missing takes it back: the
 * files of an empty keyring must not stand beside those that the operator restores.
 */
import { rmSync, statSync, truncateSync } from 'node:fs';
import type { DataFiles } from '../data-folder';

export class BegunKeyring {
  private isRefused = false;
  /** Sizes before the start; undefined: the file was missing. */
  private readonly keyringBytes: number | undefined;
  private readonly secretBytes: number | undefined;

  constructor(private readonly files: DataFiles) {
    this.keyringBytes = sizeOf(files.keyring);
    this.secretBytes = sizeOf(files.keyringKey);
  }

  /** The start is refused: `close` takes back what it began. */
  refused(): void {
    this.isRefused = true;
  }

  /** To be called when the keyring is closed, and while the folder is still locked. */
  close(): void {
    if (!this.isRefused || (this.keyringBytes ?? 0) > 0) return;
    const { keyring, keyringKey } = this.files;
    for (const suffix of ['-wal', '-shm']) rmSync(`${keyring}${suffix}`, { force: true });
    if (this.keyringBytes === undefined) rmSync(keyring, { force: true });
    else truncateSync(keyring, 0);
    if (this.secretBytes === undefined) rmSync(keyringKey, { force: true });
  }
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
