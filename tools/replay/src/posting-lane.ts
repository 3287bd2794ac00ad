/**
 * A share of the accounts, whose rows travel one batch after another: the rows of an account keep their order, however many
 * of them stand in one batch, because the next batch leaves only when every row of the last one has its answer. A few lanes
 * side by side keep a server busy while one of them waits.
 */
export class PostingLane<Row> {
  readonly #capacity: number;
  readonly #send: (rows: readonly Row[]) => Promise<void>;
  #gathered: Row[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(capacity: number, send: (rows: readonly Row[]) => Promise<void>) {
    this.#capacity = capacity;
    this.#send = send;
  }

  /** Resolves when another row may come; rejects when a batch has failed. */
  async add(row: Row): Promise<void> {
    this.#gathered.push(row);
    if (this.#gathered.length >= this.#capacity) await this.#leave();
  }

  /** Resolves when every row has its answer. */
  async end(): Promise<void> {
    await this.#leave();
    await this.#sending;
  }

  async #leave(): Promise<void> {
    await this.#sending;
    const rows = this.#gathered;
    this.#gathered = [];
    this.#sending = this.#send(rows);
    // Whoever adds next hears of a failure; until then nobody waits for it.
    this.#sending.catch(() => undefined);
  }
}
