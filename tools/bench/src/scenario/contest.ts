/**
 * One hot contest that everybody scores in: batches of scores, and of gifts, beside postings to one hot account of the same server; its standings read
 * beside the scores, and watched by a thousand callers. Beside it what one would do on Redis and on PostgreSQL. Then how long the end of a contest takes.
 */
import { SluiceClient } from '@sluice/client';
import type { Bench, EmbeddedTarget } from '../bench';
import type { Worker } from '../machine/orders';
import { numberedAccountId, type Calls, type LoadAnswer, type LoadOrder } from '../load/load-order';
import { sampleLag } from '../measure/lag';
import { mergeHistograms, unpackHistogram, type Histogram } from '../measure/latency';
import { proveAll, type Proof, sumOfProofs } from '../measure/proof';
import { medianPerSecond, type Measured, type Rounds, type Side } from '../measure/rounds';
import type { ContestFigures, FigureName } from '../report/report';
import { findRedis } from '../rival/redis-server';
import type { WatchAnswer, WatchOrder } from '../watch/watch-order';
import { measureContestEnd } from './contest-end';
import { aimsTable, readFigures, type Reads, type RivalSides, seenFigures, speedFigures } from './contest-figures';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';
import { settledSide } from './settled-side';

const CONTEST = 'hot-contest';
/** The member whose points are watched. */
const WATCHED = 'watched';
const MEMBERS = 10_000;
const BATCHES_IN_FLIGHT = 8;
const PAGE_SIZE = 10;
/** No gift is refused for want of funds. */
const OVERDRAFT_MINOR = 1n << 60n;
const RECONCILE_WAIT_MS = 60_000;
const NOT_ASKED_FOR = 'not asked for (--compare)';

/** What the sides share. */
interface Surroundings {
  readonly bench: Bench;
  readonly members: number;
  readonly inFlight: number;
  /** Counts postings and gifts: each is an entry of an account. */
  readonly accounts: EmbeddedTarget;
  /** The same server; counts scores. */
  readonly contest: EmbeddedTarget;
  readonly scoreCalls: Calls;
}

export const contest: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const members = options.accounts ?? MEMBERS;
    const inFlight = options.inFlight ?? BATCHES_IN_FLIGHT;
    const accounts = await bench.startEmbedded('the server');
    const around: Surroundings = {
      bench,
      members,
      inFlight,
      accounts,
      contest: { ...accounts, name: 'the contest', acknowledged: 0 },
      scoreCalls: { kind: 'scoreBatches', batchSize: options.batchSize, contestId: CONTEST, members },
    };
    const client = new SluiceClient({ target: accounts.server.address, deadlineMs: 60_000 });
    bench.scratch.defer(() => client.close());
    await begin(around, client);

    const reads: Reads[] = [];
    const seen: Histogram[] = [];
    const { sides, missing } = await rivalSides(bench, members);
    const hot: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } };
    const rounds = await bench.measure({
      scores: bench.targetSide('scores', around.contest, around.scoreCalls, inFlight),
      hot: bench.targetSide('postings to one account', accounts, hot, inFlight),
      gifts: giftSide(around),
      read: readSide(around, (measured) => reads.push(measured)),
      watched: watchedSide(around, (measured) => seen.push(measured)),
      ...sides,
    });
    const scores = rounds.scores as Rounds;
    const peakRssBytes = accounts.server.peakRssBytes();
    const skipped: Partial<Record<FigureName, string>> = {};
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    const proof = await prove(around, client);
    await accounts.server.stop();
    const end = await measureContestEnd(bench, members);

    const figures: ContestFigures = {
      members,
      ...speedFigures(rounds),
      // What was measured before the rounds was to warm up.
      ...readFigures(reads.slice(-options.rounds)),
      watchers: options.watchers,
      ...seenFigures(seen.slice(-options.rounds)),
      missing,
      end: end.figures,
    };
    for (const [name, reason] of Object.entries(missing)) if (reason !== NOT_ASKED_FOR) bench.remarks.push(`${name} was not measured: ${reason}`);
    const proofs = sumOfProofs([proof, end.proof]);
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(scores),
        ...ackFigures(scores),
        ...lagFigures(scores),
        ratioToHotAccount: ratio(scores, rounds.hot),
        readyMs: accounts.server.readyMs,
        peakRssBytes,
        ...proofs,
        verified: proofs.verified && bench.complaints.length === 0,
      },
      contest: figures,
      skipped,
      tables: [
        sidesTable([
          { name: 'scores', rounds: scores },
          { name: 'postings to one account', rounds: rounds.hot },
          { name: 'gifts, settled', rounds: rounds.gifts },
          { name: 'scores, standings read beside', rounds: rounds.read },
          { name: `scores, ${options.watchers} watchers`, rounds: rounds.watched },
          { name: 'a ZINCRBY per score on Redis, appendfsync everysec', rounds: rounds.redisEverySec },
          { name: 'a ZINCRBY per score on Redis, appendfsync always', rounds: rounds.redisAlways },
          { name: 'an UPDATE per score on PostgreSQL', rounds: rounds.postgres },
        ]),
        aimsTable(figures),
      ],
    };
  },
};

