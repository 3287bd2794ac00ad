/**
 * Transfers between two hot accounts of different partitions, and between 100,000 accounts at random, beside postings to one hot account of the same server
 * and beside transactions that change two rows.
 *
 * A transfer to another partition is acknowledged when its debit is durable. What counts here is how many were settled: the time goes on until nothing is
 * under way any more.
 */
import { partitionOfKey } from '@sluice/domain';
import type { Bench, EmbeddedTarget } from '../bench';
import { numberedAccountId, type Calls, type TransferChoice } from '../load/load-order';
import { proveAll } from '../measure/proof';
import { medianPerSecond, type Rounds, type Side } from '../measure/rounds';
import type { FigureName } from '../report/report';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';
import { settledSide } from './settled-side';

const ACCOUNTS = 100_000;
const BATCHES_IN_FLIGHT = 8;
/** As an embedded server has by default. */
const PARTITIONS = 4;
/** No transfer is refused for want of funds. */
const OVERDRAFT_MINOR = 1n << 60n;
const NOT_ASKED_FOR = 'not asked for (--compare)';

export const transfers: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const count = options.accounts ?? ACCOUNTS;
    const inFlight = options.inFlight ?? BATCHES_IN_FLIGHT;
    const hot: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } };
    const pair = accountsOfTwoPartitions();

    const target = await bench.startEmbedded('the server');
    await target.control.openAccounts([HOT_ACCOUNT, ...pair].map((accountId) => ({ accountId, overdraftMinor: OVERDRAFT_MINOR })));
    await target.control.openAccounts(overdrawable(count), (opened) => bench.progress.amount('opening accounts', opened, count));
    await bench.postOnce(target, HOT_ACCOUNT, 'first');
    await target.control.drain();

    const skipped: Partial<Record<FigureName, string>> = {};
    const postgres = options.compare.has('postgres') ? await bench.findPostgres() : { missing: NOT_ASKED_FOR };
    if ('missing' in postgres) skipped.ratioToPostgresRowLock = postgres.missing;
    else bench.remarks.push(`PostgreSQL ${postgres.version}.`);
    const rounds = await bench.measure({
      pair: transferSide(bench, 'two hot accounts', target, { kind: 'pair', accountIds: pair }, inFlight),
      random: transferSide(bench, `${count} accounts`, target, { kind: 'random', count }, inFlight),
      hot: bench.targetSide('postings to one account', target, hot, inFlight),
      postgresPair: 'missing' in postgres ? undefined : bench.postgresSide('twoRows', postgres.url),
      postgresRandom: 'missing' in postgres ? undefined : bench.postgresSide('twoRowsOfMany', postgres.url),
    });
    const measured = rounds.pair as Rounds;
    const peakRssBytes = target.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    const proof = await proveAll(bench, target);
    const pending = await target.control.pendingTransfers();
    if (pending > 0) bench.complaints.push(`${pending} transfers or more are pending although nothing is under way`);
    bench.remarks.push(`${count} accounts at random: ${ratio(rounds.random, rounds.hot)?.toFixed(2)} of the hot account.`);
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(measured),
        ...ackFigures(measured),
        ...lagFigures(measured),
        ratioToHotAccount: ratio(measured, rounds.hot),
        ratioToPostgresRowLock: ratio(measured, rounds.postgresPair),
        readyMs: target.server.readyMs,
        peakRssBytes,
        ...proof,
        verified: proof.verified && pending === 0,
      },
      skipped,
      tables: [
        sidesTable([
          { name: 'transfers between two hot accounts', rounds: measured },
          { name: `transfers between ${count} accounts`, rounds: rounds.random },
          { name: 'postings to one account', rounds: rounds.hot },
          { name: 'two rows on PostgreSQL, two hot accounts', rounds: rounds.postgresPair },
          { name: 'two rows on PostgreSQL, 100,000 accounts', rounds: rounds.postgresRandom },
        ]),
      ],
    };
  },
};

/** Settled transfers per second: from the first request until nothing is under way. */
function transferSide(bench: Bench, name: string, target: EmbeddedTarget, between: TransferChoice, inFlight: number): Side {
  const calls: Calls = { kind: 'transferBatches', batchSize: bench.options.batchSize, between };
  // The credit of each is an entry, too.
  const settled = (count: number): void => void (target.acknowledged += count);
  return settledSide(bench, { name, target, calls, inFlight, settled });
}

function accountsOfTwoPartitions(): [string, string] {
  const partitionOf = (accountId: string): number => partitionOfKey(Buffer.from(accountId, 'utf8'), PARTITIONS);
  const names = Array.from({ length: 100 }, (_, index) => `transfer-hot-${String(index).padStart(2, '0')}`);
  const [first] = names as [string];
  const second = names.find((name) => partitionOf(name) !== partitionOf(first));
  if (second === undefined) throw new Error('all names are of one partition');
  return [first, second];
}

function* overdrawable(count: number): Iterable<{ accountId: string; overdraftMinor: bigint }> {
  for (let index = 0; index < count; index += 1) yield { accountId: numberedAccountId(index), overdraftMinor: OVERDRAFT_MINOR };
}
