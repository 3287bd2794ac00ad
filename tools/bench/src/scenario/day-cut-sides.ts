/** The same load with an end of day and without: the whole end of day lies within what is measured, and without it as long is measured. */
import type { Bench, Target } from '../bench';
import type { Calls, LoadAnswer } from '../load/load-order';
import { mergeHistograms, unpackHistogram } from '../measure/latency';
import { sampleLag } from '../measure/lag';
import type { Measured, Side } from '../measure/rounds';

export interface DayCutLoad {
  readonly name: string;
  readonly target: Target;
  readonly calls: Calls;
  readonly inFlight: number;
  /** Begins an end of day; resolves when it has ended. */
  readonly endOfDay: () => Promise<unknown>;
}

export class DayCutSides {
  private windows = 1;
  private refused = 0;

  constructor(
    private readonly bench: Bench,
    private readonly load: DayCutLoad,
  ) {}

  /** Postings that were refused while days were cut. */
  get rejected(): number {
    return this.refused;
  }

  /** Window after window until the end of day has ended. Not warmed up: that would cut a day, too. */
  get cut(): Side {
    return {
      name: `${this.load.name}, with an end of day`,
      warmsUp: false,
      measure: async (windowMs) => {
        await this.loadFor(this.bench.warmUpMs);
        let isOver = false;
        const ending = this.load.endOfDay().finally(() => {
          isOver = true;
        });
        // Its failure is thrown below.
        ending.catch(() => undefined);
        const answers: LoadAnswer[] = [];
        do answers.push(await this.loadFor(windowMs));
        while (!isOver);
        await ending;
        this.windows = answers.length;
        this.refused += answers.reduce((sum, { refused }) => sum + refused, 0);
        await this.load.target.control.drain();
        return measuredBy(answers);
      },
    };
  }

  /** As many windows as the last end of day took. */
  get without(): Side {
    return {
      name: this.load.name,
      warmsUp: true,
      measure: async (windowMs) => {
        await this.loadFor(this.bench.warmUpMs);
        const { result, lag } = await sampleLag(this.load.target.control, 0, async () => {
          const answers: LoadAnswer[] = [];
          while (answers.length < this.windows) answers.push(await this.loadFor(windowMs));
          return answers;
        });
        await this.load.target.control.drain();
        return { ...measuredBy(result), lag };
      },
    };
  }

  private loadFor(windowMs: number): Promise<LoadAnswer> {
    const { target, calls, inFlight } = this.load;
    return this.bench.load(target, { calls, inFlight, warmUpMs: 0, windowMs });
  }
}

function measuredBy(answers: readonly LoadAnswer[]): Measured {
  const accepted = answers.reduce((sum, answer) => sum + answer.accepted, 0);
  const measuredMs = answers.reduce((sum, answer) => sum + answer.windowMs, 0);
  return { perSecond: (accepted / measuredMs) * 1_000, latency: mergeHistograms(answers.map(({ latency }) => unpackHistogram(latency))) };
}
