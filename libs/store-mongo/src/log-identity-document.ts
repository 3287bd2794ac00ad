/** The log's identity: the one document of the collection `log`. */
import { randomBytes } from 'node:crypto';

import { type Collection, type Db, MongoServerError } from 'mongodb';

import type { LogIdentity } from '@sluice/ports';

export const DUPLICATE_KEY = 11_000;

const IDENTITY = 'identity';

interface IdentityDocument {
  readonly _id: typeof IDENTITY;
  readonly incarnation: string;
  /** Those before restores. */
  readonly formerIncarnations?: readonly string[];
  readonly partitions: number;
  readonly createdAtUs: bigint;
}

/** The log was made with another number of partitions than it is opened with. */
export class PartitionCountMismatchError extends Error {
  constructor(server: string, made: number, asked: number) {
    super(
      `the event log at ${server} was made with ${made} partitions, the configuration makes ${asked} (servers × containers): ` +
        `choose servers and containers whose product is ${made}, or another database`,
    );
    this.name = 'PartitionCountMismatchError';
  }
}

/** Nobody has made an event log in this database yet: the first command instance does. */
export class NoEventLogError extends Error {
  constructor(server: string) {
    super(`there is no event log at ${server} yet`);
    this.name = 'NoEventLogError';
  }
}

/** The identity; made where there is none, unless `readOnly`. */
export async function identityOf(db: Db, server: string, options: { partitions: number; readOnly: boolean }): Promise<LogIdentity> {
  const collection = identityCollection(db);
  const found = (await collection.findOne({ _id: IDENTITY })) ?? (options.readOnly ? undefined : await make(collection, options.partitions));
  if (found === undefined) throw new NoEventLogError(server);
  if (found.partitions !== options.partitions) throw new PartitionCountMismatchError(server, found.partitions, options.partitions);
  const { incarnation, formerIncarnations } = found;
  return { incarnation, ...(formerIncarnations !== undefined && { formerIncarnations }), partitions: found.partitions, createdAtUs: Number(found.createdAtUs) };
}

/**
 * Gives the log a new incarnation: to be called once, by a person, after the log was restored from a backup and before
 * anything is started on it. Read stores, snapshots and position tokens of the old one are refused from then on.
 */
export async function renewIncarnation(db: Db): Promise<string> {
  const collection = identityCollection(db);
  const found = await collection.findOne({ _id: IDENTITY });
  if (found === null) throw new NoEventLogError(db.databaseName);
  const incarnation = newIncarnation();
  const formerIncarnations = [...(found.formerIncarnations ?? []), found.incarnation];
  await collection.updateOne({ _id: IDENTITY, incarnation: found.incarnation }, { $set: { incarnation, formerIncarnations } });
  return incarnation;
}

function identityCollection(db: Db): Collection<IdentityDocument> {
  return db.collection<IdentityDocument>('log');
}

function newIncarnation(): string {
  return randomBytes(16).toString('hex');
}

async function make(collection: Collection<IdentityDocument>, partitions: number): Promise<IdentityDocument> {
  const document: IdentityDocument = { _id: IDENTITY, incarnation: newIncarnation(), partitions, createdAtUs: BigInt(Date.now()) * 1000n };
  try {
    await collection.insertOne(document);
    return document;
  } catch (error) {
    // Another process made it in the same moment.
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    return (await collection.findOne({ _id: IDENTITY })) as IdentityDocument;
  }
}
