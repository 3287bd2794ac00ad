/** What happens now: one line that is written over on a terminal, a line for each step elsewhere. Always on stderr. */
export class Progress {
  readonly #terminal = process.stderr.isTTY === true;
  #shown = 0;

  step(text: string): void {
    if (!this.#terminal) {
      process.stderr.write(`${text}\n`);
      return;
    }
    const clipped = text.slice(0, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r${clipped.padEnd(this.#shown)}`);
    this.#shown = clipped.length;
  }

  /** How far a long step is; shown on a terminal only. */
  amount(text: string, done: number, total: number): void {
    if (this.#terminal) this.step(`${text}: ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')}`);
  }

  /** What changes all the time; shown on a terminal only. */
  status(text: string): void {
    if (this.#terminal) this.step(text);
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
  }

  clear(): void {
    if (!this.#terminal || this.#shown === 0) return;
    process.stderr.write(`\r${' '.repeat(this.#shown)}\r`);
    this.#shown = 0;
  }
}
