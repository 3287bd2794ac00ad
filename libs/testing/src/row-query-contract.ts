/** What every `ReadStore` promises of queries: which rows, in which order, page by page, and that it reads nothing but an index for them. */
import {
  type CollectionDefinition,
  type IndexedValue,
  InvalidRowQueryError,
  positionOf,
  type ReadCopy,
  type Row,
  type RowPosition,
  type RowQuery,
  type RowWrite,
} from '@sluice/ports';
import * as fc from 'fast-check';
import type { ReadStoreFixture } from './read-store-contract';
import { describeQuery, everyQueryOf } from './row-queries';

const PARCELS: CollectionDefinition = {
  name: 'parcels',
  key: 'parcel_id',
  fields: { parcel_id: 'text', depot: 'text', open: 'boolean', weight_g: 'int64', due_at_us: 'number', label: 'bytes', remark: 'text' },
  indexes: {
    by_depot: ['depot', 'open', 'due_at_us'],
    by_open: ['open', 'weight_g'],
    by_weight: ['weight_g', 'depot'],
    by_due: ['due_at_us'],
  },
};

const MILLION_KILOMETRES = 1n << 60n;
const INT64_MAX = (1n << 63n) - 1n;
const RUNS = 25;

function parcel(parcelId: string, fields: Partial<Record<string, IndexedValue>> = {}): RowWrite {
  const row = { parcel_id: parcelId, depot: 'north', open: true, weight_g: 0n, due_at_us: 0, ...fields } as Row;
  return { kind: 'put', collection: PARCELS.name, row };
}

interface OrderCase {
  readonly index: string;
  readonly field: string;
  readonly values: readonly IndexedValue[];
}

