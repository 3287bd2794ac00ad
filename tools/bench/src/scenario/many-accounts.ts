/**
 * The same batches spread at random over 100,000 accounts and all partitions: how much of the hot account's speed comes
 * from its being one.
 */
import type { Calls } from '../load/load-order';
import { numberedAccountId } from '../load/load-order';
import { proveAll } from '../measure/proof';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { FigureName } from '../report/report';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';

const ACCOUNTS = 100_000;
const BATCHES_IN_FLIGHT = 8;

export const manyAccounts: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const count = options.accounts ?? ACCOUNTS;
    const inFlight = options.inFlight ?? BATCHES_IN_FLIGHT;
    const many: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'random', count } };
    const hot: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } };

    const target = await bench.startEmbedded('the server');
    await target.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
    await target.control.openAccounts(numberedAccounts(count), (opened) => bench.progress.amount('opening accounts', opened, count));
    const positionToken = await bench.postOnce(target, HOT_ACCOUNT, 'first');
    await target.control.drain();

    const skipped: Partial<Record<FigureName, string>> = {};
    const rounds = await bench.measure({
      many: bench.targetSide(`${count} accounts`, target, many, inFlight),
      hot: bench.targetSide('hot account', target, hot, inFlight),
      echo: options.compare.has('echo') ? bench.echoSide('bare echo server', await bench.startEcho(positionToken), many, inFlight) : undefined,
    });
    const measured = rounds.many as Rounds;
    if (rounds.echo === undefined) skipped.echoPerSecond = skipped.ratioToEcho = 'not asked for (--compare)';
    const peakRssBytes = target.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(measured),
        ...ackFigures(measured),
        ...lagFigures(measured),
        echoPerSecond: rounds.echo && medianPerSecond(rounds.echo),
        ratioToEcho: ratio(measured, rounds.echo),
        ratioToHotAccount: ratio(measured, rounds.hot),
        readyMs: target.server.readyMs,
        peakRssBytes,
        ...(await proveAll(bench, target)),
      },
      skipped,
      tables: [
        sidesTable([
          { name: `${count} accounts`, rounds: measured },
          { name: 'hot account', rounds: rounds.hot },
          { name: 'bare echo server', rounds: rounds.echo },
        ]),
      ],
    };
  },
};

export function* numberedAccounts(count: number): Iterable<{ accountId: string }> {
  for (let index = 0; index < count; index += 1) yield { accountId: numberedAccountId(index) };
}