/** Half of the members are of either side. They are givers, too. */
async function begin({ bench, members, accounts, contest: scored }: Surroundings, client: SluiceClient): Promise<void> {
  const names = Array.from({ length: members }, (_, index) => numberedAccountId(index));
  await accounts.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
  await accounts.control.openAccounts(
    names.map((accountId) => ({ accountId, overdraftMinor: OVERDRAFT_MINOR })),
    (opened) => bench.progress.amount('opening accounts', opened, members),
  );
  const half = Math.ceil(members / 2);
  const sides = [
    { sideId: 'red', accountIds: [...names.slice(0, half), WATCHED] },
    { sideId: 'blue', accountIds: names.slice(half) },
  ];
  await client.contests.create({ contestId: CONTEST, sides, rules: { reconcileWaitMs: RECONCILE_WAIT_MS } });
  await client.contests.start(CONTEST);
  await client.contests.score({ contestId: CONTEST, accountId: WATCHED, points: 1 });
  scored.acknowledged += 1;
  await accounts.control.drain();
}

function giftSide({ bench, members, inFlight, accounts, contest: scored }: Surroundings): Side {
  const calls: Calls = { kind: 'giftBatches', batchSize: bench.options.batchSize, contestId: CONTEST, members, givers: members };
  const settled = (count: number): void => void (scored.acknowledged += count);
  return settledSide(bench, { name: 'gifts', target: accounts, calls, inFlight, settled });
}

/** Scores, and reads of the standings one after the other: from the first member on, and around one. */
function readSide(around: Surroundings, told: (reads: Reads) => void): Side {
  const { bench, accounts, members } = around;
  const readers = bench.startLoadProcess();
  return {
    name: 'scores and reads of the standings',
    warmsUp: true,
    measure: (windowMs) =>
      scoresBeside(around, windowMs, async () => {
        const order = { addresses: accounts.addresses, connections: 1, inFlight: 1, warmUpMs: bench.warmUpMs, windowMs };
        const read = { kind: 'getStandings', contestId: CONTEST, pageSize: PAGE_SIZE } as const;
        const answers = await Promise.all([
          readOnce(bench, readers, { ...order, calls: { ...read, accountId: '' } }),
          readOnce(bench, readers, { ...order, calls: { ...read, accountId: numberedAccountId(members >> 1) } }),
        ]);
        told({
          latency: mergeHistograms(answers.map(({ latency }) => unpackHistogram(latency))),
          perSecond: answers.reduce((sum, { accepted, windowMs: measuredMs }) => sum + (accepted / measuredMs) * 1_000, 0),
        });
      }),
  };
}

async function readOnce(bench: Bench, readers: Worker<LoadOrder, LoadAnswer>, order: LoadOrder): Promise<LoadAnswer> {
  const answer = await readers.ask(order);
  const { failed, refused, complaint } = answer;
  if (failed > 0 || refused > 0) bench.complaints.push(`reads of the standings: ${failed} failed, ${refused} were wrong; the first: ${complaint}`);
  return answer;
}

