/** The rows of reservations: what they say after a log with every event, however it is cut into flushes, and that the log says the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { type DecodedCommit, type EventRecord, readCommit, UnknownEventError } from '@sluice/protocol';
import { reservationEvents } from '@sluice/protocol/reservation';
import { collectionsOf, projectionId, type LoadedRows } from '../projection';
import { ASSOCIATE_AGGREGATE, associateKeyOf } from './collections';
import { reservationProjection } from './reservation-projection';

const HISTORIES = join(__dirname, '..', '..', '..', '..', 'apps', 'command', 'src', 'reservation', 'history');

/** The commits of a recorded history, by partition. */
function logsOf(file: string): DecodedCommit[][] {
  const { commits } = JSON.parse(readFileSync(join(HISTORIES, file), 'utf8')) as { commits: string[][] };
  return commits.map((ofPartition) => ofPartition.map((text) => readCommit(Buffer.from(text, 'base64'))));
}

const LOGS = readdirSync(HISTORIES).flatMap(logsOf);
const NAMES = reservationProjection.collections.map(({ name }) => name);

/** The rows of a partition, filled flush by flush. */
class Rows {
  private readonly store = new MemoryReadStore({ collections: collectionsOf(reservationProjection) });
  private readonly fold: ReturnType<typeof reservationProjection.open>;
  private batch = 0;

  constructor(
    private readonly partition: number,
    cached = 100,
  ) {
    this.fold = reservationProjection.open(partition, [], cached);
  }

  /** @param written collections that are written before the projector dies; undefined: all. */
  async flush(commits: readonly DecodedCommit[], written: readonly string[] = NAMES, fold = this.fold): Promise<void> {
    const copy = await this.store.current();
    for (const commit of commits) for (const event of commit.events) fold.take(commit, event);
    const { writes, setAside } = fold.project(await loaded(copy, fold.missing()), 'attempt');
    expect(setAside).toEqual([]);
    const { partition, batch: previousSequence } = this;
    this.batch += 1;
    const kept = writes.filter(({ collection }) => written.includes(collection));
    await copy.apply({ partition, projections: [projectionId(reservationProjection)], previousSequence, sequence: this.batch, committedAtUs: 1, writes: kept });
  }

  /** The projector dies in the middle of a flush, and another one takes over. */
  async flushInPart(commits: readonly DecodedCommit[], written: readonly string[]): Promise<void> {
    await this.flush(commits, written, reservationProjection.open(this.partition, [], 100));
  }

  async all(): Promise<Map<string, Row[]>> {
    const copy = await this.store.current();
    const found = new Map<string, Row[]>();
    for (const collection of NAMES) found.set(collection, (await copy.find({ collection, limit: 1_000 })).rows);
    return found;
  }

  copy(): Promise<ReadCopy> {
    return this.store.current();
  }
}

async function loaded(copy: ReadCopy, missing: ReadonlyMap<string, readonly string[]>): Promise<LoadedRows> {
  const rows = new Map<string, Map<string, Row>>();
  for (const [collection, keys] of missing) {
    const found = await copy.getMany(collection, keys);
    rows.set(collection, new Map(found.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]))));
  }
  return rows;
}

const partitionOf = (log: readonly DecodedCommit[]): number => log[0]?.partition ?? 0;

async function projected(log: readonly DecodedCommit[]): Promise<Rows> {
  const rows = new Rows(partitionOf(log));
  await rows.flush(log);
  return rows;
}

/** Rows of all partitions of the history with money, by collection and key. */
async function rowsWithMoney(): Promise<Map<string, Row>> {
  const byKey = new Map<string, Row>();
  for (const log of logsOf('2026-11-reservations-money-v1.json')) {
    for (const [collection, rows] of await (await projected(log)).all()) {
      const key = reservationProjection.collections.find(({ name }) => name === collection)?.key ?? '';
      for (const row of rows) byKey.set(`${collection} ${String(row[key])}`, row);
    }
  }
  return byKey;
}

test('the rows say where numbers, resources, identities and associate requests stand', async () => {
  const rows = await rowsWithMoney();
  const said = (collection: string, key: string, ...fields: string[]) => fields.map((field) => rows.get(`${collection} ${key}`)?.[field]);
  expect(['n1', 'n2', 'n3', '{n}4', '{n}5', 'n6'].map((number) => said('reservations', number, 'state', 'place_state', 'reason'))).toEqual([
    ['COMPLETED', 'HELD', ''],
    ['CANCELLED', 'GIVEN_BACK', ''],
    ['REJECTED', '', 'RESERVATION_RESOURCE_FULL'],
    ['CANCELLED', 'GIVEN_BACK', ''],
    ['CANCELLED', 'GIVEN_BACK', ''],
    ['EXPIRED', '', ''],
  ]);
  expect(['m1', 'm2', 'm3', 'm4'].map((number) => said('reservations', number, 'state', 'money_state', 'money_reason', 'reason'))).toEqual([
    ['COMPLETED', 'PAID', '', ''],
    ['COMPLETED', 'RETURNED', 'TARGET_NOT_FOUND', ''],
    ['CANCELLED', 'RELEASED', '', ''],
    ['REJECTED', '', '', 'INSUFFICIENT_FUNDS'],
  ]);
  expect(said('reservations', 'n1', 'note', 'associated_note', 'ended_note', 'identity_id')).toEqual(['by the window', 'came early', 'left', 'guest']);
  expect(said('reservation_resources', 'hall', 'capacity', 'taken', 'waiting_count', 'waiting_places')).toEqual([2, 2, 0, 0]);
  expect(said('reservation_identities', 'payer', 'numbers', 'associates')).toEqual(['[]', '[]']);
  const ofOther = [...rows.values()].filter((row) => row.identity_id === 'other' && row.associate_id !== undefined);
  expect(ofOther.map(({ state, reason }) => [state, reason]).sort()).toEqual([
    ['EXPIRED', 'RESERVATION_PARKED_EXPIRED'],
    ['REJECTED', 'IDENTITY_MISMATCH'],
  ]);
});

