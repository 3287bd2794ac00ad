/**
 * Events of tasks as rows. Rows of a task come whole from each event, so the newest event of a flush writes them and none has to be read.
 * What is counted, and queues and schedules, go on from the row before. Each event is of one queue.
 *
 * Rows of tasks are written out field by field: here a spread of a part that several have costs more than all the rest.
 */
import { taskIdOf } from '@sluice/domain/task';
import type { Row } from '@sluice/ports';
import type { EventHandlersOf } from '@sluice/protocol';
import { type AttemptEnd, type AttemptStart, PlainTask, type taskEvents, taskpb } from '@sluice/protocol/task';
import type { CommitPlace } from '../projection';
import {
  attemptIdOf,
  countIdOf,
  INLINE_PAYLOAD_BYTES,
  labelOf,
  TASK_ATTEMPTS,
  TASK_CHILDREN,
  TASK_LABELS,
  TASK_PAYLOADS,
  TASK_PROGRESS,
  TASK_RESULTS,
  TASK_STATES,
  TASKS,
} from './collections';

type State = 'submitted' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** What an event changes in the counts of a type. */
export interface CountChange {
  readonly from: State | undefined;
  readonly to: State;
  /** An attempt was started. */
  readonly started: boolean;
}

/** Where a queue's rows of a flush are gathered. */
export interface RowGatherer {
  /** A row that the event says whole. */
  put(collection: string, row: Row): void;
  count(type: string, change: CountChange): void;
  /** The queue has had its first event, or changes. */
  queue(change: Readonly<Partial<Record<'paused' | 'limits', boolean | Uint8Array | null>>>): void;
  schedule(name: string, change: (before: Row | undefined) => Readonly<Partial<Row>>): void;
}

/** The commit of an event and its rows. */
export interface EventRows extends CommitPlace {
  readonly rows: RowGatherer;
}

const ENDED: Readonly<Record<number, readonly [State, string]>> = {
  [taskpb.AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED]: ['succeeded', 'SUCCEEDED'],
  [taskpb.AttemptOutcome.ATTEMPT_OUTCOME_FAILED]: ['failed', 'FAILED'],
  [taskpb.AttemptOutcome.ATTEMPT_OUTCOME_CANCELLED]: ['cancelled', 'CANCELLED'],
};

/** An event, and how it becomes rows. */
export interface QueueEvent {
  readonly queue: string;
  /** Throws for an event that cannot be folded. */
  fold(at: EventRows): void;
}

export const TASK_EVENT_ROWS: EventHandlersOf<typeof taskEvents, undefined, QueueEvent> = {
  TasksCreated: ofQueue(({ queue, firstNumber, tasks }, at) => {
    at.rows.queue({});
    tasks.forEach((task, index) => createdRows(queue, Number(firstNumber) + index, task, at));
  }),
  AttemptsStarted: ofQueue(({ queue, workerId, starts }, at) => {
    for (const start of starts) startedRows(queue, workerId, start, at);
  }),
  AttemptsEnded: ofQueue(({ queue, ends }, at) => {
    for (const end of ends) attemptEndedRows(queue, end, at);
  }),
  TasksEnded: ofQueue(({ queue, ends }, at) => {
    for (const end of ends) taskEndedRows(queue, end, at);
  }),
  ProgressRecorded: ofQueue(({ queue, marks }, { rows, sequence }) => {
    for (const { number, attempt, progress } of marks) {
      const { done = 0, total = 0, text = '' } = progress ?? {};
      rows.put(TASK_PROGRESS.name, { task_id: taskIdOf(queue, Number(number)), attempt, done, total, text, sequence });
    }
  }),
  QueueConfigured: ofQueue(({ limits }, { rows }) => rows.queue({ limits: limits === undefined ? null : taskpb.QueueLimits.encode(limits).finish() })),
  QueuePaused: ofQueue(({ paused }, { rows }) => rows.queue({ paused })),
  QueuePurged: ofQueue((_event, { rows }) => rows.queue({})),
  ScheduleCreated: ofQueue(({ name, spec, nextRunsUs }, { rows }) => {
    rows.queue({});
    rows.schedule(name, () => ({
      spec: taskpb.ScheduleSpec.encode(spec ?? taskpb.ScheduleSpec.fromPartial({})).finish(),
      paused: false,
      deleted: false,
      next_runs_us: nextRunsUs.join(),
      run_count: 0,
      skipped_count: 0,
      last_task_id: '',
      last_run_at_us: 0,
    }));
  }),
  SchedulePaused: ofQueue(({ name, paused, nextRunsUs }, { rows }) => rows.schedule(name, () => ({ paused, next_runs_us: nextRunsUs.join() }))),
  ScheduleDeleted: ofQueue(({ name }, { rows }) => rows.schedule(name, () => ({ deleted: true, next_runs_us: '' }))),
  ScheduleRan: ofQueue(({ queue, name, dueUs, numbers, skipped, nextRunsUs }, { rows, committedAtUs }) =>
    rows.schedule(name, (before) => {
      const last = numbers.at(-1);
      return {
        next_runs_us: nextRunsUs.join(),
        run_count: Number(before?.run_count ?? 0) + numbers.length,
        skipped_count: Number(before?.skipped_count ?? 0) + skipped,
        ...(last === undefined ? undefined : { last_task_id: taskIdOf(queue, Number(last)), last_run_at_us: Number(dueUs) || committedAtUs }),
      };
    }),
  ),
};

