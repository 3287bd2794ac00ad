/** Tasks, queues and schedules as their rows have them, in the form of their messages. */
import type { ReadCopy, Row } from '@sluice/ports';
import { timestampFromUs } from '@sluice/protocol';
import { taskpb } from '@sluice/protocol/task';
import { timeOfRow } from '../time-of-row';
import { TASK_ATTEMPTS, TASK_COUNTS, TASK_PAYLOADS, TASK_PROGRESS, TASK_QUEUES, TASK_RESULTS, TASK_STATES, TASKS } from './collections';

/** Attempts that a task shows. */
const SHOWN_ATTEMPTS = 20;
/** Types whose counts a queue shows. */
const SHOWN_TYPES = 1_000;

/** One task with everything; undefined: there is none. */
export async function readTask(copy: ReadCopy, taskId: string): Promise<taskpb.Task | undefined> {
  // The state first: what it points to was written before it.
  const state = await copy.get(TASK_STATES.name, taskId);
  if (state === undefined) return undefined;
  const attempts = { collection: TASK_ATTEMPTS.name, index: 'by_task', equals: { task_id: taskId }, direction: 'descending' as const, limit: SHOWN_ATTEMPTS };
  const [about, payload, result, progress, found] = await Promise.all([
    copy.get(TASKS.name, taskId),
    copy.get(TASK_PAYLOADS.name, taskId),
    copy.get(TASK_RESULTS.name, taskId),
    copy.get(TASK_PROGRESS.name, taskId),
    copy.find(attempts),
  ]);
  const task = taskMessage(state, about, progress);
  const body = about?.payload ?? payload?.payload;
  if (task.spec !== undefined && body !== undefined && body !== null) task.spec.payload = bytesOf(body);
  if (result !== undefined) task.result = { contentType: result.content_type as string, body: bytesOf(result.body) };
  task.attempts = [...found.rows.reverse().map(attemptMessage), ...newestAttempt(state)].slice(-SHOWN_ATTEMPTS);
  return task;
}

/** Tasks without payloads, results and attempts, in the order of the ids; those that are not there are left out. */
export async function readTasks(copy: ReadCopy, taskIds: readonly string[]): Promise<taskpb.Task[]> {
  if (taskIds.length === 0) return [];
  const [states, about, progress] = await Promise.all([
    copy.getMany(TASK_STATES.name, taskIds),
    copy.getMany(TASKS.name, taskIds),
    copy.getMany(TASK_PROGRESS.name, taskIds),
  ]);
  return states.flatMap((state, at) => (state === undefined ? [] : [taskMessage(state, about[at], progress[at])]));
}

/** Sequences of the newest commits in the tasks, in the order of the ids, as `readTask` tells them; 0: the task is not there. */
export async function readTaskSequences(copy: ReadCopy, taskIds: readonly string[]): Promise<number[]> {
  const [states, progress] = await Promise.all([copy.getMany(TASK_STATES.name, taskIds), copy.getMany(TASK_PROGRESS.name, taskIds)]);
  return states.map((state, at) => (state === undefined ? 0 : sequenceOf(state, progress[at])));
}

function sequenceOf(state: Row, progress: Row | undefined): number {
  return Math.max(state.sequence as number, isOfNow(state, progress) ? (progress.sequence as number) : 0);
}

/** Whether the progress is that of the newest attempt. */
function isOfNow(state: Row, progress: Row | undefined): progress is Row {
  return progress !== undefined && progress.attempt === state.attempts;
}

function taskMessage(state: Row, about: Row | undefined, progress: Row | undefined): taskpb.Task {
  return {
    taskId: state.task_id as string,
    queue: state.queue as string,
    state: taskpb.TaskState[`TASK_STATE_${state.state as string}` as keyof typeof taskpb.TaskState],
    version: state.version as number,
    spec: about === undefined ? undefined : taskpb.TaskSpec.decode(about.spec as Uint8Array),
    submittedAt: timeOfRow(state.submitted_at_us),
    startedAt: timeOfRow(state.first_started_at_us),
    endedAt: timeOfRow(state.ended_at_us),
    attemptCount: state.attempts as number,
    attempts: [],
    result: undefined,
    failure: failureOf(state.failure),
    progress: isOfNow(state, progress) ? { done: progress.done as number, total: progress.total as number, text: progress.text as string } : undefined,
    retryOf: (about?.retry_of as string | undefined) ?? '',
    scheduleId: (about?.schedule_id as string | undefined) ?? '',
    note: state.note as string,
    startAt: timeOfRow(about?.start_at_us ?? 0),
    sequence: BigInt(sequenceOf(state, progress)),
  };
}

