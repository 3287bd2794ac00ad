/**
 * A guarded upsert is two steps at the server: it looks for a row below the guard, and inserts where it found none. Another
 * projector may write between the two. The collection here does the two steps one by one, so that every interleaving is tried.
 */
import type { CollectionDefinition } from '@sluice/ports';
import { type Collection, MongoBulkWriteError } from 'mongodb';
import { type RowDocument, RowMapping } from './row-document';
import { bulksOf, type RowOperation, writeBulk } from './write-bulks';

const WALLETS: CollectionDefinition = { name: 'wallets', key: 'id', fields: { id: 'text', owner: 'text', sequence: 'number' }, indexes: {}, guard: 'sequence' };
const NOTES: CollectionDefinition = { name: 'notes', key: 'id', fields: { id: 'text', body: 'text' }, indexes: {} };

interface Filter {
  readonly _id: string;
  readonly sequence?: { readonly $lt: number };
}

class SteppedCollection {
  readonly rows = new Map<string, Record<string, unknown>>();
  /** Runs once, after an upsert has found no row and before it inserts. */
  betweenSearchAndInsert: (() => void) | undefined;

  async bulkWrite(operations: RowOperation[]): Promise<void> {
    const collided = operations.flatMap((operation, index) => (this.carryOut(operation) ? [] : [index]));
    if (collided.length === 0) return;
    const writeErrors = collided.map((index) => ({ index, code: 11_000, errmsg: 'E11000 duplicate key error' }));
    throw new MongoBulkWriteError({ message: 'duplicate key', code: 11_000, writeErrors } as never, { getWriteConcernError: () => undefined } as never);
  }

  asCollection(): Collection<RowDocument> {
    return this as unknown as Collection<RowDocument>;
  }

  /** False: the key was there when it was to be inserted. */
  private carryOut(operation: RowOperation): boolean {
    if (!('replaceOne' in operation)) throw new Error('only puts are tried here');
    const { filter, replacement, upsert } = operation.replaceOne;
    const { _id, sequence } = filter as unknown as Filter;
    const stored = this.rows.get(_id);
    if (stored !== undefined && (sequence === undefined || (stored['sequence'] as number) < sequence.$lt)) {
      this.rows.set(_id, replacement);
      return true;
    }
    if (upsert !== true) return true;
    const between = this.betweenSearchAndInsert;
    this.betweenSearchAndInsert = undefined;
    between?.();
    if (this.rows.has(_id)) return false;
    this.rows.set(_id, replacement);
    return true;
  }
}

function bulkOf(definition: CollectionDefinition, rows: readonly Record<string, string | number>[]): RowOperation[] {
  const mapping = new RowMapping(definition);
  const bulks = bulksOf(
    rows.map((row) => ({ kind: 'put', collection: definition.name, row })),
    () => mapping,
  ).get(definition.name);
  return bulks?.[0] ?? [];
}

test.each`
  before       | ours | rival | stands
  ${undefined} | ${7} | ${5}  | ${7}
  ${undefined} | ${5} | ${7}  | ${7}
  ${undefined} | ${7} | ${7}  | ${7}
  ${3}         | ${7} | ${5}  | ${7}
  ${7}         | ${5} | ${6}  | ${7}
`('from $before: $rival is written while $ours is on its way; $stands stands', async ({ before, ours, rival, stands }) => {
  const collection = new SteppedCollection();
  if (before !== undefined) collection.rows.set('w', { _id: 'w', owner: 'before', sequence: before });
  collection.betweenSearchAndInsert = () => {
    const stored = collection.rows.get('w');
    if (stored === undefined || (stored['sequence'] as number) < rival) collection.rows.set('w', { _id: 'w', owner: 'rival', sequence: rival });
  };
  await writeBulk(collection.asCollection(), bulkOf(WALLETS, [{ id: 'w', owner: 'ours', sequence: ours }]));
  expect(collection.rows.get('w')?.['sequence']).toBe(stands);
});

test('only what collided is written again, and the rest of the bulk stands', async () => {
  const collection = new SteppedCollection();
  collection.betweenSearchAndInsert = () => collection.rows.set('b', { _id: 'b', owner: 'rival', sequence: 1 });
  const bulk = bulkOf(WALLETS, [
    { id: 'b', owner: 'ours', sequence: 2 },
    { id: 'a', owner: 'ours', sequence: 2 },
  ]);
  const bulks = jest.spyOn(collection, 'bulkWrite');
  await writeBulk(collection.asCollection(), bulk);
  expect([...collection.rows.values()].map(({ _id, owner }) => `${String(_id)} ${String(owner)}`).sort()).toEqual(['a ours', 'b ours']);
  expect(bulks.mock.calls.map(([operations]) => operations.length)).toEqual([2, 1]);
});

test('a row without a guard that another one inserted meanwhile is replaced: the last put stands', async () => {
  const collection = new SteppedCollection();
  collection.betweenSearchAndInsert = () => collection.rows.set('n', { _id: 'n', body: 'rival' });
  await writeBulk(collection.asCollection(), bulkOf(NOTES, [{ id: 'n', body: 'ours' }]));
  expect(collection.rows.get('n')).toEqual({ _id: 'n', body: 'ours' });
});

test('another fault of the server is not taken for a collision', async () => {
  const failing = {
    bulkWrite: async () => {
      throw new MongoBulkWriteError(
        { message: 'disk', code: 14_031, writeErrors: [{ index: 0, code: 14_031 }] } as never,
        {
          getWriteConcernError: () => undefined,
        } as never,
      );
    },
  };
  await expect(writeBulk(failing as unknown as Collection<RowDocument>, bulkOf(NOTES, [{ id: 'n', body: 'x' }]))).rejects.toThrow('disk');
});
