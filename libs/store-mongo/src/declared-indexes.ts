/** The indexes of a collection, as MongoDB has them: on the fields that are declared, ascending, and on the key last. */
import { type Collection, MongoNetworkTimeoutError } from 'mongodb';

import type { RowDocument, RowMapping } from './row-document';

/**
 * How often an index build is asked for again. Each answer is waited for as long as the connection's socket limit (30 s by
 * default); the server goes on with the build meanwhile, and says at once when it has it.
 */
const BUILD_ATTEMPTS = 240;

export interface DeclaredIndex {
  /** Says which fields it has: an index whose fields change is another one, and is made beside the old one. */
  readonly name: string;
  readonly key: Readonly<Record<string, 1>>;
}

export function declaredIndexes({ definition }: Pick<RowMapping, 'definition'>): DeclaredIndex[] {
  return Object.values(definition.indexes).map((fields) => ({
    name: indexName([...fields, definition.key]),
    key: Object.fromEntries([...fields, '_id'].map((field) => [field, 1 as const])),
  }));
}

/** Name of the index on the fields, of which the last one is the key. */
export function indexName(fields: readonly string[]): string {
  return fields.length === 1 ? '_id_' : `by_${fields.slice(0, -1).join('_')}`;
}

/** Makes those that are missing and waits until they can be used. An index that is no longer declared stays until a rebuild. */
export async function ensureIndexes(collection: Pick<Collection<RowDocument>, 'createIndexes'>, mapping: Pick<RowMapping, 'definition'>): Promise<void> {
  const indexes = declaredIndexes(mapping);
  if (indexes.length === 0) return;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await collection.createIndexes(indexes.map(({ name, key }) => ({ name, key })));
      return;
    } catch (error) {
      if (!(error instanceof MongoNetworkTimeoutError) || attempt === BUILD_ATTEMPTS) throw error;
    }
  }
}
