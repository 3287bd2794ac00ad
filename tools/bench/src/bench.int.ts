/**
 * The harness against its own echo: what the load generator counts is what was answered, and every process ends with the run.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bench } from './bench';
import type { Calls } from './load/load-order';
import { medianPerSecond } from './measure/rounds';
import { parseOptions } from './options';
import { comparePostgresDays } from './scenario/day-cut-postgres';

const HOT = { kind: 'one', accountId: 'hot-account' } as const;
/** Long enough for an answer on a machine that has more to do. */
const WINDOW_MS = 600;

let folder: string;
let bench: Bench;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-bench-test-'));
  // PostgreSQL may have to run as another user, who must get in.
  chmodSync(folder, 0o755);
  bench = new Bench(parseOptions(['hot-account', '--dir', folder, '--rounds', '1', '--seconds', '0.5']).options);
});

afterEach(async () => {
  await bench.scratch.clear();
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

const calls: readonly Calls[] = [
  { kind: 'batches', batchSize: 50, account: HOT },
  { kind: 'batches', batchSize: 50, account: { kind: 'random', count: 1_000 } },
  { kind: 'singles', account: HOT },
  { kind: 'signedBatches', batchSize: 50, accountId: 'signed', signingKey: new Uint8Array(32), prepared: 20 },
];

test.each(calls)('$kind: every posting of every call is accepted by the echo', async (each) => {
  const address = await bench.startEcho('a-position-token');
  // Signed batches were made beforehand: the load ends with the last of them, however long that takes.
  const ends = each.kind === 'signedBatches' ? { windowMs: Number.MAX_SAFE_INTEGER, maximumCalls: each.prepared } : { windowMs: WINDOW_MS };
  const answer = await bench.generate({ addresses: [address], connections: 2, inFlight: 4, warmUpMs: 0, ...ends, calls: each });
  expect(answer).toMatchObject({ refused: 0, failed: 0, complaint: undefined });
  expect(answer.accepted).toBeGreaterThan(0);
  expect(answer.acknowledged).toBeGreaterThanOrEqual(answer.accepted);
  if (each.kind === 'signedBatches') expect(answer.acknowledged).toBe(each.prepared * each.batchSize);
});

test('a load of so many calls ends after them', async () => {
  const address = await bench.startEcho('a-position-token');
  const order = {
    addresses: [address],
    connections: 1,
    inFlight: 3,
    warmUpMs: 0,
    windowMs: Number.MAX_SAFE_INTEGER,
    maximumCalls: 10,
    calls: calls[0] as Calls,
  };
  expect(await bench.generate(order)).toMatchObject({ acknowledged: 500, accepted: 500, failed: 0 });
});

test('calls that fail are counted and told, not taken for answers', async () => {
  const address = await bench.startEcho('a-position-token');
  const answer = await bench.generate({
    addresses: [address],
    connections: 1,
    inFlight: 1,
    warmUpMs: 0,
    windowMs: WINDOW_MS,
    calls: { kind: 'getAccount', accountId: 'a' },
  });
  expect(answer).toMatchObject({ accepted: 0, acknowledged: 0 });
  expect(answer.failed).toBeGreaterThan(0);
  expect(answer.complaint).toContain('UNIMPLEMENTED');
});

test('the row lock posts on SQLite, durably', async () => {
  const rounds = await bench.measure({ rowLock: bench.rowLockSide() });
  expect(medianPerSecond(rounds.rowLock ?? [])).toBeGreaterThan(0);
});

test('PostgreSQL is measured where it is found, and else the reason is told', async () => {
  const found = await bench.findPostgres();
  if ('missing' in found) {
    expect(found.missing).toMatch(/PostgreSQL/);
    return;
  }
  const rounds = await bench.measure({
    rowLock: bench.postgresSide('rowLock', found.url),
    batch: bench.postgresSide('batch', found.url),
    scores: bench.postgresSide('scores', found.url),
    reservations: bench.postgresSide('reservations', found.url),
    places: bench.postgresSide('places', found.url),
  });
  expect(medianPerSecond(rounds.rowLock ?? [])).toBeGreaterThan(0);
  expect(medianPerSecond(rounds.batch ?? [])).toBeGreaterThan(0);
  expect(medianPerSecond(rounds.scores ?? [])).toBeGreaterThan(0);
  expect(medianPerSecond(rounds.reservations ?? [])).toBeGreaterThan(0);
  expect(medianPerSecond(rounds.places ?? [])).toBeGreaterThan(0);
});

test('an end of day on PostgreSQL is measured where it is found, beside postings and without', async () => {
  const measured = await comparePostgresDays(bench, 2_000);
  if ('missing' in measured) {
    expect(measured.missing).toMatch(/PostgreSQL/);
    return;
  }
  for (const figure of Object.values(measured)) expect(figure).toBeGreaterThan(0);
  expect(measured.longestMs).toBeLessThanOrEqual(60_000);
});
