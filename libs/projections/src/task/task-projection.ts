/**
 * The projection of tasks. Per flush each row is written once, as the newest event of the flush says it. Rows of tasks are written without
 * being read. Counts, queues and schedules, which are few, are kept in memory and read when they are not there; an event that such a row has
 * already (its sequence is not above the row's) changes nothing in it.
 */
import type { Row, RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { taskEvents } from '@sluice/protocol/task';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from '../projection';
import { RecentCache } from '../recent-cache';
import { countIdOf, TASK_COLLECTIONS, TASK_COUNTS, TASK_QUEUES, TASK_SCHEDULES } from './collections';
import { type CountChange, emptyCounts, type EventRows, type RowGatherer, TASK_EVENT_ROWS } from './task-events-fold';
import { taskVerification } from './task-verification';

export const QUEUE_AGGREGATE = 'queue';

export const taskProjection: Projection = {
  name: 'task',
  format: 2,
  collections: TASK_COLLECTIONS,
  open: (partition, _setAside, cachedAggregates) => new TaskPartitionProjection(partition, cachedAggregates),
  verification: taskVerification,
};

/** A change of a row that goes on from what was there. */
interface RowChange {
  readonly collection: string;
  readonly key: string;
  readonly sequence: number;
  readonly change: (before: Row | undefined) => Row;
}

const COUNTED = ['submitted', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** What a commit changes in the counts of a type. */
interface CountSum {
  readonly queue: string;
  readonly type: string;
  readonly sequence: number;
  readonly changes: Record<(typeof COUNTED)[number], number>;
  started: boolean;
}

class TaskPartitionProjection implements PartitionProjection, RowGatherer {
  private whole = new Map<string, Map<string, Row>>();
  private changes: RowChange[] = [];
  private newestCount: CountSum | undefined;
  private sequence = 0;
  private committedAtUs = 0;
  private readonly cache: RecentCache<Row>;

  constructor(
    private readonly partition: number,
    cachedRows: number,
  ) {
    this.cache = new RecentCache(cachedRows);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    if (!taskEvents.owns(event.type)) return false;
    const { partition, sequence, committedAtUs } = commit;
    this.sequence = sequence;
    this.committedAtUs = committedAtUs;
    const at: EventRows = { rows: this, partition, sequence, committedAtUs };
    taskEvents.read(event, commit, TASK_EVENT_ROWS, at);
    return true;
  }

  // ---- what events say ----

  put(collection: string, row: Row): void {
    let rows = this.whole.get(collection);
    if (rows === undefined) {
      rows = new Map();
      this.whole.set(collection, rows);
    }
    rows.set(keyOf(collection, row), row);
  }

  count(queue: string, type: string, { from, to, started }: CountChange): void {
    const sum = this.countOf(queue, type);
    if (from !== undefined) sum.changes[from] -= 1;
    sum.changes[to] += 1;
    sum.started ||= started;
  }

  /** The changes of a type in this commit are one change of its row: a commit may have thousands of its tasks. */
  private countOf(queue: string, type: string): CountSum {
    const { partition, committedAtUs, newestCount } = this;
    if (newestCount?.queue === queue && newestCount.type === type && newestCount.sequence === this.sequence) return newestCount;
    const sum: CountSum = {
      queue,
      type,
      sequence: this.sequence,
      changes: { submitted: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 },
      started: false,
    };
    this.newestCount = sum;
    this.change(TASK_COUNTS.name, countIdOf(queue, type), (before) => {
      const row = { ...(before ?? emptyCounts(partition, queue, type)) };
      for (const state of COUNTED) row[state] = Number(row[state]) + sum.changes[state];
      if (sum.started) row.last_started_at_us = committedAtUs;
      return row;
    });
    return sum;
  }

  queue(queue: string, change: Readonly<Partial<Record<'paused' | 'limits', boolean | Uint8Array | null>>>): void {
    const { partition } = this;
    this.change(TASK_QUEUES.name, queue, (before) => ({ ...(before ?? { queue, partition, paused: false, limits: null }), ...change }));
  }

  schedule(queue: string, name: string, change: (before: Row | undefined) => Readonly<Partial<Row>>): void {
    const { partition } = this;
    const scheduleId = `${queue}/${name}`;
    this.change(
      TASK_SCHEDULES.name,
      scheduleId,
      (before) => ({ ...(before ?? { schedule_id: scheduleId, partition, queue, name }), ...change(before) }) as Row,
    );
  }

  private change(collection: string, key: string, change: (before: Row | undefined) => Row): void {
    this.changes.push({ collection, key, sequence: this.sequence, change });
  }

  // ---- a flush ----

  missing(): RowKeys {
    const keys = new Map<string, Set<string>>();
    for (const { collection, key } of this.changes) {
      if (this.cache.get(cacheKey(collection, key)) !== undefined) continue;
      const wanted = keys.get(collection) ?? new Set();
      keys.set(collection, wanted);
      wanted.add(key);
    }
    return new Map([...keys].map(([collection, wanted]) => [collection, [...wanted]]));
  }

  project(loaded: LoadedRows): Projected {
    const writes: RowWrite[] = [];
    for (const { name } of TASK_COLLECTIONS) {
      for (const row of this.whole.get(name)?.values() ?? []) writes.push({ kind: 'put', collection: name, row });
    }
    const changed = this.changedRows(loaded);
    for (const [collection, rows] of changed) for (const row of rows.values()) writes.push({ kind: 'put', collection, row });
    this.whole = new Map();
    this.changes = [];
    this.newestCount = undefined;
    const setAside: SetAside[] = [];
    return { writes, setAside, postings: 0, busiest: undefined };
  }

  private changedRows(loaded: LoadedRows): Map<string, Map<string, Row>> {
    const before = new Map<string, number>();
    const changed = new Map<string, Map<string, Row>>();
    for (const { collection, key, sequence, change } of this.changes) {
      const cached = cacheKey(collection, key);
      const row = this.cache.get(cached) ?? loaded.get(collection)?.get(key);
      // A flush that is repeated meets rows that have a part of it already.
      if (!before.has(cached)) before.set(cached, Number(row?.sequence ?? 0));
      if (sequence <= (before.get(cached) as number)) {
        if (row !== undefined) this.cache.set(cached, row);
        continue;
      }
      const next = { ...change(row), sequence };
      this.cache.set(cached, next);
      const rows = changed.get(collection) ?? new Map<string, Row>();
      changed.set(collection, rows);
      rows.set(key, next);
    }
    return changed;
  }
}

const KEYS: ReadonlyMap<string, string> = new Map(TASK_COLLECTIONS.map(({ name, key }) => [name, key]));

function keyOf(collection: string, row: Row): string {
  return row[KEYS.get(collection) as string] as string;
}

function cacheKey(collection: string, key: string): string {
  return `${collection} ${key}`;
}
