/**
 * Which commit a partition's rows end with: its sequence and checksum, beside the store's own checkpoint. A log that was
 * restored from a backup and went on has another commit there; then the rows are not of that log, whatever the numbers say.
 */
import type { CollectionDefinition, Row } from '@sluice/ports';

/** Rises when the collections or what is in them change: rows of another format are rebuilt. */
export const PROJECTION_FORMAT = 2;

export const PROJECTED_HEADS: CollectionDefinition = {
  name: 'projected_heads',
  key: 'partition_id',
  fields: { partition_id: 'text', sequence: 'number', checksum: 'bytes', format: 'number' },
  indexes: {},
  guard: 'sequence',
};

export interface ProjectedHead {
  readonly partition: number;
  readonly sequence: number;
  readonly checksum: Uint8Array;
  readonly format: number;
}

export const projectedHeadKey = (partition: number): string => String(partition);

export function projectedHeadRow(head: ProjectedHead): Row {
  return { partition_id: projectedHeadKey(head.partition), sequence: head.sequence, checksum: head.checksum, format: head.format };
}

export function projectedHeadOf(row: Row): ProjectedHead {
  return {
    partition: Number(row.partition_id),
    sequence: row.sequence as number,
    checksum: row.checksum as Uint8Array,
    format: row.format as number,
  };
}
