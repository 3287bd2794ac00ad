/**
 * A projection that came later than the log: the openings of accounts, and how many there are. Its formats differ in a field, so that the
 * rows of one are of no use to the other.
 */
import type { CollectionDefinition, FieldValue, ReadCopy, RowWrite } from '@sluice/ports';
import { type LoadedRows, type PartitionProjection, type Projected, type Projection, type RowKeys, rowKind, verifyRows } from '@sluice/projections';
import { type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';

const OPENINGS: CollectionDefinition = {
  name: 'openings',
  key: 'account_id',
  fields: { account_id: 'text', partition: 'number', unit: 'text', sequence: 'number' },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};
const COUNTS: CollectionDefinition = {
  name: 'opening_counts',
  key: 'partition_id',
  fields: { partition_id: 'text', openings: 'number', sequence: 'number' },
  indexes: {},
  guard: 'sequence',
};

export function openingsProjection(format: 1 | 2): Projection {
  const openings = format === 1 ? OPENINGS : { ...OPENINGS, fields: { ...OPENINGS.fields, opened_at_us: 'number' as const } };
  return {
    name: 'opening',
    format,
    collections: [openings, COUNTS],
    open: (partition) => new PartitionOpenings(partition, format),
    verification: VERIFICATION,
  };
}

interface Opening {
  readonly accountId: string;
  readonly unit: string;
  readonly sequence: number;
  readonly openedAtUs: number;
}

const VERIFICATION = verifyRows(
  rowKind<Opening>({
    aggregate: 'account',
    collection: OPENINGS,
    counted: 'openings',
    fold: (commit, change) => {
      for (const event of commit.events) readOpening(commit, event, (opening) => change(opening.accountId, () => opening));
    },
    row: ({ unit, sequence }) => ({ unit, sequence }),
  }),
  rowKind<number>({
    aggregate: 'partition',
    collection: COUNTS,
    keyOf: String,
    counted: 'counts',
    fold: (commit, change) => {
      for (const event of commit.events) readOpening(commit, event, () => change(String(commit.partition), (count) => (count ?? 0) + 1));
    },
    row: (openings) => ({ openings }),
  }),
);

function readOpening(commit: DecodedCommit, event: EventRecord, visit: (opening: Opening) => void): boolean {
  if (event.type !== accountEvents.written('AccountOpened').type) return false;
  const { accountId, unit } = accountpb.AccountOpened.decode(event.payload);
  visit({ accountId, unit, sequence: commit.sequence, openedAtUs: commit.committedAtUs });
  return true;
}

class PartitionOpenings implements PartitionProjection {
  private taken: Opening[] = [];
  private readonly countKey: string;

  constructor(
    private readonly partition: number,
    private readonly format: 1 | 2,
  ) {
    this.countKey = String(partition);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    return readOpening(commit, event, (opening) => void this.taken.push(opening));
  }

  missing(): RowKeys {
    return this.taken.length === 0 ? new Map<string, string[]>() : new Map([[COUNTS.name, [this.countKey]]]);
  }

  project(loaded: LoadedRows): Projected {
    const { partition, format, countKey } = this;
    const count = loaded.get(COUNTS.name)?.get(countKey);
    const counted = (count?.sequence as number | undefined) ?? 0;
    const writes = this.taken.map(({ accountId, unit, sequence, openedAtUs }): RowWrite => {
      const row = { account_id: accountId, partition, unit, sequence, ...(format === 2 && { opened_at_us: openedAtUs }) };
      return { kind: 'put', collection: OPENINGS.name, row };
    });
    // What the count has already is not counted again, also where the rows of a broken-off write are ahead of it.
    const fresh = this.taken.filter(({ sequence }) => sequence > counted);
    const newest = fresh.at(-1);
    if (newest !== undefined) {
      const openings = ((count?.openings as number | undefined) ?? 0) + fresh.length;
      writes.push({ kind: 'put', collection: COUNTS.name, row: { partition_id: countKey, openings, sequence: newest.sequence } });
    }
    this.taken = [];
    return { writes, setAside: [], postings: 0, busiest: undefined };
  }
}

/** What the rows say: accounts with their units, and the sum of the counts. */
export async function openingsIn(copy: ReadCopy): Promise<{ readonly openings: Record<string, FieldValue | undefined>; readonly count: number }> {
  const { rows } = await copy.find({ collection: OPENINGS.name, limit: 1_000 });
  const counts = await copy.find({ collection: COUNTS.name, limit: 1_000 });
  return {
    openings: Object.fromEntries(rows.map((row) => [row.account_id, row.unit])),
    count: counts.rows.reduce((sum, { openings }) => sum + (openings as number), 0),
  };
}