function attemptMessage(row: Row): taskpb.TaskAttempt {
  return {
    number: row.attempt as number,
    workerId: row.worker_id as string,
    startedAt: timeOfRow(row.started_at_us),
    endedAt: timeOfRow(row.ended_at_us),
    failure: failureOf(row.failure),
    retryAt: timeOfRow(row.retry_at_us),
  };
}

/** The attempt that no other one follows, if there is one. */
function newestAttempt({ attempts, worker_id: workerId, started_at_us: startedAtUs, ended_at_us: endedAtUs, failure }: Row): taskpb.TaskAttempt[] {
  if (startedAtUs === 0) return [];
  const [startedAt, endedAt] = [timeOfRow(startedAtUs), timeOfRow(endedAtUs)];
  return [{ number: attempts as number, workerId: workerId as string, startedAt, endedAt, failure: failureOf(failure), retryAt: undefined }];
}

/** A queue with its counts by type; undefined: nothing was ever recorded of it. */
export async function readQueue(copy: ReadCopy, queue: string): Promise<{ stats: taskpb.QueueStats; sequence: number } | undefined> {
  const row = await copy.get(TASK_QUEUES.name, queue);
  if (row === undefined) return undefined;
  const [{ rows: counts }, { rows: oldest }] = await Promise.all([
    copy.find({ collection: TASK_COUNTS.name, index: 'by_queue', equals: { queue }, limit: SHOWN_TYPES }),
    copy.find({ collection: TASK_STATES.name, index: 'by_state', equals: { queue, state: 'SUBMITTED' }, limit: 1 }),
  ]);
  const types = counts.map(typeStats);
  const sequence = Math.max(row.sequence as number, ...counts.map((count) => count.sequence as number));
  const stats: taskpb.QueueStats = {
    queue,
    paused: row.paused as boolean,
    limits: row.limits === null ? undefined : taskpb.QueueLimits.decode(row.limits as Uint8Array),
    counts: sumOf(types),
    types,
    oldestSubmittedAt: timeOfRow(oldest[0]?.submitted_at_us ?? 0),
    typesNeverStarted: types.filter(({ counts: of, lastStartedAt }) => (of?.submitted ?? 0n) > 0n && lastStartedAt === undefined).map(({ type }) => type),
  };
  return { stats, sequence };
}

/** Counts of a queue, or of one of its types. */
export async function readCounts(copy: ReadCopy, queue: string, type: string): Promise<taskpb.TaskCounts> {
  const equals: Readonly<Record<string, string>> = type === '' ? { queue } : { queue, type };
  const { rows } = await copy.find({ collection: TASK_COUNTS.name, index: 'by_queue', equals, limit: SHOWN_TYPES });
  return sumOf(rows.map(typeStats));
}

function typeStats(row: Row): taskpb.TypeStats {
  const of = (field: string): bigint => BigInt(row[field] as number);
  return {
    type: row.type as string,
    counts: { submitted: of('submitted'), running: of('running'), succeeded: of('succeeded'), failed: of('failed'), cancelled: of('cancelled') },
    lastStartedAt: timeOfRow(row.last_started_at_us),
  };
}

function sumOf(types: readonly taskpb.TypeStats[]): taskpb.TaskCounts {
  const sum: taskpb.TaskCounts = { submitted: 0n, running: 0n, succeeded: 0n, failed: 0n, cancelled: 0n };
  for (const { counts } of types) {
    if (counts === undefined) continue;
    for (const state of ['submitted', 'running', 'succeeded', 'failed', 'cancelled'] as const) sum[state] += counts[state];
  }
  return sum;
}

export function scheduleMessage(row: Row): taskpb.Schedule {
  const nextRuns = row.next_runs_us as string;
  return {
    scheduleId: row.schedule_id as string,
    queue: row.queue as string,
    name: row.name as string,
    spec: taskpb.ScheduleSpec.decode(row.spec as Uint8Array),
    paused: row.paused as boolean,
    nextRuns: nextRuns === '' ? [] : nextRuns.split(',').map((runUs) => timestampFromUs(Number(runUs))),
    runCount: BigInt(row.run_count as number),
    skippedCount: BigInt(row.skipped_count as number),
    lastTaskId: row.last_task_id as string,
    lastRunAt: timeOfRow(row.last_run_at_us),
  };
}

function failureOf(bytes: Row[string] | undefined): taskpb.TaskFailure | undefined {
  return bytes === null || bytes === undefined ? undefined : taskpb.TaskFailure.decode(bytes as Uint8Array);
}

function bytesOf(value: Row[string] | undefined): Buffer {
  return Buffer.from(value as Uint8Array);
}
