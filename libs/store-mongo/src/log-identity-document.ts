/** The log's identity: the one document of the collection `log`. */
import { randomBytes } from 'node:crypto';

import { type Collection, type Db, type Document, type Filter, MongoServerError } from 'mongodb';

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

/** The event log in the database is missing, or has no commits, but what was made from one is there. Only the operator may say that it is lost. */
export class MissingEventLogError extends Error {
  constructor(server: string, empty: 'log' | 'commits', left: readonly string[]) {
    super(
      `the event log at ${server} is missing: its collection "${empty}" is empty, but there are ${left.join(', ')}. Nothing was changed. ` +
        'Restore the database of the log; only if it is lost for good begin a new one with "sluice log new", which starts with no accounts',
    );
    this.name = 'MissingEventLogError';
  }
}

export interface IdentityOptions {
  readonly partitions: number;
  readonly readOnly: boolean;
  /** Asked only where no log is found, or no commit. */
  readonly readStoreOf?: (() => Promise<ReadStoreSource | undefined>) | undefined;
}

/** The log that a read store was made from. */
export interface ReadStoreSource {
  readonly incarnation: string;
  /** Whether commits of it are projected. */
  readonly hasCommits: boolean;
}

/** The identity; made where there is none, unless `readOnly`. Throws MissingEventLogError where the log is lost, as far as one can see. */
export async function identityOf(db: Db, server: string, options: IdentityOptions): Promise<LogIdentity> {
  const collection = identityCollection(db);
  let found = (await collection.findOne({ _id: IDENTITY })) ?? undefined;
  if (found === undefined && options.readOnly) throw new NoEventLogError(server);
  if (found === undefined) {
    const left = await leftOfLog(db, await options.readStoreOf?.());
    // Another process may have begun the log meanwhile, and what is there is already of it.
    found = left.length === 0 ? await make(collection, options.partitions) : ((await collection.findOne({ _id: IDENTITY })) ?? undefined);
    if (found === undefined) throw new MissingEventLogError(server, 'log', left);
  } else if (!(await hasCommits(db))) {
    const left = await leftOfCommits(db, found, await options.readStoreOf?.());
    // Another process may have appended the first commit meanwhile.
    if (left.length > 0 && !(await hasCommits(db))) throw new MissingEventLogError(server, 'commits', left);
  }
  if (found.partitions !== options.partitions) throw new PartitionCountMismatchError(server, found.partitions, options.partitions);
  const { incarnation, formerIncarnations } = found;
  return { incarnation, ...(formerIncarnations !== undefined && { formerIncarnations }), partitions: found.partitions, createdAtUs: Number(found.createdAtUs) };
}

/** The identity of a log that is there. Throws NoEventLogError. */
export async function existingIdentity(db: Db): Promise<Pick<LogIdentity, 'incarnation' | 'partitions'>> {
  const found = await identityCollection(db).findOne({ _id: IDENTITY });
  if (found === null) throw new NoEventLogError(db.databaseName);
  return { incarnation: found.incarnation, partitions: found.partitions };
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

/**
 * Begins a new log in the place of one that is lost, or that has lost all its commits: to be called by the operator. Snapshots of the lost log
 * are removed; what the read store has of it is replaced by the projectors.
 * @param succeeds the incarnation that the read store was made from, if any.
 */
export async function beginNewLog(db: Db, options: { readonly partitions: number; readonly succeeds: string | undefined }): Promise<string> {
  const collection = identityCollection(db);
  const { partitions, succeeds } = options;
  if (await hasCommits(db)) throw new EventLogPresentError(db.databaseName);
  const lost = await collection.findOne({ _id: IDENTITY });
  if (lost !== null && lost.partitions !== partitions) throw new PartitionCountMismatchError(db.databaseName, lost.partitions, partitions);
  await db.collection('snapshots').deleteMany({});
  if (lost === null) return (await make(collection, partitions, succeeds === undefined ? [] : [succeeds])).incarnation;
  const incarnation = newIncarnation();
  const formerIncarnations = [...new Set([...(lost.formerIncarnations ?? []), lost.incarnation, ...(succeeds === undefined ? [] : [succeeds])])];
  await collection.updateOne({ _id: IDENTITY, incarnation: lost.incarnation }, { $set: { incarnation, formerIncarnations } });
  return incarnation;
}

/** A new log would stand beside one that is there. */
export class EventLogPresentError extends Error {
  constructor(database: string) {
    super(`the database ${database} has commits of an event log: nothing was changed`);
    this.name = 'EventLogPresentError';
  }
}

async function hasCommits(db: Db): Promise<boolean> {
  return (await db.collection('commits').findOne({}, { projection: { _id: 1 } })) !== null;
}

/** What shows that there was a log, for people. */
async function leftOfLog(db: Db, readStore: ReadStoreSource | undefined): Promise<string[]> {
  const left: string[] = [];
  for (const [collection, filter, what] of LEFT) if ((await db.collection(collection).findOne(filter, { projection: { _id: 1 } })) !== null) left.push(what);
  if (readStore !== undefined) left.push(madeFrom(readStore));
  return left;
}

/** What shows that a log without commits had some. One that succeeds another begins beside what was made from that. */
async function leftOfCommits(db: Db, { incarnation, formerIncarnations = [] }: IdentityDocument, readStore: ReadStoreSource | undefined): Promise<string[]> {
  if (formerIncarnations.length === 0) return leftOfLog(db, readStore?.hasCommits === true ? readStore : undefined);
  return readStore?.hasCommits === true && readStore.incarnation === incarnation ? [madeFrom(readStore)] : [];
}

function madeFrom({ incarnation }: ReadStoreSource): string {
  return `a read store made from the log ${incarnation}`;
}

const LEFT: readonly (readonly [string, Filter<Document>, string])[] = [
  ['commits', {}, 'commits'],
  ['snapshots', {}, 'snapshots'],
  ['keyring', { accountId: { $exists: true } }, 'signing keys'],
];

function identityCollection(db: Db): Collection<IdentityDocument> {
  return db.collection<IdentityDocument>('log');
}

function newIncarnation(): string {
  return randomBytes(16).toString('hex');
}

async function make(collection: Collection<IdentityDocument>, partitions: number, formerIncarnations: readonly string[] = []): Promise<IdentityDocument> {
  const former = formerIncarnations.length > 0 ? { formerIncarnations } : undefined;
  const document: IdentityDocument = { _id: IDENTITY, incarnation: newIncarnation(), ...former, partitions, createdAtUs: BigInt(Date.now()) * 1000n };
  try {
    await collection.insertOne(document);
    return document;
  } catch (error) {
    // Another process made it in the same moment.
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    return (await collection.findOne({ _id: IDENTITY })) as IdentityDocument;
  }
}
