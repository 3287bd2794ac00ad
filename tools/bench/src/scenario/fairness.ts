/**
 * Single postings to random accounts, alone and beside an account that is flooded: more batches wait for it than its partition's queue holds, and what
 * is refused comes again at once.
 */
import type { Bench, EmbeddedTarget } from '../bench';
import type { LoadAnswer, LoadOrder } from '../load/load-order';
import type { Worker } from '../machine/orders';
import { mergeHistograms, percentileMs, unpackHistogram, type Histogram } from '../measure/latency';
import { median } from '../measure/median';
import { proveAll } from '../measure/proof';
import type { FigureName } from '../report/report';
import { HOT_ACCOUNT } from './hot-account';
import { numberedAccounts } from './many-accounts';
import type { Scenario } from './scenario';

const ACCOUNTS = 10_000;
const NEIGHBOURS_IN_FLIGHT = 8;
/** Together with a full queue's 50,000 commands there are always batches that are refused. */
const FLOODED_COMMANDS = 64_000;
const CONNECTIONS = 2;

interface Round {
  readonly alone: Histogram;
  readonly beside: Histogram;
  readonly floodedPerSecond: number;
  readonly refusedPerSecond: number;
}

export const fairness: Scenario = {
  run: async (bench) => {
    const count = bench.options.accounts ?? ACCOUNTS;
    const target = await bench.startEmbedded('the server');
    await target.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
    await target.control.openAccounts(numberedAccounts(count), (opened) => bench.progress.amount('opening accounts', opened, count));
    await target.control.drain();

    const flooder = bench.startLoadProcess();
    const rounds: Round[] = [];
    for (let round = 0; round <= bench.options.rounds; round += 1) {
      // The first round warms both up and does not count.
      const name = round === 0 ? 'warming up' : `round ${round} of ${bench.options.rounds}`;
      bench.progress.step(`${name}: without the flood`);
      const alone = await neighbours(bench, target, count);
      bench.progress.step(`${name}: beside the flooded account`);
      const [beside, flooded] = await Promise.all([neighbours(bench, target, count), flood(bench, target, flooder)]);
      await target.control.drain();
      if (round > 0) rounds.push({ alone, beside, ...flooded });
    }

    const alone = mergeHistograms(rounds.map((round) => round.alone));
    const beside = mergeHistograms(rounds.map((round) => round.beside));
    const perSecond = (of: (round: Round) => number): number => median(rounds.map(of));
    const figures = {
      aloneP50Ms: percentile(alone, 50),
      aloneP99Ms: percentile(alone, 99),
      besideP50Ms: percentile(beside, 50),
      besideP99Ms: percentile(beside, 99),
      ratioP99: percentile(beside, 99) / percentile(alone, 99),
      floodedPerSecond: perSecond((round) => round.floodedPerSecond),
      refusedPerSecond: perSecond((round) => round.refusedPerSecond),
    };
    if (figures.refusedPerSecond === 0) bench.remarks.push('No posting of the flooded account was refused: its queue was never full.');
    const skipped: Partial<Record<FigureName, string>> = {};
    const peakRssBytes = target.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: figures.floodedPerSecond,
        ackP50Ms: figures.besideP50Ms,
        ackP99Ms: figures.besideP99Ms,
        readyMs: target.server.readyMs,
        peakRssBytes,
        ...(await proveAll(bench, target)),
      },
      fairness: figures,
      skipped,
      tables: [
        {
          head: ['single postings to random accounts', 'p50 ms', 'p99 ms', 'flooded account: accepted/s', 'refused/s'],
          rows: [
            ['without the flood', figures.aloneP50Ms, figures.aloneP99Ms, undefined, undefined],
            ['beside the flooded account', figures.besideP50Ms, figures.besideP99Ms, figures.floodedPerSecond, figures.refusedPerSecond],
          ],
        },
      ],
    };
  },
};

async function neighbours(bench: Bench, target: EmbeddedTarget, count: number): Promise<Histogram> {
  const { latency } = await bench.load(target, {
    calls: { kind: 'singles', account: { kind: 'random', count } },
    inFlight: bench.options.inFlight ?? NEIGHBOURS_IN_FLIGHT,
    warmUpMs: bench.warmUpMs,
    windowMs: bench.windowMs,
  });
  return unpackHistogram(latency);
}

/** Its refusals are what is asked for; a call that fails is none of them. */
async function flood(
  bench: Bench,
  target: EmbeddedTarget,
  flooder: Worker<LoadOrder, LoadAnswer>,
): Promise<Pick<Round, 'floodedPerSecond' | 'refusedPerSecond'>> {
  const { batchSize } = bench.options;
  const { accepted, acknowledged, refused, failed, complaint, windowMs } = await flooder.ask({
    addresses: target.addresses,
    connections: CONNECTIONS,
    inFlight: Math.ceil(FLOODED_COMMANDS / batchSize),
    warmUpMs: bench.warmUpMs,
    windowMs: bench.windowMs,
    calls: { kind: 'batches', batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } },
  });
  target.acknowledged += acknowledged;
  if (failed > 0 || complaint?.includes('QUEUE_FULL') === false) bench.complaints.push(`the flooded account: ${failed} calls failed; the first: ${complaint}`);
  return { floodedPerSecond: (accepted / windowMs) * 1_000, refusedPerSecond: (refused / (windowMs + bench.warmUpMs)) * 1_000 };
}

function percentile(histogram: Histogram, which: number): number {
  return percentileMs(histogram, which) ?? Number.NaN;
}
