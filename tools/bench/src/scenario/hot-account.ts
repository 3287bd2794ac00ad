/**
 * One account that everybody posts to: batches of postings, and single ones. Beside it, in the same minutes on the same
 * machine: a bare echo server, and what one would do without this engine.
 */
import type { Bench } from '../bench';
import type { Calls } from '../load/load-order';
import { proveAccount } from '../measure/proof';
import { medianPerSecond, type Rounds, type Side } from '../measure/rounds';
import type { FigureName } from '../report/report';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import type { Scenario, ScenarioResult } from './scenario';

export const HOT_ACCOUNT = 'hot-account';

const BATCHES_IN_FLIGHT = 8;
const SINGLES_IN_FLIGHT = 64;
const NOT_ASKED_FOR = 'not asked for (--compare)';

export const hotAccount: Scenario = {
  run: (bench) => {
    const calls: Calls = { kind: 'batches', batchSize: bench.options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } };
    return run(bench, calls, bench.options.inFlight ?? BATCHES_IN_FLIGHT, true);
  },
};

export const hotAccountUnary: Scenario = {
  run: (bench) => run(bench, { kind: 'singles', account: { kind: 'one', accountId: HOT_ACCOUNT } }, bench.options.inFlight ?? SINGLES_IN_FLIGHT, false),
};

async function run(bench: Bench, calls: Calls, inFlight: number, withRivals: boolean): Promise<ScenarioResult> {
  const { compare } = bench.options;
  const fsync = await bench.probeDisk();
  const target = await bench.startEmbedded('the server');
  await target.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
  const positionToken = await bench.postOnce(target, HOT_ACCOUNT, 'first');

  const skipped: Partial<Record<FigureName, string>> = {};
  const rivals = withRivals ? await findRivals(bench, skipped) : {};
  const rounds = await bench.measure({
    sluice: bench.targetSide('sluice', target, calls, inFlight),
    echo: compare.has('echo') ? bench.echoSide('bare echo server', await bench.startEcho(positionToken), calls, inFlight) : undefined,
    rowLock: rivals.rowLock,
    postgresRowLock: rivals.postgresRowLock,
    postgresBatch: rivals.postgresBatch,
  });
  const sluice = rounds.sluice as Rounds;
  if (rounds.echo === undefined) skipped.echoPerSecond = skipped.ratioToEcho = NOT_ASKED_FOR;

  const peakRssBytes = target.server.peakRssBytes();
  if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
  const proof = await proveAccount(bench, target, HOT_ACCOUNT);
  bench.remarks.push(`${inFlight} calls in flight; a durable write takes ${fsync.toFixed(2)} ms here (4 KiB and fdatasync, median).`);
  return {
    figures: {
      acceptedPerSecond: medianPerSecond(sluice),
      ...ackFigures(sluice),
      ...lagFigures(sluice),
      echoPerSecond: rounds.echo && medianPerSecond(rounds.echo),
      ratioToEcho: ratio(sluice, rounds.echo),
      ratioToRowLock: ratio(sluice, rounds.rowLock),
      ratioToPostgresRowLock: ratio(sluice, rounds.postgresRowLock),
      ratioToPostgresBatch: ratio(sluice, rounds.postgresBatch),
      readyMs: target.server.readyMs,
      peakRssBytes,
      ...proof,
    },
    skipped,
    tables: [
      sidesTable([
        { name: 'sluice', rounds: sluice },
        { name: 'bare echo server', rounds: rounds.echo },
        { name: 'row lock on SQLite', rounds: rounds.rowLock },
        { name: 'row lock on PostgreSQL, 64 clients', rounds: rounds.postgresRowLock },
        { name: 'batches on PostgreSQL', rounds: rounds.postgresBatch },
      ]),
    ],
  };
}

interface Rivals {
  readonly rowLock?: Side;
  readonly postgresRowLock?: Side;
  readonly postgresBatch?: Side;
}

async function findRivals(bench: Bench, skipped: Partial<Record<FigureName, string>>): Promise<Rivals> {
  const { compare } = bench.options;
  const rowLock = compare.has('row-lock') ? bench.rowLockSide() : undefined;
  if (rowLock === undefined) skipped.ratioToRowLock = NOT_ASKED_FOR;
  const postgres = compare.has('postgres') ? await bench.findPostgres() : { missing: NOT_ASKED_FOR };
  if ('missing' in postgres) {
    skipped.ratioToPostgresRowLock = skipped.ratioToPostgresBatch = postgres.missing;
    return { ...(rowLock && { rowLock }) };
  }
  bench.remarks.push(`PostgreSQL ${postgres.version}.`);
  return {
    ...(rowLock && { rowLock }),
    postgresRowLock: bench.postgresSide('rowLock', postgres.url),
    postgresBatch: bench.postgresSide('batch', postgres.url),
  };
}