test('however a log is cut into flushes, and wherever a projector dies, the rows are the same', async () => {
  for (const log of LOGS) {
    const partition = partitionOf(log);
    const whole = await (await projected(log)).all();
    for (const cached of [100, 1]) {
      for (const size of [1, 2, 7]) {
        const rows = new Rows(partition, cached);
        for (let from = 0; from < log.length; from += size) await rows.flush(log.slice(from, from + size));
        expect(await rows.all()).toEqual(whole);
      }
    }
    for (let cut = 0; cut <= log.length; cut += 5) {
      const rows = new Rows(partition);
      await rows.flushInPart(log.slice(0, cut), NAMES);
      await rows.flushInPart(log.slice(cut), NAMES.slice(0, cut % NAMES.length));
      // The flush after it is cut otherwise, and repeats what was written.
      await rows.flushInPart(log.slice(Math.max(0, cut - 2), cut + 1), NAMES);
      await rows.flush(log.slice(cut + 1));
      expect(await rows.all()).toEqual(whole);
    }
  }
});

async function verified(rows: Rows, log: readonly DecodedCommit[]) {
  const scope = {
    copy: await rows.copy(),
    projection: projectionId(reservationProjection),
    partition: partitionOf(log),
    head: log.at(-1)?.sequence ?? 0,
    pause: () => async () => undefined,
    signal: new AbortController().signal,
  };
  const verification = await reservationProjection.verification.partition(scope);
  for (const commit of log) if (commit.sequence <= verification.last) verification.take(commit);
  return verification.compare();
}

test('the log says what the rows say', async () => {
  const compared: Record<string, number> = {};
  for (const log of LOGS) {
    const comparison = await verified(await projected(log), log);
    expect(comparison.suspicious).toEqual([]);
    for (const [kind, count] of Object.entries(comparison.compared)) compared[kind] = (compared[kind] ?? 0) + count;
  }
  expect(Object.values(compared).every((count) => count > 1)).toBe(true);
});

test.each`
  collection                  | field              | value
  ${'reservations'}           | ${'state'}         | ${'RESERVED'}
  ${'reservations'}           | ${'money_state'}   | ${'ASKED'}
  ${'reservation_resources'}  | ${'taken'}         | ${77}
  ${'reservation_resources'}  | ${'waiting_count'} | ${77}
  ${'reservation_identities'} | ${'numbers'}       | ${'[]x'}
  ${'reservation_associates'} | ${'state'}         | ${'PENDING'}
`(
  'a row of $collection whose $field is spoilt is found',
  async ({ collection, field, value }: { collection: string; field: string; value: string | number }) => {
    const found: string[] = [];
    for (const log of LOGS) {
      const rows = await projected(log);
      const copy = await rows.copy();
      const row = (await rows.all()).get(collection)?.[0];
      if (row === undefined) continue;
      jest.spyOn(copy, 'find').mockImplementation(async (query) => ({
        rows: query.collection === collection ? [{ ...row, [field]: value }] : [],
        next: undefined,
      }));
      const aggregate = reservationProjection.verification.kinds[NAMES.indexOf(collection)]?.aggregate;
      const key = row[reservationProjection.collections.find(({ name }) => name === collection)?.key ?? ''];
      const { suspicious } = await verified(rows, log);
      expect(suspicious).toContainEqual({ aggregate, key });
      found.push(collection);
    }
    expect(found).not.toEqual([]);
  },
);

const commitOf = (sequence: number, ...events: EventRecord[]): DecodedCommit =>
  ({ partition: 0, sequence, committedAtUs: sequence * 1_000_000, events }) as unknown as DecodedCommit;

test('a number that cannot be folded is set aside from its first event of the flush on; the others go on', () => {
  const fold = reservationProjection.open(0, [], 100);
  const asked = reservationEvents.record('NumberAsked', { identityId: 'ada', number: 'n', requestId: 'r' });
  const commit = commitOf(7, reservationEvents.record('PlaceAwaited', { number: 'lost' }), asked);
  for (const event of commit.events) expect(fold.take(commit, event)).toBe(true);
  fold.missing();
  const { writes, setAside } = fold.project(new Map(), 'attempt');
  expect(setAside).toMatchObject([{ aggregate: 'number', key: 'lost', partition: 0, sequence: 7 }]);
  expect(writes.map(({ collection }) => collection)).toEqual(['reservation_identities']);
});

test('an event of a later version stops the partition', () => {
  const event = { ...reservationEvents.record('PlaceAwaited', { number: 'n' }), version: 99 };
  expect(() => reservationProjection.open(0, [], 100).take(commitOf(1, event), event)).toThrow(UnknownEventError);
});

test('a number is hashed whole, and an associate request is in the partition of its identity', () => {
  const { kinds } = reservationProjection.verification;
  expect(kinds.filter(({ wholeKey }) => wholeKey).map(({ aggregate }) => aggregate)).toEqual(['number']);
  const associate = kinds.find(({ aggregate }) => aggregate === ASSOCIATE_AGGREGATE);
  for (const identityId of ['ada', '3/x/{b}/', '{a}']) {
    expect(associate?.partitionKey(associateKeyOf(identityId, 'r/1/2'))).toBe(identityId);
  }
  expect(associate?.partitionKey('nothing')).toBe('nothing');
});
