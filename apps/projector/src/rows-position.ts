/**
 * Where the rows of a partition end in the log, or that they are not of this log: its incarnation is another, it ends before
 * them (a restore, a repair), it has another commit there, or the rows are of another format. Then only a rebuild helps.
 */
import type { EventLog, ReadCopy, ReadStore } from '@sluice/ports';
import { PROJECTED_HEADS, PROJECTION_FORMAT, projectedHeadKey, projectedHeadOf } from '@sluice/projections';
import { beginningOf, type LogPosition, readCommit, verifyChecksum } from '@sluice/protocol';

export class RowsNotOfLogError extends Error {
  constructor(why: string) {
    super(`the read store is to be rebuilt: ${why}`);
    this.name = 'RowsNotOfLogError';
  }
}

/** Throws RowsNotOfLogError where the store as a whole was made from another log. */
export async function assertStoreOfLog(store: ReadStore, log: EventLog): Promise<void> {
  const { incarnation, partitions } = log.identity;
  const [storeIncarnation, storePartitions] = [await store.incarnation(), await store.partitions()];
  if (storeIncarnation !== incarnation) throw new RowsNotOfLogError(`it was made from log incarnation ${storeIncarnation}, the log is ${incarnation}`);
  if (storePartitions !== partitions) throw new RowsNotOfLogError(`it was made from a log of ${storePartitions} partitions, the log has ${partitions}`);
}

export async function positionOfRows(copy: ReadCopy, log: EventLog, partition: number): Promise<LogPosition> {
  const beginning = beginningOf(log.identity, partition);
  const sequence = (await copy.checkpoints()).find((checkpoint) => checkpoint.partition === partition)?.sequence ?? 0;
  if (sequence === 0) return beginning;
  const row = await copy.get(PROJECTED_HEADS.name, projectedHeadKey(partition));
  const head = row && projectedHeadOf(row);
  if (head?.format !== PROJECTION_FORMAT) throw new RowsNotOfLogError(`its format is ${head?.format}, not ${PROJECTION_FORMAT}`);
  // After a crash on a store without transactions the rows may be ahead of the checkpoint.
  const newest = await checksumAt(log, partition, head.sequence);
  if (Buffer.compare(newest, head.checksum) !== 0)
    throw new RowsNotOfLogError(`partition ${partition}: the log has another commit ${head.sequence} than the one projected`);
  return { ...beginning, sequence, checksum: head.sequence === sequence ? newest : await checksumAt(log, partition, sequence) };
}

async function checksumAt(log: EventLog, partition: number, sequence: number): Promise<Uint8Array> {
  const [record] = await log.read(partition, sequence, { maxCommits: 1, maxBytes: 1 });
  if (record?.sequence !== sequence) throw new RowsNotOfLogError(`partition ${partition}: the log ends before sequence ${sequence}, which is projected`);
  // A commit that was changed says nothing about the rows.
  verifyChecksum(partition, sequence, record.bytes);
  return readCommit(record.bytes).checksum;
}
