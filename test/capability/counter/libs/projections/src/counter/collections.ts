/** The read collections of counters: a row per counter, and per partition how many there are. */
import type { CollectionDefinition } from '@sluice/ports';

export const COUNTERS: CollectionDefinition = {
  name: 'counters',
  key: 'counter_id',
  fields: { counter_id: 'text', partition: 'number', value: 'int64', additions: 'number', sequence: 'number' },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const COUNTER_TOTALS: CollectionDefinition = {
  name: 'counter_totals',
  key: 'partition_id',
  fields: { partition_id: 'text', partition: 'number', counters: 'number', value: 'int64', sequence: 'number' },
  indexes: {},
  guard: 'sequence',
};
