/**
 * Reservations: reserved and associated with in batches over many numbers, beside postings to as many accounts; reserved of one resource, beside postings to one
 * account; one request at a time, beside one posting at a time. All at one server. Beside it what one would do on PostgreSQL.
 *
 * A request is acknowledged when the identity's buffer has it durably, and answered when its number and its resource have decided, after 2 s at the latest. What
 * counts in batches is how many were settled: the time goes on until nothing is under way any more.
 */
import { SluiceClient } from '@sluice/client';
import type { Bench, EmbeddedTarget } from '../bench';
import type { Calls } from '../load/load-order';
import type { Proof } from '../measure/proof';
import { medianPerSecond, type Rounds, type Side } from '../measure/rounds';
import type { OpenReservationFigures } from '../report/report';
import { ackFigures, lagFigures, sidesTable } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import { numberedAccounts } from './many-accounts';
import { reservationAimsTable, reservationFigures } from './reservation-figures';
import type { Scenario } from './scenario';
import { settledSide } from './settled-side';

/** Accounts, and as many identities. */
const ACCOUNTS = 100_000;
const BATCHES_IN_FLIGHT = 8;
const RESOURCE = 'hot-resource';
/** Never taken up by a run. */
const CAPACITY = 1_000_000_000;
const NOT_ASKED_FOR = 'not asked for (--compare)';

export const reservations: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const count = options.accounts ?? ACCOUNTS;
    const inFlight = options.inFlight ?? BATCHES_IN_FLIGHT;
    const { batchSize } = options;
    const accounts = await bench.startEmbedded('the server');
    // The same server; counts reservations and associate requests.
    const reserved = { ...accounts, name: 'reservations', acknowledged: 0 };
    const client = new SluiceClient({ target: accounts.server.address, deadlineMs: 60_000 });
    bench.scratch.defer(() => client.close());
    await accounts.control.openAccounts([{ accountId: HOT_ACCOUNT }]);
    await accounts.control.openAccounts(numberedAccounts(count), (opened) => bench.progress.amount('opening accounts', opened, count));
    await client.reservations.setCapacity(RESOURCE, CAPACITY);
    await accounts.control.drain();

    const oneAccount = { kind: 'one', accountId: HOT_ACCOUNT } as const;
    const settled = (name: string, calls: Calls): Side => settledSide(bench, { name, target: reserved, calls, inFlight, settled: () => {} });
    const { sides, missing } = await rivalSides(bench);
    const rounds = await bench.measure({
      requests: settled('reserve and associate', { kind: 'reservationBatches', batchSize, identities: count }),
      many: bench.targetSide(`postings to ${count} accounts`, accounts, { kind: 'batches', batchSize, account: { kind: 'random', count } }, inFlight),
      resource: settled('reserve of one resource', { kind: 'reserveBatches', batchSize, identities: count, resourceId: RESOURCE }),
      hot: bench.targetSide('postings to one account', accounts, { kind: 'batches', batchSize, account: oneAccount }, inFlight),
      single: bench.targetSide('one request at a time', reserved, { kind: 'reservationSingles', identities: count }, 1),
      posting: bench.targetSide('one posting at a time', accounts, { kind: 'singles', account: oneAccount }, 1),
      ...sides,
    });
    const requests = rounds.requests as Rounds;
    const peakRssBytes = accounts.server.peakRssBytes();
    const proof = await prove(bench, accounts, client, reserved.acknowledged);
    await accounts.server.stop();
    const memory = options.open === undefined ? null : await measureOpen(bench, options.open, count);
    for (const [name, reason] of Object.entries(missing)) if (reason !== NOT_ASKED_FOR) bench.remarks.push(`${name} was not measured: ${reason}`);

    const figures = reservationFigures(rounds, { identities: count, missing, memory });
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(requests),
        ...ackFigures(requests),
        ...lagFigures(requests),
        readyMs: accounts.server.readyMs,
        peakRssBytes,
        ...proof,
        verified: proof.verified && bench.complaints.length === 0,
      },
      reservations: figures,
      skipped: peakRssBytes === undefined ? { peakRssBytes: 'this system does not tell the peak memory of a process' } : {},
      tables: [
        sidesTable([
          { name: 'reserve and associate, settled', rounds: requests },
          { name: `postings to ${count} accounts`, rounds: rounds.many },
          { name: 'reserve of one resource, settled', rounds: rounds.resource },
          { name: 'postings to one account', rounds: rounds.hot },
          { name: 'one request at a time', rounds: rounds.single },
          { name: 'one posting at a time', rounds: rounds.posting },
          { name: 'an INSERT … ON CONFLICT or an UPDATE per request on PostgreSQL', rounds: rounds.postgresRequests },
          { name: 'a capacity row with FOR UPDATE on PostgreSQL', rounds: rounds.postgresPlaces },
        ]),
        reservationAimsTable(figures),
      ],
    };
  },
};

