/**
 * Faults that a test orders for the appends of a `MemoryEventLog`: what a disk, a network or a rival does to a writer,
 * at the moment the test chooses. Each order concerns one append, in the order given; a hold concerns all until released.
 */
export type AppendFault =
  /** Nothing is stored, and the writer is told so. */
  | { readonly kind: 'fail'; readonly diskFull: boolean }
  /** The commit is stored, but the writer hears of a failure: the outcome that nobody knows. */
  | { readonly kind: 'failAfterStoring' }
  /** A rival's commit with these bytes gets the sequence first. */
  | { readonly kind: 'rivalFirst'; readonly bytes: Uint8Array };

export class AppendFaults {
  readonly #ordered: AppendFault[] = [];
  #gate: Promise<void> | undefined;
  #openGate: (() => void) | undefined;
  #held = 0;
  #watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  /** The next append fails before anything is stored. */
  failNextAppend(options: { diskFull?: boolean } = {}): void {
    this.#ordered.push({ kind: 'fail', diskFull: options.diskFull ?? false });
  }

  /** The next append is stored, yet reported as failed. */
  failNextAppendAfterStoring(): void {
    this.#ordered.push({ kind: 'failAfterStoring' });
  }

  /** The next append finds its sequence taken by a rival's commit with these bytes, which is in the log from then on. */
  letRivalTakeNextSequence(bytes: Uint8Array): void {
    this.#ordered.push({ kind: 'rivalFirst', bytes });
  }

  /** From now on appends wait, nothing stored, until the returned function is called; they then go on in their order. */
  holdAppends(): () => void {
    if (this.#gate !== undefined) throw new Error('appends are held already');
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
    return () => {
      this.#openGate?.();
      this.#gate = undefined;
      this.#openGate = undefined;
    };
  }

  /** Resolves as soon as so many appends are held at the same time. */
  whenHeld(count: number): Promise<void> {
    if (this.#held >= count) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push({ count, resolve }));
  }

  /** For the log: waits while appends are held. */
  async pass(): Promise<void> {
    while (this.#gate !== undefined) {
      this.#held += 1;
      const reached = this.#watchers.filter((watcher) => watcher.count <= this.#held);
      this.#watchers = this.#watchers.filter((watcher) => watcher.count > this.#held);
      for (const watcher of reached) watcher.resolve();
      await this.#gate;
      this.#held -= 1;
    }
  }

  /** For the log: the fault ordered for this append. */
  take(): AppendFault | undefined {
    return this.#ordered.shift();
  }
}
