/** Rows by key, whatever way the history is cut into flushes, and when a flush is repeated after a write that broke off. */
import { MemoryReadStore } from '@sluice/memory';
import type { CollectionDefinition, ReadCopy } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { type LoadedRows, projectionId, type Projected, type Projection } from './projection';
import { projectedRows, projectRows } from './row-projection';
import { rowKind, verifyRows } from './row-verification';

const TALLIES: CollectionDefinition = {
  name: 'tallies',
  key: 'tally_id',
  fields: { tally_id: 'text', partition: 'number', total: 'number', sequence: 'number' },
  indexes: {},
  guard: 'sequence',
};
const COUNTS: CollectionDefinition = {
  name: 'tally_counts',
  key: 'partition_id',
  fields: { partition_id: 'text', changes: 'number', sequence: 'number' },
  indexes: {},
  guard: 'sequence',
};

/** A commit changes tallies: "a+1 b+2 a+3". */
function commit(sequence: number, changes: string): DecodedCommit {
  const events = changes.split(' ').map((change) => ({ type: 'tally.Changed', version: 1, payload: Buffer.from(change) }));
  return { partition: 0, sequence, committedAtUs: sequence, checksum: new Uint8Array(32), events } as unknown as DecodedCommit;
}

function read(commit: DecodedCommit, event: EventRecord, visit: (key: string, amount: number) => void): boolean {
  const [key = '', amount] = Buffer.from(event.payload).toString().split('+');
  visit(key, Number(amount));
  return true;
}

const tallies: Projection = {
  name: 'tally',
  format: 1,
  ...projectRows(
    projectedRows<number, number>({
      aggregate: 'tally',
      collection: TALLIES,
      read,
      evolve: (total = 0, amount) => {
        if (Number.isNaN(amount)) throw new Error('no number');
        return total + amount;
      },
      row: (total, partition) => ({ partition, total }),
      stateOf: (row) => row.total as number,
    }),
    projectedRows<number, number>({
      aggregate: 'tally_counts',
      collection: COUNTS,
      read: (commit, event, visit) => read(commit, event, (_key, amount) => visit('0', amount)),
      evolve: (changes = 0) => changes + 1,
      row: (changes) => ({ changes }),
      stateOf: (row) => row.changes as number,
    }),
  ),
  verification: verifyRows(
    rowKind<number>({
      aggregate: 'tally',
      collection: TALLIES,
      counted: 'tallies',
      fold: (commit, change) => {
        for (const event of commit.events) read(commit, event, (key, amount) => change(key, (total = 0) => total + amount));
      },
      row: (total) => ({ total }),
    }),
  ),
};

const HISTORY = [commit(1, 'a+1 b+2 a+3'), commit(2, 'b+5'), commit(3, 'a+7 c+1'), commit(4, 'b+1 b+1')];
const ROWS = { a: 11, b: 9, c: 1, changes: 8 };

const newCopy = (): Promise<ReadCopy> => new MemoryReadStore({ collections: [TALLIES, COUNTS] }).current();
const open = (cached = 100) => tallies.open(0, [], cached);

async function flush(copy: ReadCopy, fold: ReturnType<typeof open>, commits: readonly DecodedCommit[]): Promise<Projected> {
  for (const each of commits) for (const event of each.events) fold.take(each, event);
  const loaded: Map<string, LoadedRows extends ReadonlyMap<string, infer Rows> ? Rows : never> = new Map();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]))));
  }
  return fold.project(loaded, 'attempt');
}

async function write(copy: ReadCopy, writes: Projected['writes']): Promise<void> {
  const at = (await copy.checkpoints())[0]?.sequence ?? 0;
  await copy.apply({ partition: 0, projections: [projectionId(tallies)], previousSequence: at, sequence: at + 1, committedAtUs: 1, writes });
}

