/**
 * A commit as one document of the collection `commits`: single-document atomicity makes it all or nothing, and the unique
 * `_id` is the fence between two writers. What stands beside the bytes is for people who look with a shell.
 */
import { Binary, Int32 } from 'mongodb';

import type { CommitRecord, CommitToAppend } from '@sluice/ports';

/** The order and the types of the two fields are part of the key: always int32, then int64. */
export interface CommitId {
  readonly partition: Int32 | number;
  readonly sequence: bigint;
}

export interface CommitDocument {
  readonly _id: CommitId;
  readonly bytes: Binary;
  readonly commandCount: number;
  readonly committedAt: Date;
  readonly eventTypes: readonly string[];
}

export function commitId(partition: number, sequence: number): CommitId {
  return { partition: new Int32(partition), sequence: BigInt(sequence) };
}

/** Every id of the partition, by the order of its documents: MongoDB compares embedded documents field by field. */
export function partitionRange(partition: number): { $gte: CommitId; $lte: CommitId } {
  return { $gte: commitId(partition, 0), $lte: { partition: new Int32(partition), sequence: 2n ** 63n - 1n } };
}

/** Takes a copy of the bytes, because the caller may use their memory again. */
export function toDocument(commit: CommitToAppend): CommitDocument {
  return {
    _id: commitId(commit.partition, commit.sequence),
    bytes: new Binary(Buffer.from(commit.bytes)),
    commandCount: commit.commandCount,
    committedAt: new Date(commit.committedAtUs / 1000),
    eventTypes: [...commit.eventTypes],
  };
}

export function toRecord(document: CommitDocument): CommitRecord {
  return {
    partition: Number(document._id.partition),
    sequence: Number(document._id.sequence),
    bytes: document.bytes.value(),
  };
}
