/** From what was measured to what is reported: the same way in every scenario. */
import type { Cell } from '@sluice/terminal';
import { lagPercentileMs, lagSlopeMsPerS } from '../measure/lag';
import { mergeHistograms, percentileMs } from '../measure/latency';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { Table } from './scenario';

export function ackFigures(rounds: Rounds): { ackP50Ms: number | undefined; ackP99Ms: number | undefined } {
  const latency = mergeHistograms(rounds.flatMap((round) => round.latency ?? []));
  return { ackP50Ms: percentileMs(latency, 50), ackP99Ms: percentileMs(latency, 99) };
}

export function lagFigures(rounds: Rounds): { lagP50Ms: number | undefined; lagP99Ms: number | undefined; lagSlopeMsPerS: number | undefined } {
  const lags = rounds.flatMap((round) => (round.lag === undefined ? [] : [round.lag]));
  return { lagP50Ms: lagPercentileMs(lags, 50), lagP99Ms: lagPercentileMs(lags, 99), lagSlopeMsPerS: lagSlopeMsPerS(lags) };
}

export function ratio(rounds: Rounds | undefined, others: Rounds | undefined): number | undefined {
  if (rounds === undefined || others === undefined) return undefined;
  const other = medianPerSecond(others);
  return other === 0 ? undefined : medianPerSecond(rounds) / other;
}

/** One row for each side: its median, its rounds, how the first side compares with it, its latencies. */
export function sidesTable(sides: readonly { readonly name: string; readonly rounds: Rounds | undefined }[]): Table {
  const [first] = sides;
  const measured = sides.flatMap(({ name, rounds }) => (rounds === undefined ? [] : [{ name, rounds }]));
  const rows = measured.map(({ name, rounds }): Cell[] => {
    const { ackP50Ms, ackP99Ms } = ackFigures(rounds);
    const perSecond = rounds.map((round) => round.perSecond);
    return [
      name,
      medianPerSecond(rounds),
      Math.min(...perSecond),
      Math.max(...perSecond),
      rounds === first?.rounds ? undefined : ratio(first?.rounds, rounds),
      ackP50Ms,
      ackP99Ms,
    ];
  });
  return { head: ['side', 'median/s', 'lowest', 'highest', 'first ÷ it', 'p50 ms', 'p99 ms'], rows };
}
