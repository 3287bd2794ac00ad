/** What is owed to another partition when it is acknowledged, measured until nothing is under way any more: settled per second. */
import type { Bench, Target } from '../bench';
import type { Calls } from '../load/load-order';
import { sampleLag } from '../measure/lag';
import { unpackHistogram } from '../measure/latency';
import type { Side } from '../measure/rounds';

export interface SettledLoad {
  readonly name: string;
  readonly target: Target;
  readonly calls: Calls;
  readonly inFlight: number;
  /** Told how many were settled. */
  readonly settled: (count: number) => void;
}

export function settledSide(bench: Bench, { name, target, calls, inFlight, settled }: SettledLoad): Side {
  return {
    name,
    warmsUp: true,
    measure: async (windowMs) => {
      const startedAt = performance.now();
      const { result, lag } = await sampleLag(target.control, bench.warmUpMs, () => bench.load(target, { calls, inFlight, warmUpMs: 0, windowMs }));
      const settledMs = (await target.control.quiet()) - startedAt;
      settled(result.acknowledged);
      await target.control.drain();
      return { perSecond: (result.acknowledged / settledMs) * 1_000, latency: unpackHistogram(result.latency), lag };
    },
  };
}