export function rowQueryContract(name: string, makeFixture: (collections: readonly CollectionDefinition[]) => Promise<ReadStoreFixture>): void {
  describe(`queries of the read store: ${name}`, () => {
    let fixture: ReadStoreFixture;
    let copy: ReadCopy;
    let sequence = 0;

    beforeEach(async () => {
      sequence = 0;
      fixture = await makeFixture([PARCELS]);
      copy = await (await fixture.open({ incarnation: '0123456789abcdef0123456789abcdef', partitions: 2 })).current();
    });

    afterEach(() => fixture.dispose());

    const write = async (writes: readonly RowWrite[]): Promise<void> => {
      sequence += 1;
      await copy.apply({ partition: 0, projections: ['rows@1'], previousSequence: sequence - 1, sequence, committedAtUs: sequence, writes });
    };
    const find = async (query: Omit<RowQuery, 'collection' | 'limit'> & { readonly limit?: number }): Promise<string[]> =>
      (await copy.find({ collection: PARCELS.name, limit: 100, ...query })).rows.map(idOf);

    test.each`
      index          | field          | values
      ${'by_weight'} | ${'weight_g'}  | ${[-INT64_MAX - 1n, -INT64_MAX, -1n, 0n, 1n, (1n << 53n) + 1n, (1n << 53n) + 2n, MILLION_KILOMETRES, INT64_MAX]}
      ${'by_due'}    | ${'due_at_us'} | ${[-Number.MAX_SAFE_INTEGER, -1, 0, 9, 10, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]}
      ${'by_open'}   | ${'open'}      | ${[false, true]}
      ${'by_depot'}  | ${'depot'}     | ${['', '\u0000', '\u0001', 'A', 'B', 'a', 'a\u0000', 'a\u0001', 'aa', 'b', 'é', '東']}
    `('$field is ordered the same everywhere, in both directions', async ({ index, field, values }: OrderCase) => {
      await write(values.map((value, at) => parcel(`${(at * 7) % values.length}-${at}`, { [field]: value })));
      const ordered = (await copy.find({ collection: PARCELS.name, index, limit: 100 })).rows;
      expect(ordered.map((row) => row[field])).toEqual(values);
      const backwards = (await copy.find({ collection: PARCELS.name, index, direction: 'descending', limit: 100 })).rows;
      expect(backwards.map((row) => row[field])).toEqual([...values].reverse());
    });

    test('texts beyond the basic plane come last, as their code points do', async () => {
      const depots = fixture.textOrder === 'UTF-16 units' ? ['🦀', '\uffee'] : ['\uffee', '🦀'];
      await write([parcel('1', { depot: '🦀' }), parcel('2', { depot: '\uffee' })]);
      const { rows } = await copy.find({ collection: PARCELS.name, index: 'by_depot', limit: 10 });
      expect(rows.map((row) => row['depot'])).toEqual(depots);
    });

    test('equal rows come by key; a range has its first value and not its end', async () => {
      await write([
        parcel('c', { due_at_us: 10 }),
        parcel('a', { due_at_us: 10 }),
        parcel('b', { due_at_us: 20 }),
        parcel('d', { due_at_us: 30 }),
        parcel('e', { due_at_us: 10, open: false }),
      ]);
      const open = { index: 'by_depot', equals: { depot: 'north', open: true } };
      expect(await find(open)).toEqual(['a', 'c', 'b', 'd']);
      expect(await find({ ...open, direction: 'descending' })).toEqual(['d', 'b', 'c', 'a']);
      expect(await find({ ...open, range: { from: 10, before: 30 } })).toEqual(['a', 'c', 'b']);
      expect(await find({ ...open, range: { from: 20 }, direction: 'descending' })).toEqual(['d', 'b']);
      expect(await find({ ...open, range: { from: 30, before: 30 } })).toEqual([]);
      expect(await find({ index: 'by_depot', equals: { depot: 'south', open: true } })).toEqual([]);
      expect(await find({ index: 'by_depot', equals: { depot: 'north', open: true, due_at_us: 10 }, range: { from: 'b' } })).toEqual(['c']);
      expect(await find({ range: { from: 'b', before: 'd' } })).toEqual(['b', 'c']);
    });

    test('a page says where the next one goes on, and the last one that there is none', async () => {
      await write(Array.from({ length: 7 }, (_, at) => parcel(`p${at}`, { due_at_us: Math.floor(at / 3) })));
      const query = { collection: PARCELS.name, index: 'by_due', direction: 'descending', limit: 3 } as const;
      const first = await copy.find(query);
      const second = await copy.find({ ...query, after: first.next });
      const third = await copy.find({ ...query, after: second.next });
      expect([first, second, third].map(({ rows }) => rows.map(idOf))).toEqual([['p6', 'p5', 'p4'], ['p3', 'p2', 'p1'], ['p0']]);
      expect(third.next).toBeUndefined();
      expect((await copy.find({ ...query, limit: 7 })).next).toBeUndefined();
    });

    test('the rows around one are those before and after its place', async () => {
      await write([30n, 10n, 50n, 40n, 20n].map((weight) => parcel(`w${weight}`, { weight_g: weight })));
      const query = { index: 'by_open', equals: { open: true } };
      const place = positionOf(PARCELS, query, (await copy.get(PARCELS.name, 'w30')) as Row);
      expect(await find({ ...query, after: place, limit: 1 })).toEqual(['w40']);
      expect(await find({ ...query, after: place, direction: 'descending', limit: 2 })).toEqual(['w20', 'w10']);
    });

    test('a row that changes its place is found in the new one only', async () => {
      await write([parcel('a', { weight_g: 1n }), parcel('b', { weight_g: 2n })]);
      await write([parcel('a', { weight_g: 3n }), { kind: 'delete', collection: PARCELS.name, key: 'b' }]);
      expect(await find({ index: 'by_weight' })).toEqual(['a']);
      expect(await find({ index: 'by_weight', range: { before: 3n } })).toEqual([]);
    });

    test.each`
      wrong                              | query
      ${'an index that is not declared'} | ${{ index: 'by_remark' }}
      ${'a gap in the fields'}           | ${{ index: 'by_depot', equals: { open: true } }}
      ${'a field of no index'}           | ${{ index: 'by_depot', equals: { depot: 'a', remark: 'x' } }}
      ${'fields without an index'}       | ${{ equals: { depot: 'a' } }}
      ${'a value of another type'}       | ${{ index: 'by_weight', equals: { weight_g: 1 } }}
      ${'a range of another type'}       | ${{ index: 'by_weight', range: { from: 'a' } }}
      ${'an int64 beyond its range'}     | ${{ index: 'by_weight', range: { from: INT64_MAX + 1n } }}
      ${'a fraction'}                    | ${{ index: 'by_due', range: { before: 0.5 } }}
      ${'a place of another index'}      | ${{ index: 'by_due', after: ['a'] }}
      ${'a place of another type'}       | ${{ index: 'by_due', after: ['1', 'a'] }}
      ${'a limit of none'}               | ${{ limit: 0 }}
      ${'a limit above the most'}        | ${{ limit: 10_001 }}
    `('refuses $wrong', async ({ query }: { query: Partial<RowQuery> }) => {
      await expect(copy.find({ collection: PARCELS.name, limit: 10, ...query })).rejects.toBeInstanceOf(InvalidRowQueryError);
    });

    test.each([{ depot: null }, { weight_g: undefined }, { due_at_us: Number.NaN }, { due_at_us: 1.5 }, { open: 1 }])(
      'a row without a value for an index is refused, and with it the batch: %j',
      async (fields) => {
        await expect(write([parcel('good'), parcel('bad', fields as never)])).rejects.toThrow(/is in an index/);
        expect(await find({})).toEqual([]);
      },
    );

    test('any rows, any query: the same rows in the same order as a plain list gives', async () => {
      const depots = ['', 'a', 'a\u0000', 'a\u0001', 'ab', 'b', 'é', ...(fixture.textOrder === 'UTF-16 units' ? [] : ['\uffee', '🦀', '🦀a'])];
      const domains: Readonly<Record<string, readonly IndexedValue[]>> = {
        parcel_id: ['', ...depots.map((depot) => `${depot}x`)],
        depot: depots,
        open: [false, true],
        weight_g: [-INT64_MAX - 1n, -1n, 0n, 1n, (1n << 53n) + 1n, INT64_MAX],
        due_at_us: [-Number.MAX_SAFE_INTEGER, -1, 0, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER],
      };
      const valueOf = (field: string): fc.Arbitrary<IndexedValue> => fc.constantFrom(...(domains[field] as readonly IndexedValue[]));
      const rows = fc.uniqueArray(
        fc.record({
          parcel_id: valueOf('parcel_id'),
          depot: valueOf('depot'),
          open: valueOf('open'),
          weight_g: valueOf('weight_g'),
          due_at_us: valueOf('due_at_us'),
        }),
        {
          maxLength: 12,
          selector: ({ parcel_id }) => parcel_id,
        },
      );
      const queries = fc.array(queryOf(valueOf), { minLength: 5, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(rows, queries, async (generated, asked) => {
          const leftovers = (await copy.find({ collection: PARCELS.name, limit: 100 })).rows.map((row) => idOf(row));
          await write([
            ...leftovers.map((key): RowWrite => ({ kind: 'delete', collection: PARCELS.name, key })),
            ...generated.map((row) => parcel(row.parcel_id as string, row)),
          ]);
          for (const query of asked) expect(await pagesOf(copy, query)).toEqual(expectedOf(generated, query));
        }),
        { numRuns: RUNS },
      );
    });

    test('every query is answered by its index alone', async () => {
      await write(Array.from({ length: 30 }, (_, at) => parcel(`p${at}`, { depot: 'abc'[at % 3] as string, weight_g: BigInt(at % 5) })));
      for (const query of everyQueryOf(PARCELS))
        expect([describeQuery(query), await fixture.planProblems?.(copy, query)]).toEqual([describeQuery(query), fixture.planProblems && []]);
    });
  });
}

const idOf = (row: Row): string => row[PARCELS.key] as string;

/** Any query that the indexes admit; a place may be one where no row is. */
function queryOf(valueOf: (field: string) => fc.Arbitrary<IndexedValue>): fc.Arbitrary<RowQuery> {
  const shapes = [undefined, ...Object.keys(PARCELS.indexes)].flatMap((index) => {
    const fields = [...(index === undefined ? [] : (PARCELS.indexes[index] ?? [])), PARCELS.key];
    return fields.map((_, count) => ({ index, fields, count }));
  });
  return fc.constantFrom(...shapes).chain(({ index, fields, count }) => {
    const rest = fields.slice(count);
    return fc
      .record({
        equals: fc.record(Object.fromEntries(fields.slice(0, count).map((field) => [field, valueOf(field)]))),
        from: fc.option(valueOf(rest[0] as string), { nil: undefined }),
        before: fc.option(valueOf(rest[0] as string), { nil: undefined }),
        after: fc.option(fc.tuple(...rest.map(valueOf)), { nil: undefined, freq: 1 }),
        direction: fc.constantFrom('ascending' as const, 'descending' as const),
        limit: fc.integer({ min: 1, max: 4 }),
      })
      .map(({ from, before, ...query }) => ({ collection: PARCELS.name, index, range: { from, before }, ...query }));
  });
}

/** All pages of the query, one after the other; each but the last is full. */
async function pagesOf(copy: ReadCopy, query: RowQuery): Promise<string[]> {
  const ids: string[] = [];
  let after: RowPosition | undefined = query.after;
  for (;;) {
    const { rows, next } = await copy.find({ ...query, after });
    ids.push(...rows.map(idOf));
    if (next === undefined) return ids;
    expect(rows).toHaveLength(query.limit);
    after = next;
  }
}

/** The model: all rows in a list, filtered and sorted by the words of the port. */
function expectedOf(rows: readonly Row[], { index, equals = {}, range = {}, after, direction }: RowQuery): string[] {
  const fields = [...(index === undefined ? [] : (PARCELS.indexes[index] ?? [])), PARCELS.key];
  const rest = fields.slice(Object.keys(equals).length);
  const sign = direction === 'descending' ? -1 : 1;
  const compareRest = (row: Row, values: readonly IndexedValue[]): number =>
    rest.reduce((order, field, at) => (order === 0 ? compare(row[field] as IndexedValue, values[at] as IndexedValue) : order), 0) * sign;
  return rows
    .filter((row) => Object.entries(equals).every(([field, value]) => row[field] === value))
    .filter((row) => range.from === undefined || compare(row[rest[0] as string] as IndexedValue, range.from) >= 0)
    .filter((row) => range.before === undefined || compare(row[rest[0] as string] as IndexedValue, range.before) < 0)
    .filter((row) => after === undefined || compareRest(row, after) > 0)
    .sort((left, right) =>
      compareRest(
        left,
        rest.map((field) => right[field] as IndexedValue),
      ),
    )
    .map(idOf);
}

function compare(left: IndexedValue, right: IndexedValue): number {
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
  return left < right ? -1 : left > right ? 1 : 0;
}
