/**
 * What happened, line by line, in simulated time. Only the newest lines are kept unless all are wanted; the digest covers every line, so
 * that two runs of one seed can be compared.
 */
import { createHash, type Hash } from 'node:crypto';

const KEPT_LINES = 400;
/** Lines are hashed together: each call of the hash costs more than a line. */
const HASHED_CHARACTERS = 16_384;

export class Trace {
  readonly #lines: string[] = [];
  readonly #hash: Hash = createHash('sha256');
  #unhashed = '';
  #count = 0;

  constructor(
    private readonly nowUs: () => number,
    private readonly everything: boolean,
  ) {}

  note(actor: string, what: string): void {
    const line = `${(this.nowUs() / 1_000_000).toFixed(6).padStart(11)}  ${actor.padEnd(12)} ${what}`;
    this.#unhashed += line;
    if (this.#unhashed.length >= HASHED_CHARACTERS) this.#hashAll();
    this.#count += 1;
    this.#lines.push(line);
    if (!this.everything && this.#lines.length > KEPT_LINES * 2) this.#lines.splice(0, KEPT_LINES);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  get lineCount(): number {
    return this.#count;
  }

  /** 16 hex digits over everything that was noted. */
  digest(): string {
    this.#hashAll();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #hashAll(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }
}
