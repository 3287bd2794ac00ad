/** Many rows are read in one statement: what another connection writes meanwhile is in all of them or in none. */
import type { CollectionDefinition } from '@sluice/ports';
import { CollectionTable } from './collection-table';
import type { SqliteConnection } from './sqlite-connection';

const DEFINITION: CollectionDefinition = { name: 'things', key: 'thing_id', fields: { thing_id: 'text' }, indexes: [] } as unknown as CollectionDefinition;

test('a thousand keys, with every kind of character, are one statement', () => {
  const statements: unknown[][] = [];
  const connection = { prepare: () => ({ all: (parameters: unknown[]) => (statements.push(parameters), []) }) } as unknown as SqliteConnection;
  const keys = Array.from({ length: 1_000 }, (_, at) => `key "${at}" ü`);
  expect(new CollectionTable(connection, DEFINITION, 'things').getMany(keys)).toEqual(keys.map(() => undefined));
  expect(statements).toEqual([[JSON.stringify(keys)]]);
});