function ofQueue<Event extends { readonly queue: string }>(fold: (event: Event, at: EventRows) => void): (event: Event) => QueueEvent {
  return (event) => ({ queue: event.queue, fold: (at) => fold(event, at) });
}

const NOTHING = Buffer.alloc(0);

function createdRows(queue: string, number: number, created: taskpb.CreatedTask, at: EventRows): void {
  const taskId = taskIdOf(queue, number);
  if (created instanceof PlainTask) {
    submittedRows({ queue, number, taskId, type: created.type, spec: created.specWithoutPayload(), payload: created.payload, created }, at);
    return;
  }
  const { rows } = at;
  const { spec } = created;
  if (spec === undefined) throw new Error(`task ${taskId} is recorded without what it does`);
  if (spec.parentTaskId !== '') rows.put(TASK_CHILDREN.name, { task_id: taskId, parent_task_id: spec.parentTaskId, number });
  for (const name in spec.labels) {
    const value = spec.labels[name] as string;
    const label = labelOf(name, value);
    rows.put(TASK_LABELS.name, { label_id: `${taskId} ${label}`, task_id: taskId, queue, label, number });
  }
  submittedRows({ queue, number, taskId, type: spec.type, spec: specBytes(spec), payload: spec.payload, created }, at);
}

interface Submitted {
  readonly queue: string;
  readonly number: number;
  readonly taskId: string;
  readonly type: string;
  /** Without the payload. */
  readonly spec: Uint8Array;
  readonly payload: Uint8Array;
  readonly created: Pick<taskpb.CreatedTask, 'startAtUs' | 'retryOf' | 'schedule'>;
}

function submittedRows({ queue, number, taskId, type, spec, payload, created }: Submitted, at: EventRows): void {
  const { rows, partition, sequence, committedAtUs } = at;
  const { startAtUs, retryOf, schedule } = created;
  const isInline = payload.length <= INLINE_PAYLOAD_BYTES;
  if (!isInline) rows.put(TASK_PAYLOADS.name, { task_id: taskId, payload });
  rows.put(TASKS.name, {
    task_id: taskId,
    partition,
    queue,
    number,
    type,
    spec,
    payload: isInline && payload.length > 0 ? payload : null,
    submitted_at_us: committedAtUs,
    start_at_us: Number(startAtUs),
    retry_of: retryOf,
    schedule_id: schedule === '' ? '' : `${queue}/${schedule}`,
  });
  rows.put(TASK_STATES.name, {
    task_id: taskId,
    partition,
    queue,
    number,
    type,
    state: 'SUBMITTED',
    version: 1,
    submitted_at_us: committedAtUs,
    first_started_at_us: 0,
    ended_at_us: 0,
    attempts: 0,
    worker_id: '',
    started_at_us: 0,
    failure: null,
    note: '',
    sequence,
  });
  rows.count(type, { from: undefined, to: 'submitted', started: false });
}

/** The specification without its payload. Field by field: a spread costs more than encoding it. */
function specBytes(spec: taskpb.TaskSpec): Uint8Array {
  const { type, contentType, priority, key, delayMs, startAt, limits, retry, dedupeKey, dedupeRule, labels, parentTaskId } = spec;
  const shown = { type, payload: NOTHING, contentType, priority, key, delayMs, startAt, limits, retry, dedupeKey, dedupeRule, labels, parentTaskId };
  return taskpb.TaskSpec.encode(shown).finish();
}

