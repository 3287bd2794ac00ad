/**
 * Reads by key that many calls make at once: those of one round of the event loop for the same key share one reading, which begins after all of
 * them were made. Readings are spread over rounds.
 */
import { nextRound } from '@sluice/service';

/** Keys that are read in one round. */
const READS_PER_ROUND = 32;

interface Waiting<State> {
  readonly reading: Promise<State>;
  readonly begin: () => void;
}

export class GatheredReads<Copy, State> {
  /** By copy and key. */
  private waiting = new Map<Copy, Map<string, Waiting<State>>>();
  private count = 0;

  constructor(private readonly read: (copy: Copy, key: string) => Promise<State>) {}

  /** Resolves with what the copy has now or later. */
  now(copy: Copy, key: string): Promise<State> {
    const keys = this.waiting.get(copy) ?? new Map<string, Waiting<State>>();
    this.waiting.set(copy, keys);
    const known = keys.get(key);
    if (known !== undefined) return known.reading;
    let begin = (): void => undefined;
    const reading = new Promise<void>((resolve) => {
      begin = resolve;
    }).then(() => this.read(copy, key));
    keys.set(key, { reading, begin });
    this.count += 1;
    if (this.count === 1) void this.readAll();
    return reading;
  }

  private async readAll(): Promise<void> {
    while (this.count > 0) {
      await nextRound();
      let room = READS_PER_ROUND;
      for (const [copy, keys] of this.waiting) {
        for (const [key, { begin }] of keys) {
          if (room === 0) break;
          room -= 1;
          keys.delete(key);
          this.count -= 1;
          begin();
        }
        if (keys.size === 0) this.waiting.delete(copy);
      }
    }
  }
}
