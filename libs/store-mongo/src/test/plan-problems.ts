/** Reads explain: whether a query is answered by one index, in its order. The stand-in has no explain: there the index itself is looked at. */
import type { IndexDescriptionInfo } from 'mongodb';
import { type CollectionDefinition, type ReadCopy, type RowQuery, type RowScan, scanOf, storedName } from '@sluice/ports';
import { indexName } from '../declared-indexes';
import type { MongoConnection } from '../mongo-connection';
import type { MongoReadCopy } from '../mongo-read-copy';
import { serverKind } from './fresh-database';

/** What may stand in a plan beside the reading of an index. */
const HARMLESS_STAGES: ReadonlySet<string> = new Set(['FETCH', 'LIMIT']);

/** Why the plan of the query would read more than its index says; empty: it does not. */
export async function planProblems(connection: MongoConnection, definition: CollectionDefinition, copy: ReadCopy, query: RowQuery): Promise<string[]> {
  const scan = scanOf(definition, query);
  if (scan === undefined) return [];
  if (serverKind() === 'mongo-java-server') return missingIndex(connection, definition, copy, scan);
  const reading = `IXSCAN ${indexName(scan.fields)}`;
  const plans = await (copy as MongoReadCopy).explain(query);
  return plans.flatMap((stages) => {
    if (stages.filter((stage) => stage === reading).length !== 1) return [`not ${reading}: ${stages.join(' < ')}`];
    return stages.filter((stage) => stage !== reading && !HARMLESS_STAGES.has(stage));
  });
}

async function missingIndex(connection: MongoConnection, definition: CollectionDefinition, copy: ReadCopy, { fields }: RowScan): Promise<string[]> {
  if (fields.length === 1) return [];
  const indexes = await indexesOf(connection, `${copy.name}_${storedName(definition)}`);
  const found = indexes.find((index) => index.name === indexName(fields))?.key;
  // The order of the fields is what makes an index answer the query.
  const wanted = [...fields.slice(0, -1), '_id'].map((field) => `${field} 1`);
  const has = Object.entries(found ?? {}).map(([field, direction]) => `${field} ${direction}`);
  return has.join() === wanted.join() ? [] : [`the index on ${wanted.join(', ')} of ${definition.name} is on ${has.join(', ')}`];
}

const listed = new Map<string, Promise<IndexDescriptionInfo[]>>();

/** Looked at once: names of copies are unique, and their indexes are made before anybody reads. */
function indexesOf(connection: MongoConnection, collection: string): Promise<IndexDescriptionInfo[]> {
  const known = listed.get(collection);
  if (known !== undefined) return known;
  const indexes = connection.db.collection(collection).listIndexes().toArray() as Promise<IndexDescriptionInfo[]>;
  listed.set(collection, indexes);
  return indexes;
}
