/**
 * What a flush says of one queue. Its rows leave together or not at all: a queue that cannot be folded stays as it was before the flush.
 */
import type { Row } from '@sluice/ports';
import type { CommitPlace } from '../projection';
import { countIdOf, TASK_COLLECTIONS, TASK_COUNTS, TASK_QUEUES, TASK_SCHEDULES } from './collections';
import { type CountChange, emptyCounts, type QueueEvent, type RowGatherer } from './task-events-fold';

/** A row that goes on from what was there. */
export interface ChangedRow {
  readonly collection: string;
  readonly key: string;
  /** In order. */
  readonly changes: { readonly sequence: number; readonly change: (before: Row | undefined) => Row }[];
}

const COUNTED = ['submitted', 'running', 'succeeded', 'failed', 'cancelled'] as const;

/** What a commit changes in the counts of a type. */
interface CountSum {
  readonly type: string;
  readonly sequence: number;
  readonly changes: Record<(typeof COUNTED)[number], number>;
  started: boolean;
}

export class QueueFlush implements RowGatherer {
  /** Rows that events say whole, by collection and key. */
  readonly whole = new Map<string, Map<string, Row>>();
  /** By collection and key. */
  readonly changed = new Map<string, ChangedRow>();
  private at: CommitPlace;
  private newestCount: CountSum | undefined;

  constructor(
    private readonly name: string,
    /** The first commit in it. */
    readonly first: CommitPlace,
  ) {
    this.at = first;
  }

  /** Throws for an event that cannot be folded; then nothing of the flush is to be used. */
  take(event: QueueEvent, at: CommitPlace): void {
    this.at = at;
    event.fold({ ...at, rows: this });
  }

  put(collection: string, row: Row): void {
    let rows = this.whole.get(collection);
    if (rows === undefined) {
      rows = new Map();
      this.whole.set(collection, rows);
    }
    rows.set(row[KEYS.get(collection) as string] as string, row);
  }

  count(type: string, { from, to, started }: CountChange): void {
    const sum = this.countOf(type);
    if (from !== undefined) sum.changes[from] -= 1;
    sum.changes[to] += 1;
    sum.started ||= started;
  }

  /** The changes of a type in this commit are one change of its row: a commit may have thousands of its tasks. */
  private countOf(type: string): CountSum {
    const { name: queue, newestCount } = this;
    const { partition, sequence, committedAtUs } = this.at;
    if (newestCount?.type === type && newestCount.sequence === sequence) return newestCount;
    const sum: CountSum = { type, sequence, changes: { submitted: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0 }, started: false };
    this.newestCount = sum;
    this.change(TASK_COUNTS.name, countIdOf(queue, type), (before) => {
      const row = { ...(before ?? emptyCounts(partition, queue, type)) };
      for (const state of COUNTED) row[state] = counted(Number(row[state]), sum.changes[state], `${state} tasks of the type ${JSON.stringify(type)}`);
      if (sum.started) row.last_started_at_us = committedAtUs;
      return row;
    });
    return sum;
  }

  queue(change: Readonly<Partial<Record<'paused' | 'limits', boolean | Uint8Array | null>>>): void {
    const { name: queue } = this;
    const { partition } = this.at;
    this.change(TASK_QUEUES.name, queue, (before) => ({ ...(before ?? { queue, partition, paused: false, limits: null }), ...change }));
  }

  schedule(name: string, change: (before: Row | undefined) => Readonly<Partial<Row>>): void {
    const { name: queue } = this;
    const { partition } = this.at;
    const scheduleId = `${queue}/${name}`;
    this.change(
      TASK_SCHEDULES.name,
      scheduleId,
      (before) => ({ ...(before ?? { schedule_id: scheduleId, partition, queue, name }), ...change(before) }) as Row,
    );
  }

  private change(collection: string, key: string, change: (before: Row | undefined) => Row): void {
    const { sequence } = this.at;
    const id = `${collection} ${key}`;
    const row = this.changed.get(id);
    if (row === undefined) this.changed.set(id, { collection, key, changes: [{ sequence, change }] });
    else row.changes.push({ sequence, change });
  }
}

const KEYS: ReadonlyMap<string, string> = new Map(TASK_COLLECTIONS.map(({ name, key }) => [name, key]));

/** A count that falls below zero does not go on from the log. */
function counted(before: number, change: number, what: string): number {
  const after = before + change;
  if (!(after >= 0)) throw new Error(`the row has ${before} ${what}, and the log has more`);
  return after;
}