function watchedSide(around: Surroundings, told: (latency: Histogram) => void): Side {
  const { bench, accounts, contest: scored } = around;
  const audience = bench.startWorker<WatchOrder, WatchAnswer>('watch/watchers.process');
  return {
    name: `scores and ${bench.options.watchers} watchers`,
    warmsUp: true,
    measure: async (windowMs) => {
      const watch = { address: accounts.server.address, contestId: CONTEST, accountId: WATCHED, watchers: bench.options.watchers };
      await audience.ask({ kind: 'open', ...watch });
      const measured = await scoresBeside(around, windowMs, async () => {
        const { acknowledged, latency, unseen, complaint } = await audience.ask({ kind: 'score', warmUpMs: bench.warmUpMs, windowMs });
        scored.acknowledged += acknowledged;
        if (unseen > 0 || complaint !== undefined) bench.complaints.push(`watchers: ${unseen} scores were not seen in time; ${complaint ?? 'no watch ended'}`);
        told(unpackHistogram(latency));
      });
      await audience.ask({ kind: 'close' });
      return measured;
    },
  };
}

/** Scores to the brim, and something beside them that starts together and lasts as long. */
async function scoresBeside({ bench, contest: scored, scoreCalls, inFlight }: Surroundings, windowMs: number, beside: () => Promise<void>): Promise<Measured> {
  const { warmUpMs } = bench;
  const { result, lag } = await sampleLag(scored.control, warmUpMs, () =>
    Promise.all([bench.load(scored, { calls: scoreCalls, inFlight, warmUpMs, windowMs }), beside()]),
  );
  await scored.control.drain();
  const [load] = result;
  return { perSecond: (load.accepted / load.windowMs) * 1_000, latency: unpackHistogram(load.latency), lag };
}

async function rivalSides(bench: Bench, members: number): Promise<{ readonly sides: RivalSides<Side>; readonly missing: Readonly<Record<string, string>> }> {
  const { compare } = bench.options;
  const redis = compare.has('redis') ? await findRedis(bench.scratch) : { missing: NOT_ASKED_FOR };
  const postgres = compare.has('postgres') ? await bench.findPostgres() : { missing: NOT_ASKED_FOR };
  const missing: Record<string, string> = {};
  if ('missing' in redis) missing['Redis'] = redis.missing;
  else bench.remarks.push(`Redis ${redis.version}.`);
  if ('missing' in postgres) missing['PostgreSQL'] = postgres.missing;
  else bench.remarks.push(`PostgreSQL ${postgres.version}.`);
  const sides = {
    redisEverySec: 'missing' in redis ? undefined : bench.redisSide('everysec', redis.url, members),
    redisAlways: 'missing' in redis ? undefined : bench.redisSide('always', redis.url, members),
    postgres: 'missing' in postgres ? undefined : bench.postgresSide('scores', postgres.url),
  };
  return { sides, missing };
}

/** Entries of accounts, and scores: acknowledged, summed by the reconciliation from the log, and read. */
async function prove({ bench, accounts, contest: scored }: Surroundings, client: SluiceClient): Promise<Proof> {
  bench.progress.step('ending the contest');
  await client.contests.endRound(CONTEST, 1);
  for await (const { phase } of client.contests.watch(CONTEST)) if (phase === 'ENDED') break;
  const [round] = await client.contests.reconciliation(CONTEST);
  const logged = round?.scoreCount ?? 0;
  const { scoreCount } = await client.contests.get(CONTEST);
  const isWhole = scored.acknowledged === logged && logged === scoreCount && round?.outcome === 'EQUAL';
  if (!isWhole)
    bench.complaints.push(`${scored.acknowledged} scores acknowledged, ${logged} in the log, ${scoreCount} read; ${round?.outcome} ${round?.notCompared}`);
  const pending = await accounts.control.pendingTransfers();
  if (pending > 0) bench.complaints.push(`${pending} gifts or more are pending although nothing is under way`);
  const scores = { acknowledged: scored.acknowledged, logged, projected: scoreCount, verified: isWhole && pending === 0 };
  return sumOfProofs([await proveAll(bench, accounts), scores]);
}
