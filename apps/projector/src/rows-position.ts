/**
 * Where the rows of a partition end in the log, or that they are not of this log: its incarnation is another, it ends before
 * them (a restore, a repair), or it has another commit there. Then only a rebuild helps.
 */
import type { EventLog, ReadCopy, ReadStore } from '@sluice/ports';
import { PROJECTED_HEADS, projectedHeadKey, projectedHeadOf, type Projection, projectionId } from '@sluice/projections';
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

export interface ProjectionPosition {
  readonly projection: Projection;
  /** Where its rows end. */
  readonly position: LogPosition;
}

/** Where the rows of each projection end. Throws RowsNotOfLogError. */
export async function positionsOfRows(copy: ReadCopy, log: EventLog, partition: number, projections: readonly Projection[]): Promise<ProjectionPosition[]> {
  const beginning = beginningOf(log.identity, partition);
  const checkpoints = new Map(
    (await copy.checkpoints()).filter((one) => one.partition === partition).map(({ projection, sequence }) => [projection, sequence] as const),
  );
  const positions: ProjectionPosition[] = [];
  for (const projection of projections) {
    const id = projectionId(projection);
    const sequence = checkpoints.get(id) ?? 0;
    positions.push({
      projection,
      position: sequence === 0 ? beginning : { ...beginning, sequence, checksum: await checksumOfRows(copy, log, partition, id, sequence) },
    });
  }
  return positions;
}

/** Checksum of the commit at the checkpoint of the projection. Throws RowsNotOfLogError where the log has another commit than was projected. */
async function checksumOfRows(copy: ReadCopy, log: EventLog, partition: number, id: string, sequence: number): Promise<Uint8Array> {
  const row = await copy.get(PROJECTED_HEADS.name, projectedHeadKey(id, partition));
  if (row === undefined) throw new RowsNotOfLogError(`partition ${partition}: it does not say which commit the rows of ${id} end with`);
  // After a crash on a store without transactions the rows may be ahead of the checkpoint.
  const head = projectedHeadOf(row);
  const newest = await checksumAt(log, partition, head.sequence);
  if (Buffer.compare(newest, head.checksum) !== 0)
    throw new RowsNotOfLogError(`partition ${partition}: the log has another commit ${head.sequence} than the one projected`);
  return head.sequence === sequence ? newest : checksumAt(log, partition, sequence);
}

async function checksumAt(log: EventLog, partition: number, sequence: number): Promise<Uint8Array> {
  const [record] = await log.read(partition, sequence, { maxCommits: 1, maxBytes: 1 });
  if (record?.sequence !== sequence) throw new RowsNotOfLogError(`partition ${partition}: the log ends before sequence ${sequence}, which is projected`);
  // A commit that was changed says nothing about the rows.
  verifyChecksum(partition, sequence, record.bytes);
  return readCommit(record.bytes).checksum;
}