interface RivalSides {
  readonly sides: Readonly<Record<'postgresRequests' | 'postgresPlaces', Side | undefined>>;
  readonly missing: Readonly<Record<string, string>>;
}

async function rivalSides(bench: Bench): Promise<RivalSides> {
  const postgres = bench.options.compare.has('postgres') ? await bench.findPostgres() : { missing: NOT_ASKED_FOR };
  if ('missing' in postgres) return { sides: { postgresRequests: undefined, postgresPlaces: undefined }, missing: { PostgreSQL: postgres.missing } };
  bench.remarks.push(`PostgreSQL ${postgres.version}.`);
  return {
    sides: { postgresRequests: bench.postgresSide('reservations', postgres.url), postgresPlaces: bench.postgresSide('places', postgres.url) },
    missing: {},
  };
}

/**
 * Entries of accounts, and requests: a reservation is one, its associate request another. The verification compares the states of the rows with the log, so that
 * those that are ASSOCIATED are so in the log, too.
 */
async function prove(bench: Bench, { control, acknowledged }: EmbeddedTarget, client: SluiceClient, requests: number): Promise<Proof> {
  bench.progress.step('checking acknowledged = log = read store');
  await control.drain();
  const { equal, differences, entries, compared } = await control.verifyAll((done, total) => bench.progress.amount('folding the log', done, total));
  bench.complaints.push(...differences);
  const loggedReservations = Number(compared.find(({ what }) => what === 'reservations')?.count ?? 0n);
  const { rows, associated, undecided, places } = await countReservations(client);
  if (undecided > 0) bench.complaints.push(`${undecided} reservations are not decided although nothing is under way`);
  const { taken } = await client.reservations.capacity(RESOURCE);
  if (taken !== places) bench.complaints.push(`${taken} places are taken, and ${places} reservations have one`);
  const logged = Number(entries) + loggedReservations + associated;
  const projected = (await control.entryCountOfAll()) + rows + associated;
  const isWhole = acknowledged + requests === logged && logged === projected;
  if (!isWhole) bench.complaints.push(`${acknowledged} postings and ${requests} requests acknowledged, ${logged} in the log, ${projected} read`);
  return { acknowledged: acknowledged + requests, logged, projected, verified: equal && isWhole };
}

/** A reservation that is neither RESERVED nor ASSOCIATED is not decided. */
async function countReservations(client: SluiceClient): Promise<Readonly<Record<'rows' | 'associated' | 'undecided' | 'places', number>>> {
  const counts = { rows: 0, associated: 0, undecided: 0, places: 0 };
  for await (const { state, resourceId } of client.reservations.list()) {
    counts.rows += 1;
    if (state === 'ASSOCIATED') counts.associated += 1;
    else if (state !== 'RESERVED') counts.undecided += 1;
    if (resourceId === RESOURCE) counts.places += 1;
  }
  return counts;
}

/** At a server of its own, which has nothing else. */
async function measureOpen(bench: Bench, open: number, identities: number): Promise<OpenReservationFigures> {
  const target = await bench.startEmbedded('a server for open reservations');
  const bytesEmpty = target.server.rssBytes();
  bench.progress.step(`${open} open reservations`);
  const batchSize = Math.min(bench.options.batchSize, open);
  const { acknowledged } = await bench.load(target, {
    calls: { kind: 'reserveBatches', batchSize, identities, resourceId: '' },
    inFlight: BATCHES_IN_FLIGHT,
    warmUpMs: 0,
    windowMs: Number.MAX_SAFE_INTEGER,
    maximumCalls: Math.ceil(open / batchSize),
  });
  await target.control.quiet();
  await target.control.drain();
  const bytesOpen = target.server.rssBytes();
  await target.server.stop();
  return { open: acknowledged, bytesEmpty, bytesOpen };
}
