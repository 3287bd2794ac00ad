/** The end of day as statements on PostgreSQL, one per step, beside a transaction per posting. */
import type { Bench } from '../bench';
import type { PostgresDayFigures } from '../report/report';
import type { PostgresDayAnswer, PostgresDayOrder } from '../rival/postgres-days-order';

export async function comparePostgresDays(bench: Bench, accounts: number): Promise<PostgresDayFigures | { readonly missing: string }> {
  const found = await bench.findPostgres();
  if ('missing' in found) return found;
  bench.remarks.push(`PostgreSQL ${found.version}.`);
  const clients = bench.startWorker<PostgresDayOrder, PostgresDayAnswer>('rival/postgres-days.process');
  bench.progress.step(`${accounts} accounts on PostgreSQL`);
  const { cut, without, endOfDayMs } = await clients.ask({ url: found.url, accounts, warmUpMs: bench.warmUpMs, windowMs: bench.windowMs });
  const perSecond = ({ accepted, windowMs }: PostgresDayAnswer['cut']): number => (accepted / windowMs) * 1_000;
  return {
    acceptedPerSecond: Math.round(perSecond(cut)),
    acceptedPerSecondWithout: Math.round(perSecond(without)),
    throughputRatio: Math.round((perSecond(cut) / perSecond(without)) * 1_000) / 1_000,
    longestMs: Math.round(cut.longestMs),
    longestWithoutMs: Math.round(without.longestMs),
    seconds: endOfDayMs / 1_000,
  };
}