async function rowsOf(copy: ReadCopy): Promise<Record<string, unknown>> {
  const { rows } = await copy.find({ collection: TALLIES.name, limit: 10 });
  return { ...Object.fromEntries(rows.map((row) => [row.tally_id, row.total])), changes: (await copy.get(COUNTS.name, '0'))?.changes };
}

test.each([[[4]], [[1, 1, 1, 1]], [[2, 2]], [[1, 3]]])('cut into flushes of %j commits the rows are those of one pass', async (sizes) => {
  // A cache of 2 forgets a key while others of the same flush are written.
  for (const [forgets, cached] of [
    [false, 100],
    [true, 100],
    [false, 2],
  ] as const) {
    const copy = await newCopy();
    let fold = open(cached);
    let from = 0;
    for (const size of sizes) {
      if (forgets) fold = open();
      await write(copy, (await flush(copy, fold, HISTORY.slice(from, from + size))).writes);
      from += size;
    }
    expect(await rowsOf(copy)).toEqual(ROWS);
  }
});

test('the kinds of rows of a partition share its cache', async () => {
  const copy = await newCopy();
  const fold = open(8);
  const changes = commit(1, [...'abcdefgh'].map((key) => `${key}+1`).join(' '));
  await write(copy, (await flush(copy, fold, [changes])).writes);
  for (const event of changes.events) fold.take({ ...changes, sequence: 2 }, event);
  // Four of eight are for the tallies, of which the half used last is kept.
  expect(fold.missing().get(TALLIES.name)).toEqual([...'abcdef']);
});

test('a flush that wrote some of its rows is repeated, cut otherwise, and counts nothing twice', async () => {
  const { writes } = await flush(await newCopy(), open(), HISTORY.slice(0, 3));
  for (let written = 0; written <= writes.length; written += 1) {
    const copy = await newCopy();
    await write(copy, writes.slice(0, written));
    const fold = open();
    await write(copy, (await flush(copy, fold, HISTORY.slice(0, 2))).writes);
    await write(copy, (await flush(copy, fold, HISTORY.slice(2))).writes);
    expect(await rowsOf(copy)).toEqual(ROWS);
  }
});

test('an aggregate that throws is set aside with its row as it was; the others go on', async () => {
  const copy = await newCopy();
  const fold = open();
  await write(copy, (await flush(copy, fold, HISTORY.slice(0, 1))).writes);
  const { writes, setAside } = await flush(copy, fold, [commit(2, 'b+5 a+1 a+x'), commit(3, 'a+1 c+1')]);
  expect(setAside).toEqual([{ aggregate: 'tally', key: 'a', partition: 0, sequence: 2, error: 'no number' }]);
  await write(copy, writes);
  await write(copy, (await flush(copy, fold, [commit(4, 'a+1 b+1')])).writes);
  expect(await rowsOf(copy)).toMatchObject({ a: 4, b: 8, c: 1 });
});

test('the verification finds what was changed, and what is missing', async () => {
  const copy = await newCopy();
  await write(copy, (await flush(copy, open(), HISTORY)).writes);
  const scope = {
    copy,
    projection: projectionId(tallies),
    partition: 0,
    head: 4,
    pause: () => () => Promise.resolve(),
    signal: new AbortController().signal,
  };
  const compare = async () => {
    const run = await tallies.verification.partition(scope);
    for (const each of HISTORY) run.take(each);
    return run.compare();
  };
  expect(await compare()).toEqual({ compared: { tallies: 3 }, faults: [], suspicious: [] });
  await write(copy, [
    { kind: 'delete', collection: TALLIES.name, key: 'a' },
    { kind: 'delete', collection: TALLIES.name, key: 'b' },
    { kind: 'put', collection: TALLIES.name, row: { tally_id: 'b', partition: 0, total: 10, sequence: 4 } },
    { kind: 'put', collection: TALLIES.name, row: { tally_id: 'd', partition: 0, total: 1, sequence: 4 } },
  ]);
  expect((await compare()).suspicious.map(({ key }) => key).sort()).toEqual(['a', 'b', 'd']);
});
