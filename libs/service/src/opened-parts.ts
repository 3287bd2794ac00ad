/** What has been opened so far, and how to close it again: the newest first, all of it, whatever one of them says. */
export class OpenedParts {
  readonly #closers: (() => Promise<void>)[] = [];
  #closed: Promise<void> | undefined;

  /** Registers how to close what was just opened, and returns it. */
  add<Part>(part: Part, close: (part: Part) => Promise<void>): Part {
    this.#closers.push(() => close(part));
    return part;
  }

  /** Rejects with the first error, after everything has been tried. The second call waits for the first. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const close of this.#closers.reverse()) {
      try {
        await close();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}
