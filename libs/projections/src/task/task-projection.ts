/**
 * The projection of tasks. Per flush each row is written once, as the newest event of the flush says it. Rows of tasks are written without
 * being read. Counts, queues and schedules, which are few, are kept in memory and read when they are not there; an event that such a row has
 * already (its sequence is not above the row's) changes nothing in it.
 *
 * A queue that cannot be folded is set aside: nothing of it is written from its first event of the flush on. The other queues go on.
 */
import type { Row, RowWrite } from '@sluice/ports';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { taskEvents } from '@sluice/protocol/task';
import type { LoadedRows, PartitionProjection, Projected, Projection, RowKeys, SetAside } from '../projection';
import { RecentCache } from '../recent-cache';
import { SetAsideAggregates } from '../set-aside';
import { QUEUE_AGGREGATE, TASK_COLLECTIONS } from './collections';
import { type ChangedRow, QueueFlush } from './queue-flush';
import { TASK_EVENT_ROWS } from './task-events-fold';
import { taskVerification } from './task-verification';

export const taskProjection: Projection = {
  name: 'task',
  format: 3,
  collections: TASK_COLLECTIONS,
  open: (partition, setAside, cachedAggregates) => new TaskPartitionProjection(partition, setAside, cachedAggregates),
  verification: taskVerification,
};

class TaskPartitionProjection implements PartitionProjection {
  private flushes = new Map<string, QueueFlush>();
  /** Queues that were set aside in this flush. */
  private failed: SetAside[] = [];
  private readonly aside: SetAsideAggregates;
  /** Rows that the flush goes on from, as far as they were in memory when it was asked what is missing. */
  private known = new Map<string, Row>();
  private readonly cache: RecentCache<Row>;

  constructor(partition: number, setAside: readonly SetAside[], cachedRows: number) {
    this.cache = new RecentCache(cachedRows);
    this.aside = new SetAsideAggregates(QUEUE_AGGREGATE, partition, setAside);
  }

  take(commit: DecodedCommit, event: EventRecord): boolean {
    if (!taskEvents.owns(event.type)) return false;
    const queueEvent = taskEvents.read(event, commit, TASK_EVENT_ROWS, undefined);
    const { queue } = queueEvent;
    if (this.aside.skips(queue, commit.sequence)) return true;
    const { partition, sequence, committedAtUs } = commit;
    const at = { partition, sequence, committedAtUs };
    let flush = this.flushes.get(queue);
    if (flush === undefined) {
      flush = new QueueFlush(queue, at);
      this.flushes.set(queue, flush);
    }
    try {
      flush.take(queueEvent, at);
    } catch (error) {
      this.setAside(queue, flush, error);
    }
    return true;
  }

  missing(): RowKeys {
    const keys = new Map<string, string[]>();
    for (const { changed } of this.flushes.values()) {
      for (const [id, { collection, key }] of changed) {
        const row = this.cache.get(id);
        if (row === undefined) listOf(keys, collection).push(key);
        else this.known.set(id, row);
      }
    }
    return keys;
  }

  project(loaded: LoadedRows): Projected {
    const changed = new Map<string, Row[]>();
    for (const [queue, flush] of this.flushes) {
      try {
        for (const { collection, row } of this.changedRows(flush, loaded)) listOf(changed, collection).push(row);
      } catch (error) {
        this.setAside(queue, flush, error);
      }
    }
    const writes: RowWrite[] = [];
    for (const { name } of TASK_COLLECTIONS) {
      for (const { whole } of this.flushes.values()) for (const row of whole.get(name)?.values() ?? []) writes.push({ kind: 'put', collection: name, row });
    }
    for (const [collection, rows] of changed) for (const row of rows) writes.push({ kind: 'put', collection, row });
    const setAside = this.failed;
    this.flushes = new Map();
    this.failed = [];
    this.known = new Map();
    return { writes, setAside, postings: 0, busiest: undefined };
  }

  /** The rows of the queue that go on from what was there. Throws if one cannot; then none of them is kept. */
  private changedRows({ changed }: QueueFlush, loaded: LoadedRows): { readonly collection: string; readonly row: Row }[] {
    const rows: { id: string; collection: string; before: Row | undefined; row: Row }[] = [];
    for (const [id, { collection, key, changes }] of changed) {
      const before = this.known.get(id) ?? loaded.get(collection)?.get(key);
      const row = changedRow(before, changes);
      if (row !== undefined) rows.push({ id, collection, before, row });
    }
    for (const { id, row } of rows) this.cache.set(id, row);
    return rows.filter(({ before, row }) => row !== before);
  }

  private setAside(queue: string, { first }: QueueFlush, error: unknown): void {
    this.flushes.delete(queue);
    this.failed.push(this.aside.add(queue, first.sequence, error));
  }
}

/** @returns the row itself if it has every change: a flush that is repeated meets rows that have a part of it. */
function changedRow(before: Row | undefined, changes: ChangedRow['changes']): Row | undefined {
  const has = (before?.sequence as number | undefined) ?? 0;
  let row = before;
  for (const { sequence, change } of changes) if (sequence > has) row = { ...change(row), sequence };
  return row;
}

function listOf<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  let list = lists.get(name);
  if (list === undefined) {
    list = [];
    lists.set(name, list);
  }
  return list;
}
