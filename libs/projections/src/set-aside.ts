/** Aggregates whose projection threw: listed, alarmed, and skipped from that event on, so that the partition goes on. */
import type { CollectionDefinition, Row } from '@sluice/ports';
import type { SetAside } from './projection';

export const SET_ASIDE: CollectionDefinition = {
  name: 'set_aside',
  key: 'aggregate_key',
  fields: { aggregate_key: 'text', aggregate: 'text', key: 'text', partition: 'number', sequence: 'number', error: 'text' },
  indexes: { by_partition: ['partition'] },
};

const MAXIMUM_ERROR_CHARACTERS = 1_000;

export const setAsideKey = (aggregate: string, key: string): string => `${aggregate}/${key}`;

export function setAsideRow({ aggregate, key, partition, sequence, error }: SetAside): Row {
  return { aggregate_key: setAsideKey(aggregate, key), aggregate, key, partition, sequence, error: error.slice(0, MAXIMUM_ERROR_CHARACTERS) };
}

export function setAsideOf(row: Row): SetAside {
  return {
    aggregate: row.aggregate as string,
    key: row.key as string,
    partition: row.partition as number,
    sequence: row.sequence as number,
    error: row.error as string,
  };
}
