/**
 * Gives up the commits of a partition from a sequence on: called by a person, while no service runs on the log. What is given up is kept
 * beside the log, in the collection `droppedCommits`, and no program reads it. The log has a new incarnation afterwards, so that read stores, snapshots
 * and position tokens that reflect what is gone are refused or made anew.
 */
import type { CommitDocument } from './commit-document';
import { commitId, partitionRange } from './commit-document';
import { existingIdentity, renewIncarnation } from './log-identity-document';
import { DURABLE, type MongoConnection } from './mongo-connection';
import { MongoEventLog } from './mongo-event-log';

const DROPPED = 'droppedCommits';

export interface LogRepair {
  readonly dropped: number;
  /** The log's from now on. */
  readonly incarnation: string;
  /** The collection that keeps what was dropped. */
  readonly keptIn: string;
}

/** Newest sequence of every partition, 0 for empty ones. Throws NoEventLogError. */
export async function logExtent(connection: MongoConnection): Promise<number[]> {
  return (await openLog(connection)).headSequences();
}

/** An interrupted repair is done again by a second call. Throws NoEventLogError. */
export async function repairLog(connection: MongoConnection, { partition, sequence }: { partition: number; sequence: number }): Promise<LogRepair> {
  const log = await openLog(connection);
  await keepDropped(connection, log.identity.incarnation, partition, sequence);
  // Before the first commit goes: whatever breaks off in between leaves nothing that could take the log for the one it was.
  const incarnation = await renewIncarnation(connection.db);
  return { dropped: await log.dropFrom(partition, sequence), incarnation, keptIn: DROPPED };
}

async function openLog(connection: MongoConnection): Promise<MongoEventLog> {
  const { partitions } = await existingIdentity(connection.db);
  return MongoEventLog.open({ connection, partitions, readOnly: true });
}

/** By the incarnation that the commits had: a partition may be repaired more than once. */
async function keepDropped({ db }: MongoConnection, incarnation: string, partition: number, sequence: number): Promise<void> {
  const dropped = db.collection<{ _id: { incarnation: string; partition: number; sequence: bigint } }>(DROPPED);
  const { $lte } = partitionRange(partition);
  for await (const { _id, ...commit } of db.collection<CommitDocument>('commits').find({ _id: { $gte: commitId(partition, sequence), $lte } })) {
    const id = { incarnation, partition, sequence: _id.sequence };
    await dropped.replaceOne({ _id: id }, commit, { upsert: true, writeConcern: DURABLE });
  }
}
