/**
 * The writes of a projected batch as bulk writes: what is left of the writes per key, in bulks that are bounded in number and in bytes.
 *
 * A guarded row is replaced only where its guard is below the new one. Where the upsert finds no such row it inserts, and
 * collides with a row that is there: one whose guard is not below, or one that another projector inserted in between. Which of
 * the two, the server decides by the same write without the upsert: it replaces the second and leaves the first. So late and
 * repeated writes change nothing, on any server and without a transaction.
 */
import { type AnyBulkWriteOperation, type Collection, MongoBulkWriteError } from 'mongodb';

import type { RowWrite } from '@sluice/ports';

import { DUPLICATE_KEY } from './log-identity-document';
import { approximateBytes, type RowDocument, type RowMapping } from './row-document';

const BULK_OPERATIONS = 1_000;
const BULK_BYTES = 8 * 1024 * 1024;
const DELETE_BYTES = 200;

export type RowOperation = AnyBulkWriteOperation<RowDocument>;

/** What is left of several writes to one key. */
interface KeyedWrite {
  readonly operation: RowOperation;
  readonly bytes: number;
  /** The guard of a put; undefined: not guarded, or a delete. */
  readonly guard: number | undefined;
  /** A row that was there before the batch is gone at this point, so that its guard says nothing about later puts. */
  readonly cleared: boolean;
}

/** Bulks per collection, each to be written after the one before. Throws for a row that is not one of its collection. */
export function bulksOf(writes: readonly RowWrite[], mappingOf: (collection: string) => RowMapping): Map<string, RowOperation[][]> {
  const collections = new Map<string, Map<string, KeyedWrite>>();
  for (const write of writes) {
    const mapping = mappingOf(write.collection);
    const keyed = collections.get(write.collection) ?? new Map<string, KeyedWrite>();
    collections.set(write.collection, keyed);
    if (write.kind === 'delete') {
      keyed.set(write.key, { operation: { deleteOne: { filter: { _id: write.key } } }, bytes: DELETE_BYTES, guard: undefined, cleared: true });
      continue;
    }
    const document = mapping.toDocument(write.row);
    const before = keyed.get(document._id);
    const guard = mapping.definition.guard === undefined ? undefined : Number(document[mapping.definition.guard]);
    if (guard !== undefined && before?.guard !== undefined && guard <= before.guard) continue;
    const cleared = before?.cleared ?? false;
    const operation = replacement(document, cleared ? undefined : mapping.definition.guard);
    keyed.set(document._id, { operation, bytes: approximateBytes(document), guard, cleared });
  }
  return new Map([...collections].map(([collection, keyed]) => [collection, cut([...keyed.values()])]));
}

/** Writes a bulk; rows that stand at or above the guard of their write are left as they are. */
export async function writeBulk(collection: Collection<RowDocument>, operations: RowOperation[]): Promise<void> {
  const collided = await writeAndCollide(collection, operations);
  if (collided.length > 0) await collection.bulkWrite(collided.map(withoutUpsert), { ordered: false });
}

/** The operations whose insert met a row of that key. */
async function writeAndCollide(collection: Collection<RowDocument>, operations: RowOperation[]): Promise<RowOperation[]> {
  try {
    await collection.bulkWrite(operations, { ordered: false });
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) throw error;
    const errors = [error.writeErrors].flat();
    if (errors.length === 0 || errors.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
    return errors.map(({ index }) => operations[index] as RowOperation);
  }
}

function replacement(document: RowDocument, guard: string | undefined): RowOperation {
  const filter = guard === undefined ? { _id: document._id } : { _id: document._id, [guard]: { $lt: document[guard] } };
  return { replaceOne: { filter, replacement: document, upsert: true } };
}

function withoutUpsert(operation: RowOperation): RowOperation {
  if (!('replaceOne' in operation)) throw new Error('only an upsert collides with a row of its key');
  return { replaceOne: { ...operation.replaceOne, upsert: false } };
}

function cut(writes: readonly KeyedWrite[]): RowOperation[][] {
  const bulks: RowOperation[][] = [];
  let bulk: RowOperation[] = [];
  let bytes = 0;
  for (const write of writes) {
    if (bulk.length > 0 && (bulk.length >= BULK_OPERATIONS || bytes + write.bytes > BULK_BYTES)) {
      bulks.push(bulk);
      bulk = [];
      bytes = 0;
    }
    bulk.push(write.operation);
    bytes += write.bytes;
  }
  if (bulk.length > 0) bulks.push(bulk);
  return bulks;
}
