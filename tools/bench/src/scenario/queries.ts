/**
 * Reads while the hot account is loaded to the brim, beside the same reads without load.
 */
import type { Bench, EmbeddedTarget } from '../bench';
import type { LoadAnswer } from '../load/load-order';
import { mergeHistograms, percentileMs, unpackHistogram, type Histogram } from '../measure/latency';
import { sampleLag } from '../measure/lag';
import { median } from '../measure/median';
import { proveAccount } from '../measure/proof';
import type { Measured } from '../measure/rounds';
import type { FigureName } from '../report/report';
import { ackFigures, lagFigures } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';

const BATCHES_IN_FLIGHT = 8;
/** Of GetAccount, and as many of ListEntries. */
const READS_IN_FLIGHT = 4;
const ENTRIES_PAGE = 50;
/** Something to read before the first round. */
const FIRST_ENTRIES_BATCHES = 20;

interface ReadsMeasured {
  readonly getAccount: Histogram;
  readonly listEntries: Histogram;
  readonly perSecond: number;
}

export const queries: Scenario = {
  run: async (bench) => {
    const target = await bench.startEmbedded('the server');
    await target.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
    await bench.load(target, { ...postings(bench), warmUpMs: 0, windowMs: Number.MAX_SAFE_INTEGER, maximumCalls: FIRST_ENTRIES_BATCHES });
    await target.control.drain();

    const readers = bench.startLoadProcess();
    const read = async (windowMs: number): Promise<ReadsMeasured> => {
      const order = { addresses: [target.server.address], connections: 1, inFlight: READS_IN_FLIGHT, warmUpMs: bench.warmUpMs, windowMs };
      const [getAccount, listEntries] = await Promise.all([
        readers.ask({ ...order, calls: { kind: 'getAccount', accountId: HOT_ACCOUNT } }),
        readers.ask({ ...order, calls: { kind: 'listEntries', accountId: HOT_ACCOUNT, pageSize: ENTRIES_PAGE } }),
      ]);
      for (const { failed, refused, complaint } of [getAccount, listEntries]) {
        if (failed > 0 || refused > 0) bench.complaints.push(`reads: ${failed} failed, ${refused} were wrong; the first: ${complaint}`);
      }
      return readsOf(getAccount, listEntries);
    };

    const loaded: { reads: ReadsMeasured; posted: Measured }[] = [];
    const idle: ReadsMeasured[] = [];
    for (let round = 0; round <= bench.options.rounds; round += 1) {
      // The first round warms both up and does not count.
      bench.progress.step(round === 0 ? 'warming up' : `round ${round} of ${bench.options.rounds}: reads without load`);
      const withoutLoad = await read(bench.windowMs);
      if (round > 0) bench.progress.step(`round ${round} of ${bench.options.rounds}: reads under load`);
      const underLoad = await readUnderLoad(bench, target, read);
      if (round === 0) continue;
      idle.push(withoutLoad);
      loaded.push(underLoad);
    }

    const under = summarize(loaded.map(({ reads }) => reads));
    const without = summarize(idle);
    const posted = loaded.map((round) => round.posted);
    const skipped: Partial<Record<FigureName, string>> = {};
    const peakRssBytes = target.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: median(posted.map(({ perSecond }) => perSecond)),
        ...ackFigures(posted),
        ...lagFigures(posted),
        readyMs: target.server.readyMs,
        peakRssBytes,
        ...(await proveAccount(bench, target, HOT_ACCOUNT)),
      },
      reads: {
        perSecond: under.perSecond,
        p50Ms: under.p50Ms,
        p99Ms: under.p99Ms,
        perSecondWithoutLoad: without.perSecond,
        p99MsWithoutLoad: without.p99Ms,
        ratioP99: under.p99Ms / without.p99Ms,
      },
      skipped,
      tables: [
        {
          head: ['reads', 'reads/s', 'p50 ms', 'p99 ms', 'GetAccount p99 ms', 'ListEntries p99 ms'],
          rows: [
            ['under load', under.perSecond, under.p50Ms, under.p99Ms, under.getAccountP99Ms, under.listEntriesP99Ms],
            ['without load', without.perSecond, without.p50Ms, without.p99Ms, without.getAccountP99Ms, without.listEntriesP99Ms],
          ],
        },
      ],
    };
  },
};

function postings({ options }: Bench) {
  return {
    inFlight: options.inFlight ?? BATCHES_IN_FLIGHT,
    calls: { kind: 'batches', batchSize: options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } },
  } as const;
}

/** Both windows are one: reads and postings start together and last as long. */
async function readUnderLoad(
  bench: Bench,
  target: EmbeddedTarget,
  read: (windowMs: number) => Promise<ReadsMeasured>,
): Promise<{ reads: ReadsMeasured; posted: Measured }> {
  const { warmUpMs, windowMs } = bench;
  const { result, lag } = await sampleLag(target.control, warmUpMs, () =>
    Promise.all([read(windowMs), bench.load(target, { ...postings(bench), warmUpMs, windowMs })]),
  );
  await target.control.drain();
  const [reads, load] = result;
  return { reads, posted: { perSecond: (load.accepted / load.windowMs) * 1_000, latency: unpackHistogram(load.latency), lag } };
}

function readsOf(getAccount: LoadAnswer, listEntries: LoadAnswer): ReadsMeasured {
  const perSecond = [getAccount, listEntries].reduce((sum, { accepted, windowMs }) => sum + (accepted / windowMs) * 1_000, 0);
  return { getAccount: unpackHistogram(getAccount.latency), listEntries: unpackHistogram(listEntries.latency), perSecond };
}

function summarize(rounds: readonly ReadsMeasured[]): Record<'perSecond' | 'p50Ms' | 'p99Ms' | 'getAccountP99Ms' | 'listEntriesP99Ms', number> {
  const getAccount = mergeHistograms(rounds.map((round) => round.getAccount));
  const listEntries = mergeHistograms(rounds.map((round) => round.listEntries));
  const all = mergeHistograms([getAccount, listEntries]);
  const percentile = (histogram: Histogram, which: number): number => percentileMs(histogram, which) ?? Number.NaN;
  return {
    perSecond: median(rounds.map((round) => round.perSecond)),
    p50Ms: percentile(all, 50),
    p99Ms: percentile(all, 99),
    getAccountP99Ms: percentile(getAccount, 99),
    listEntriesP99Ms: percentile(listEntries, 99),
  };
}
