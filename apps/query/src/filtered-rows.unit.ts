import { MemoryReadStore } from '@sluice/memory';
import type { CollectionDefinition, ReadCopy, RowPosition, RowQuery, RowWrite } from '@sluice/ports';
import { findMatching, MAXIMUM_EXAMINED_ROWS } from './filtered-rows';
import { placeOfPage, tokenOfPlace } from './row-page-token';

const CARDS: CollectionDefinition = {
  name: 'cards',
  key: 'card_id',
  fields: { card_id: 'text', branch: 'text', state: 'text' },
  indexes: { by_branch: ['branch'] },
};
const QUERY = { collection: CARDS.name, index: 'by_branch', equals: { branch: 'north' } };
const LOST = [{ field: 'state', value: 'LOST' }];

const idOf = (at: number): string => `card-${String(at).padStart(6, '0')}`;

async function cards(count: number, stateOf: (at: number) => string): Promise<{ copy: ReadCopy; queries: RowQuery[] }> {
  const copy = await new MemoryReadStore({ collections: [CARDS] }).current();
  const writes = Array.from(
    { length: count },
    (_, at): RowWrite => ({ kind: 'put', collection: CARDS.name, row: { card_id: idOf(at), branch: 'north', state: stateOf(at) } }),
  );
  await copy.apply({ partition: 0, projections: ['card@1'], previousSequence: 0, sequence: 1, committedAtUs: 1, writes });
  const queries: RowQuery[] = [];
  const find = copy.find.bind(copy);
  copy.find = async (query) => {
    queries.push(query);
    return find(query);
  };
  return { copy, queries };
}

async function pages(copy: ReadCopy, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  let after: RowPosition | undefined;
  do {
    const { rows, next } = await findMatching(copy, CARDS, { ...QUERY, after, limit }, LOST);
    found.push(rows.map((row) => row['card_id'] as string));
    after = next;
  } while (after !== undefined);
  return found;
}

test('pages hold what matches, in order, each but the last full', async () => {
  const { copy } = await cards(2_000, (at) => (at % 100 === 7 ? 'LOST' : 'OPEN'));
  const expected = Array.from({ length: 20 }, (_, at) => idOf(at * 100 + 7));
  expect(await pages(copy, 8)).toEqual([expected.slice(0, 8), expected.slice(8, 16), expected.slice(16)]);
  expect(await pages(copy, 10)).toEqual([expected.slice(0, 10), expected.slice(10)]);
});

test('one page looks at so many rows and no more; the next one goes on behind them', async () => {
  const last = MAXIMUM_EXAMINED_ROWS + 5;
  const { copy, queries } = await cards(last + 1, (at) => (at === last ? 'LOST' : 'OPEN'));
  const first = await findMatching(copy, CARDS, { ...QUERY, limit: 10 }, LOST);
  expect(first).toEqual({ rows: [], next: [idOf(MAXIMUM_EXAMINED_ROWS - 1)] });
  expect(queries.reduce((sum, { limit }) => sum + limit, 0)).toBe(MAXIMUM_EXAMINED_ROWS);
  expect(await pages(copy, 10)).toEqual([[], [idOf(last)]]);
});

test('others have the thread between two steps of a page', async () => {
  const { copy, queries } = await cards(3_000, () => 'OPEN');
  const seen: number[] = [];
  let reading = true;
  const bystander = (): void => {
    seen.push(queries.length);
    if (reading) setImmediate(bystander);
  };
  bystander();
  await findMatching(copy, CARDS, { ...QUERY, limit: 10 }, LOST);
  reading = false;
  expect(queries.length).toBeGreaterThan(5);
  expect(Math.max(...seen.map((count, at) => count - (seen[at - 1] ?? 0)))).toBe(1);
});

test('without further filters a page is one query of its size', async () => {
  const { copy, queries } = await cards(10, () => 'OPEN');
  expect((await findMatching(copy, CARDS, { ...QUERY, limit: 4 }, [])).rows).toHaveLength(4);
  expect(queries.map(({ limit }) => limit)).toEqual([4]);
});

test('a token leads back to its place; one whose place is not of the index is refused', () => {
  const scope = ['cards', 'north'];
  expect(placeOfPage(CARDS, QUERY, scope, tokenOfPlace(scope, ['card-1']))).toEqual(['card-1']);
  expect(placeOfPage(CARDS, QUERY, scope, tokenOfPlace(scope, undefined))).toBeUndefined();
  for (const place of [[], [7], ['a', 'b']]) expect(() => placeOfPage(CARDS, QUERY, scope, tokenOfPlace(scope, place))).toThrow('page token');
  expect(() => placeOfPage(CARDS, QUERY, ['cards', 'south'], tokenOfPlace(scope, ['card-1']))).toThrow('of other filters');
});
