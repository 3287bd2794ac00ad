/**
 * When to write. A flush costs per row, not per posting, so waiting a little and writing once is cheaper than writing at
 * once; but nobody wants to wait. So the flushes that share a pacer take turns, and after each there is a rest in proportion
 * to what it took: short flushes (one hot account) follow each other within milliseconds, long ones (a hundred thousand
 * accounts) let more commits come together. Who has too much waiting does not rest.
 */
import type { Clock } from '@sluice/ports';

/**
 * Rest after a flush, as a multiple of the time it took, by how old the oldest commit is that waits. In time: a third of the
 * time is spent writing. Late: waiting longer still makes flushes cheaper per posting, and the thread that takes commands
 * needs the machine too. Only who is very late writes without a rest.
 */
const RESTS = [
  { untilUs: 1_000_000, perFlush: 2 },
  { untilUs: 10_000_000, perFlush: 1 },
  { untilUs: 30_000_000, perFlush: 0.5 },
] as const;
/** The shortest rest: a flush of one posting costs a transaction, too, and a stream of single postings would cause one for each. */
const MINIMUM_REST_US = 5_000;
/** The longest rest. */
const MAXIMUM_REST_US = 1_000_000;

export interface PacedFlush {
  /** Commit time of the oldest commit that waits. */
  readonly oldestUs: () => number;
  /** So much waits that resting would only cost memory. */
  readonly urgent: () => boolean;
}

export class FlushPacer {
  private turn: Promise<void> = Promise.resolve();
  private lastEndUs = 0;
  private lastTookUs = 0;
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
        this.lastEndUs = this.clock.nowUs();
        this.lastTookUs = this.lastEndUs - startUs;
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
      const leftUs = this.lastEndUs + this.restUs(nowUs - paced.oldestUs()) - nowUs;
      if (leftUs <= 0 || paced.urgent()) return;
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after(leftUs / 1_000, resolve);
        this.wakeResting = () => {
          cancel();
          resolve();
        };
      });
      this.wakeResting = undefined;
    }
  }

  private restUs(ageUs: number): number {
    const perFlush = RESTS.find(({ untilUs }) => ageUs < untilUs)?.perFlush;
    return perFlush === undefined ? 0 : Math.min(Math.max(this.lastTookUs * perFlush, MINIMUM_REST_US), MAXIMUM_REST_US);
  }
}