function startedRows(queue: string, workerId: string, { number, attempt, type, submittedAtUs, firstStartedAtUs }: AttemptStart, at: EventRows): void {
  const { rows, partition, sequence, committedAtUs } = at;
  const isFirst = firstStartedAtUs === 0;
  const taskId = taskIdOf(queue, number);
  rows.put(TASK_STATES.name, {
    task_id: taskId,
    partition,
    queue,
    number,
    type,
    state: 'RUNNING',
    version: 2,
    submitted_at_us: submittedAtUs,
    first_started_at_us: isFirst ? committedAtUs : firstStartedAtUs,
    ended_at_us: 0,
    attempts: attempt,
    worker_id: workerId,
    started_at_us: committedAtUs,
    failure: null,
    note: '',
    sequence,
  });
  rows.count(type, { from: isFirst ? 'submitted' : 'running', to: 'running', started: true });
}

function attemptEndedRows(queue: string, end: AttemptEnd, at: EventRows): void {
  const { rows, partition, sequence, committedAtUs } = at;
  const { number } = end;
  const taskId = taskIdOf(queue, number);
  const failure = failureBytes(end.failure);
  if (end.result !== undefined) rows.put(TASK_RESULTS.name, { task_id: taskId, content_type: end.result.contentType, body: end.result.body });
  const goesOn = end.retryAtUs !== 0;
  if (goesOn)
    rows.put(TASK_ATTEMPTS.name, {
      attempt_id: attemptIdOf(taskId, end.attempt),
      task_id: taskId,
      attempt: end.attempt,
      worker_id: end.workerId,
      started_at_us: end.startedAtUs,
      ended_at_us: committedAtUs,
      failure,
      retry_at_us: end.retryAtUs,
    });
  const ended = ENDED[end.outcome];
  if (!goesOn && ended === undefined) throw new Error(`task ${taskId} ended with the outcome ${end.outcome}, which is not known`);
  const [to, state] = goesOn || ended === undefined ? (['running', 'RUNNING'] as const) : ended;
  rows.put(TASK_STATES.name, {
    task_id: taskId,
    partition,
    queue,
    number,
    type: end.type,
    state,
    version: goesOn ? 2 : 3,
    submitted_at_us: end.submittedAtUs,
    first_started_at_us: end.firstStartedAtUs,
    ended_at_us: goesOn ? 0 : committedAtUs,
    attempts: end.attempt,
    worker_id: goesOn ? '' : end.workerId,
    started_at_us: goesOn ? 0 : end.startedAtUs,
    failure,
    note: end.note,
    sequence,
  });
  rows.count(end.type, { from: 'running', to, started: false });
}

function taskEndedRows(queue: string, end: taskpb.TaskEnd, at: EventRows): void {
  const { rows, partition, sequence, committedAtUs } = at;
  const isFailed = end.state === taskpb.TaskState.TASK_STATE_FAILED;
  rows.put(TASK_STATES.name, {
    task_id: taskIdOf(queue, Number(end.number)),
    partition,
    queue,
    number: Number(end.number),
    type: end.type,
    state: isFailed ? 'FAILED' : 'CANCELLED',
    version: 3,
    submitted_at_us: Number(end.submittedAtUs),
    first_started_at_us: Number(end.firstStartedAtUs),
    ended_at_us: committedAtUs,
    attempts: end.attempts,
    worker_id: '',
    started_at_us: 0,
    failure: failureBytes(end.failure),
    note: end.note,
    sequence,
  });
  rows.count(end.type, { from: end.attempts === 0 ? 'submitted' : 'running', to: isFailed ? 'failed' : 'cancelled', started: false });
}

function failureBytes(failure: taskpb.TaskFailure | undefined): Uint8Array | null {
  return failure === undefined ? null : taskpb.TaskFailure.encode(failure).finish();
}

/** The counts of a type before its first task. */
export function emptyCounts(partition: number, queue: string, type: string): Row {
  return {
    count_id: countIdOf(queue, type),
    partition,
    queue,
    type,
    submitted: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    last_started_at_us: 0,
    sequence: 0,
  };
}
