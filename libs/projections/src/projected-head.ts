/**
 * Which commit a projection's rows of a partition end with: its sequence and checksum, beside the store's own checkpoint. A log that was
 * restored from a backup and went on has another commit there; then the rows are not of that log, whatever the numbers say.
 */
import type { CollectionDefinition, Row } from '@sluice/ports';

export const PROJECTED_HEADS: CollectionDefinition = {
  name: 'projected_heads',
  format: 3,
  key: 'head_id',
  fields: { head_id: 'text', projection: 'text', partition: 'number', sequence: 'number', checksum: 'bytes' },
  indexes: {},
  guard: 'sequence',
};

export interface ProjectedHead {
  /** Id of the projection. */
  readonly projection: string;
  readonly partition: number;
  readonly sequence: number;
  readonly checksum: Uint8Array;
}

export const projectedHeadKey = (projection: string, partition: number): string => `${projection}/${partition}`;

export function projectedHeadRow({ projection, partition, sequence, checksum }: ProjectedHead): Row {
  return { head_id: projectedHeadKey(projection, partition), projection, partition, sequence, checksum };
}

export function projectedHeadOf(row: Row): ProjectedHead {
  return {
    projection: row.projection as string,
    partition: row.partition as number,
    sequence: row.sequence as number,
    checksum: row.checksum as Uint8Array,
  };
}
