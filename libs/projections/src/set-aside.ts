/**
 * Aggregates whose projection threw: listed, alarmed, and skipped from that event on, so that the partition goes on. Rows of another format
 * are projected anew, so an aggregate is set aside in one format only.
 */
import type { CollectionDefinition, Row } from '@sluice/ports';
import type { SetAside } from './projection';

export const SET_ASIDE: CollectionDefinition = {
  name: 'set_aside',
  format: 3,
  key: 'aggregate_key',
  fields: { aggregate_key: 'text', projection: 'text', aggregate: 'text', key: 'text', partition: 'number', sequence: 'number', error: 'text' },
  indexes: { by_partition: ['projection', 'partition'] },
};

/** Aggregates of one kind that are set aside in a partition: their events from that sequence on are skipped. */
export class SetAsideAggregates {
  private readonly from = new Map<string, number>();

  /** @param setAside of all kinds, those that were set aside before. */
  constructor(
    private readonly aggregate: string,
    private readonly partition: number,
    setAside: readonly SetAside[],
  ) {
    for (const one of setAside) if (one.aggregate === aggregate) this.from.set(one.key, one.sequence);
  }

  skips(key: string, sequence: number): boolean {
    return sequence >= (this.from.get(key) ?? Number.POSITIVE_INFINITY);
  }

  /** @param sequence of the first event that is skipped. */
  add(key: string, sequence: number, error: unknown): SetAside {
    this.from.set(key, sequence);
    const { aggregate, partition } = this;
    return { aggregate, key, partition, sequence, error: error instanceof Error ? error.message : String(error) };
  }
}

const MAXIMUM_ERROR_CHARACTERS = 1_000;

/** @param projection id of the projection that threw. */
export const setAsideKey = (projection: string, aggregate: string, key: string): string => `${projection}/${aggregate}/${key}`;

export function setAsideRow(projection: string, { aggregate, key, partition, sequence, error }: SetAside): Row {
  return {
    aggregate_key: setAsideKey(projection, aggregate, key),
    projection,
    aggregate,
    key,
    partition,
    sequence,
    error: error.slice(0, MAXIMUM_ERROR_CHARACTERS),
  };
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
