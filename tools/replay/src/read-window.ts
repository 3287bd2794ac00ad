/** Bounds how many promises are under way; the first that rejects ends the whole, for whoever enters or waits next. */
export class ReadWindow {
  readonly #capacity: number;
  #inside = 0;
  #failure: { readonly error: unknown } | undefined;
  #changed: (() => void) | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async enter(): Promise<void> {
    while (this.#inside >= this.#capacity && this.#failure === undefined) await this.#change();
    this.#throwFailure();
    this.#inside += 1;
  }

  leaveWhen(work: Promise<unknown>, left: () => void): void {
    void work
      .then(left, (error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#inside -= 1;
        this.#changed?.();
      });
  }

  async allLeft(): Promise<void> {
    while (this.#inside > 0 && this.#failure === undefined) await this.#change();
    this.#throwFailure();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
