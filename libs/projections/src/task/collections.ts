/**
 * The read collections of tasks. What a task is about is written once (`tasks`, `task_labels`, `task_payloads`, `task_results`); where it
 * stands is a row of its own (`task_states`), which every event says whole: no row of a task is read to write another.
 */
import type { CollectionDefinition } from '@sluice/ports';

/** Written at submission, never changed. */
export const TASKS: CollectionDefinition = {
  name: 'tasks',
  key: 'task_id',
  fields: {
    task_id: 'text',
    partition: 'number',
    queue: 'text',
    number: 'number',
    type: 'text',
    /** sluice.task.v1.TaskSpec without its payload. */
    spec: 'bytes',
    /** One of at most INLINE_PAYLOAD_BYTES; null: none, or it is in `task_payloads`. */
    payload: 'bytes',
    submitted_at_us: 'number',
    /** 0: at once. */
    start_at_us: 'number',
    retry_of: 'text',
    schedule_id: 'text',
  },
  indexes: { by_queue: ['queue', 'number'], by_type: ['queue', 'type', 'number'] },
  small: true,
};

/** A payload up to here is a field of its task: most are small, and a row of its own costs more than they do. */
export const INLINE_PAYLOAD_BYTES = 1_024;

/** Only of tasks that have a parent. */
export const TASK_CHILDREN: CollectionDefinition = {
  name: 'task_children',
  key: 'task_id',
  fields: { task_id: 'text', parent_task_id: 'text', number: 'number' },
  indexes: { by_parent: ['parent_task_id', 'number'] },
};

export const TASK_LABELS: CollectionDefinition = {
  name: 'task_labels',
  key: 'label_id',
  fields: { label_id: 'text', task_id: 'text', queue: 'text', label: 'text', number: 'number' },
  indexes: { by_label: ['queue', 'label', 'number'] },
};

/** Only of tasks with one that is too large to be a field of the task. */
export const TASK_PAYLOADS: CollectionDefinition = {
  name: 'task_payloads',
  key: 'task_id',
  fields: { task_id: 'text', payload: 'bytes' },
  indexes: {},
};

export const TASK_STATES: CollectionDefinition = {
  name: 'task_states',
  key: 'task_id',
  fields: {
    task_id: 'text',
    partition: 'number',
    queue: 'text',
    number: 'number',
    type: 'text',
    /** SUBMITTED, RUNNING, SUCCEEDED, FAILED or CANCELLED. */
    state: 'text',
    /** 1, 2 or 3. */
    version: 'number',
    submitted_at_us: 'number',
    /** 0: not started. */
    first_started_at_us: 'number',
    /** 0: not ended. */
    ended_at_us: 'number',
    attempts: 'number',
    /** Of the newest attempt: its worker. */
    worker_id: 'text',
    /** When it was started; 0: there is none, or it is in `task_attempts`. */
    started_at_us: 'number',
    /** Of the newest attempt, or of the task: sluice.task.v1.TaskFailure; null: none. */
    failure: 'bytes',
    note: 'text',
    sequence: 'number',
  },
  indexes: { by_state: ['queue', 'state', 'number'] },
  guard: 'sequence',
};

/** Only of tasks that brought something. */
export const TASK_RESULTS: CollectionDefinition = {
  name: 'task_results',
  key: 'task_id',
  fields: { task_id: 'text', content_type: 'text', body: 'bytes' },
  indexes: {},
};

/** Attempts that another one follows. The newest is in the task's state: most tasks have one. */
export const TASK_ATTEMPTS: CollectionDefinition = {
  name: 'task_attempts',
  key: 'attempt_id',
  fields: {
    attempt_id: 'text',
    task_id: 'text',
    attempt: 'number',
    worker_id: 'text',
    started_at_us: 'number',
    ended_at_us: 'number',
    /** sluice.task.v1.TaskFailure; null: none. */
    failure: 'bytes',
    /** When the next one may start. */
    retry_at_us: 'number',
  },
  indexes: { by_task: ['task_id', 'attempt'] },
};

/** Of the newest attempt that said how far it is. */
export const TASK_PROGRESS: CollectionDefinition = {
  name: 'task_progress',
  key: 'task_id',
  fields: { task_id: 'text', attempt: 'number', done: 'number', total: 'number', text: 'text', sequence: 'number' },
  indexes: {},
  guard: 'sequence',
};

/** Kept by the projection, so that counting reads one row per type. */
export const TASK_COUNTS: CollectionDefinition = {
  name: 'task_counts',
  key: 'count_id',
  fields: {
    count_id: 'text',
    partition: 'number',
    queue: 'text',
    type: 'text',
    submitted: 'number',
    running: 'number',
    succeeded: 'number',
    failed: 'number',
    cancelled: 'number',
    /** 0: never. */
    last_started_at_us: 'number',
    sequence: 'number',
  },
  indexes: { by_queue: ['queue', 'type'], by_partition: ['partition'] },
  guard: 'sequence',
};

export const TASK_QUEUES: CollectionDefinition = {
  name: 'task_queues',
  key: 'queue',
  fields: {
    queue: 'text',
    partition: 'number',
    paused: 'boolean',
    /** sluice.task.v1.QueueLimits; null: none. */
    limits: 'bytes',
    sequence: 'number',
  },
  indexes: { by_partition: ['partition'] },
  guard: 'sequence',
};

export const TASK_SCHEDULES: CollectionDefinition = {
  name: 'task_schedules',
  key: 'schedule_id',
  fields: {
    schedule_id: 'text',
    partition: 'number',
    queue: 'text',
    name: 'text',
    /** sluice.task.v1.ScheduleSpec. */
    spec: 'bytes',
    paused: 'boolean',
    /** True: it was deleted; readers pass it over. */
    deleted: 'boolean',
    /** Microseconds, joined by commas. */
    next_runs_us: 'text',
    run_count: 'number',
    skipped_count: 'number',
    last_task_id: 'text',
    /** 0: none. */
    last_run_at_us: 'number',
    sequence: 'number',
  },
  indexes: { by_queue: ['queue', 'name'] },
  guard: 'sequence',
};

export const TASK_COLLECTIONS: readonly CollectionDefinition[] = [
  TASKS,
  TASK_CHILDREN,
  TASK_LABELS,
  TASK_PAYLOADS,
  TASK_RESULTS,
  TASK_ATTEMPTS,
  TASK_PROGRESS,
  TASK_QUEUES,
  TASK_SCHEDULES,
  TASK_COUNTS,
  TASK_STATES,
];

/** Kind of aggregate by which queues are set aside. */
export const QUEUE_AGGREGATE = 'queue';

export function labelOf(name: string, value: string): string {
  return `${name}=${value}`;
}

export function countIdOf(queue: string, type: string): string {
  return JSON.stringify([queue, type]);
}

/** The queue of a count. */
export function queueOf(countId: string): string {
  try {
    const [queue] = JSON.parse(countId) as [string];
    return String(queue);
  } catch {
    return '';
  }
}

export function attemptIdOf(taskId: string, attempt: number): string {
  return `${taskId}#${attempt}`;
}
