/**
 * When to write. A flush costs per row, not per posting, so waiting a little and writing once is cheaper than writing at
 * once; but nobody wants to wait. So the flushes that share a pacer take turns, and after each there is a rest in proportion
 * to what it took: short flushes (one hot account) follow each other within milliseconds, long ones (a hundred thousand
 * accounts) let more commits come together. Who is late, or has too much waiting, does not rest.
 */
import type { Clock } from '@sluice/ports';

/** Rest after a flush, as a multiple of the time it took: at most a third of the time is spent writing. */
const REST_PER_FLUSH = 2;
/** The longest rest. */
const MAXIMUM_REST_MS = 500;
/** Commits older than that are written without a rest. */
const LATE_US = 1_000_000;

export interface PacedFlush {
  /** Commit time of the oldest commit that waits. */
  readonly oldestUs: () => number;
  /** So much waits that resting would only cost memory. */
  readonly urgent: () => boolean;
}

export class FlushPacer {
  private turn: Promise<void> = Promise.resolve();
  private restUntilUs = 0;
  private wakeResting: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** Runs the flush when it is its turn and the rest is over. */
  async run<Result>(paced: PacedFlush, flush: () => Promise<Result>): Promise<Result> {
    const before = this.turn;
    let release = (): void => undefined;
    this.turn = new Promise((resolve) => {
      release = resolve;
    });
    try {
      await before;
      await this.rest(paced);
      const startUs = this.clock.nowUs();
      try {
        return await flush();
      } finally {
        const endUs = this.clock.nowUs();
        this.restUntilUs = endUs + Math.min((endUs - startUs) * REST_PER_FLUSH, MAXIMUM_REST_MS * 1_000);
      }
    } finally {
      release();
    }
  }

  /** Whoever rests looks again whether it is urgent, or over, by now. */
  hurry(): void {
    this.wakeResting?.();
  }

  private async rest(paced: PacedFlush): Promise<void> {
    for (;;) {
      const nowUs = this.clock.nowUs();
      if (nowUs >= this.restUntilUs || paced.urgent() || nowUs - paced.oldestUs() > LATE_US) return;
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after((this.restUntilUs - nowUs) / 1_000, resolve);
        this.wakeResting = () => {
          cancel();
          resolve();
        };
      });
      this.wakeResting = undefined;
    }
  }
}
