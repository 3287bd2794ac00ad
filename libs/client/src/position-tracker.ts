/**
 * Read your writes: the position that covers every reply that this client has had, for its queries to carry.
 *
 * Tokens are drawn together only when a query asks, or when many have gathered, so that the hot path pays a push.
 */
import { decodePositionToken, encodePositionToken, mergePositions, PositionOfOtherLogError } from '@sluice/protocol';

const MAXIMUM_GATHERED_TOKENS = 256;

export class PositionTracker {
  #covered = '';
  #gathered: string[] = [];

  add(positionToken: string): void {
    if (positionToken === '' || positionToken === this.#gathered.at(-1)) return;
    this.#gathered.push(positionToken);
    if (this.#gathered.length >= MAXIMUM_GATHERED_TOKENS) this.#drawTogether();
  }

  /** Covers every reply so far; empty: there was none. */
  get token(): string {
    if (this.#gathered.length > 0) this.#drawTogether();
    return this.#covered;
  }

  /** The log was restored or replaced: what was written before is no longer waited for. */
  forget(): void {
    this.#covered = '';
    this.#gathered = [];
  }

  #drawTogether(): void {
    const [first, ...others] = this.#covered === '' ? this.#gathered : [this.#covered, ...this.#gathered];
    this.#gathered = [];
    if (first === undefined) return;
    let position = decodePositionToken(first);
    for (const token of others) {
      const next = decodePositionToken(token);
      try {
        position = mergePositions(position, next);
      } catch (error) {
        if (!(error instanceof PositionOfOtherLogError)) throw error;
        position = next;
      }
    }
    this.#covered = encodePositionToken(position);
  }
}
