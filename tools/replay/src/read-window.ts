/** Bounds how many promises are under way, however many callers enter at once; the first that rejects ends the whole, for every caller that enters or waits. */
export class ReadWindow {
  readonly #capacity: number;
  #inside = 0;
  #failure: { readonly error: unknown } | undefined;
  #waiting: (() => void)[] = [];

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
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const look of waiting) look();
      });
  }

  async allLeft(): Promise<void> {
    while (this.#inside > 0 && this.#failure === undefined) await this.#change();
    this.#throwFailure();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
