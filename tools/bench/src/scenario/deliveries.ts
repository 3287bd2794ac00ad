/**
 * Deliveries between two hot aggregates of different partitions, in both directions: from the commit that owes them until their verdicts are recorded, on the
 * SQLite log. Then what a million of them take in memory while their target is away, and how fast they go when it is back.
 */
import type { ExchangeAnswer, ExchangeOrder, OutstandingAnswer, OutstandingOrder } from '../exchange/exchange-order';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { Scenario } from './scenario';

const OUTSTANDING = 1_000_000;
const MEBIBYTE = 1 << 20;

export const deliveries: Scenario = {
  run: async (bench) => {
    const process = bench.startWorker<ExchangeOrder | OutstandingOrder, ExchangeAnswer | OutstandingAnswer>('exchange/exchange.process');
    const folder = bench.scratch.folder('exchange');
    let proof = { owed: 0, applied: 0, told: 0 };
    const rounds = await bench.measure({
      exchange: {
        name: 'two hot aggregates',
        warmsUp: true,
        measure: async (windowMs) => {
          const answer = await process.ask({ folder, warmUpMs: bench.warmUpMs, windowMs });
          if (answer.kind !== 'exchanged') throw new Error('another answer was expected');
          proof = answer;
          return { perSecond: (answer.settled / answer.windowMs) * 1_000 };
        },
      },
    });
    bench.progress.step('a target that is away');
    const outstanding = bench.options.accounts ?? OUTSTANDING;
    const away = await process.ask({ folder: bench.scratch.folder('outstanding'), outstanding });
    if (away.kind !== 'outstanding') throw new Error('another answer was expected');
    const measured = rounds.exchange as Rounds;
    const whole = proof.owed === proof.applied && proof.owed === proof.told && away.applied >= outstanding;
    if (!whole) bench.complaints.push(`${proof.owed} were owed, ${proof.applied} applied, ${proof.told} settled; of those outstanding ${away.applied} applied`);
    return {
      figures: { acceptedPerSecond: medianPerSecond(measured), acknowledged: proof.owed, logged: proof.applied, projected: proof.told, verified: whole },
      skipped: {},
      tables: [
        {
          head: ['', 'settled/s', 'least', 'most'],
          rows: [
            ['two hot aggregates, both directions', medianPerSecond(measured), ...extremes(measured)],
            [`${outstanding} outstanding, target back`, away.drainedPerSecond],
          ],
        },
        { head: [`${outstanding} outstanding`, 'MiB'], rows: [['in memory', Math.round(away.heapBytes / MEBIBYTE)]] },
      ],
    };
  },
};

function extremes(rounds: Rounds): [number, number] {
  const perSecond = rounds.map((round) => round.perSecond);
  return [Math.min(...perSecond), Math.max(...perSecond)];
}
