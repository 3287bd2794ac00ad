/** Tasks between the library's types and the messages of the services. */
import { randomUUID } from 'node:crypto';
import { taskpb } from '@sluice/protocol/task';
import { suffix } from '../enum-wire';
import { timeFromWire, timeToWire } from '../time-wire';
import type {
  QueueLimits,
  QueueStats,
  RateLimit,
  Schedule,
  ScheduleInput,
  Task,
  TaskAttempt,
  TaskBody,
  TaskCounts,
  TaskFailure,
  TaskInput,
  TaskReceipt,
  TaskState,
} from './task';

const JSON_TYPE = 'application/json';

/** By number in the proto. */
const STATES: readonly (TaskState | undefined)[] = [undefined, 'SUBMITTED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];

/** Bytes and what they are. */
export function bodyToWire(body: TaskBody | undefined, contentType: string | undefined): { bytes: Buffer; contentType: string } {
  if (body === undefined) return { bytes: Buffer.alloc(0), contentType: contentType ?? '' };
  if (body instanceof Uint8Array) return { bytes: Buffer.from(body), contentType: contentType ?? 'application/octet-stream' };
  if (typeof body === 'string') return { bytes: Buffer.from(body, 'utf8'), contentType: contentType ?? 'text/plain' };
  return { bytes: Buffer.from(JSON.stringify(body), 'utf8'), contentType: contentType ?? JSON_TYPE };
}

export function submissionToWire(input: TaskInput): { requestId: string; task: taskpb.TaskSpec } {
  return { requestId: input.requestId ?? randomUUID(), task: specToWire(input) };
}

function specToWire(input: TaskInput): taskpb.TaskSpec {
  const { bytes, contentType } = bodyToWire(input.payload, input.contentType);
  return {
    type: input.type,
    payload: bytes,
    contentType,
    priority: input.priority ?? 0,
    key: input.key ?? '',
    delayMs: input.delayMs ?? 0,
    startAt: timeToWire(input.startAt),
    limits: input.limits && taskpb.TimeLimits.fromPartial(input.limits),
    retry: input.retry && taskpb.RetryPolicy.fromPartial(input.retry),
    dedupeKey: input.dedupeKey ?? '',
    dedupeRule: input.dedupeRule === undefined ? taskpb.DedupeRule.DEDUPE_RULE_REFUSE : taskpb.DedupeRule[`DEDUPE_RULE_${input.dedupeRule}`],
    labels: input.labels === undefined ? {} : { ...input.labels },
    parentTaskId: input.parentTaskId ?? '',
  };
}

export function stateToWire(state: TaskState | undefined): taskpb.TaskState {
  return taskpb.TaskState[`TASK_STATE_${state ?? 'UNSPECIFIED'}`];
}

export function stateFromWire(state: taskpb.TaskState): TaskState {
  return STATES[state] ?? (suffix(taskpb.TaskState[state], 'TASK_STATE_') as TaskState);
}

export function receiptFromWire(receipt: taskpb.TaskReceipt | undefined): TaskReceipt {
  if (receipt === undefined) throw new Error('the answer has no task');
  const { taskId, state, version, repeated, existing } = receipt;
  return { taskId, state: stateFromWire(state), version, repeated, existing };
}

export function taskFromWire(task: taskpb.Task): Task {
  const { spec } = task;
  return {
    taskId: task.taskId,
    queue: task.queue,
    type: spec?.type ?? '',
    state: stateFromWire(task.state),
    version: task.version,
    priority: spec?.priority ?? 0,
    key: spec?.key ?? '',
    payload: spec?.payload ?? Buffer.alloc(0),
    contentType: spec?.contentType ?? '',
    labels: spec?.labels ?? {},
    parentTaskId: spec?.parentTaskId ?? '',
    submittedAt: timeFromWire(task.submittedAt),
    startAt: timeFromWire(task.startAt),
    startedAt: timeFromWire(task.startedAt),
    endedAt: timeFromWire(task.endedAt),
    attemptCount: task.attemptCount,
    attempts: task.attempts.map(attemptFromWire),
    result: task.result && { body: task.result.body, contentType: task.result.contentType },
    failure: failureFromWire(task.failure),
    progress: task.progress && { done: task.progress.done, total: task.progress.total, text: task.progress.text },
    retryOf: task.retryOf,
    scheduleId: task.scheduleId,
    note: task.note,
  };
}

function attemptFromWire({ number, workerId, startedAt, endedAt, failure, retryAt }: taskpb.TaskAttempt): TaskAttempt {
  return {
    number,
    workerId,
    startedAt: timeFromWire(startedAt),
    endedAt: timeFromWire(endedAt),
    failure: failureFromWire(failure),
    retryAt: timeFromWire(retryAt),
  };
}

function failureFromWire(failure: taskpb.TaskFailure | undefined): TaskFailure | undefined {
  if (failure === undefined) return undefined;
  const { kind, limit, message } = failure;
  return {
    kind: suffix(taskpb.FailureKind[kind], 'FAILURE_KIND_') as TaskFailure['kind'],
    limit: limit === taskpb.TimeLimit.TIME_LIMIT_UNSPECIFIED ? undefined : (suffix(taskpb.TimeLimit[limit], 'TIME_LIMIT_') as TaskFailure['limit']),
    message,
  };
}

export function countsFromWire(counts: taskpb.TaskCounts | undefined): TaskCounts {
  const of = (count: bigint | undefined): number => Number(count ?? 0n);
  return {
    submitted: of(counts?.submitted),
    running: of(counts?.running),
    succeeded: of(counts?.succeeded),
    failed: of(counts?.failed),
    cancelled: of(counts?.cancelled),
  };
}

export function statsFromWire(stats: taskpb.QueueStats | undefined): QueueStats {
  return {
    queue: stats?.queue ?? '',
    paused: stats?.paused ?? false,
    limits: stats?.limits && limitsFromWire(stats.limits),
    counts: countsFromWire(stats?.counts),
    types: (stats?.types ?? []).map(({ type, counts, lastStartedAt }) => ({
      type,
      counts: countsFromWire(counts),
      lastStartedAt: timeFromWire(lastStartedAt),
    })),
    oldestSubmittedAt: timeFromWire(stats?.oldestSubmittedAt),
    typesNeverStarted: stats?.typesNeverStarted ?? [],
  };
}

export function limitsToWire(limits: QueueLimits): taskpb.QueueLimits {
  return {
    maximumRunning: limits.maximumRunning ?? 0,
    rate: rateToWire(limits.rate),
    types: Object.entries(limits.types ?? {}).map(([type, { maximumRunning = 0, rate }]) => ({ type, maximumRunning, rate: rateToWire(rate) })),
    maximumRunningPerKey: limits.maximumRunningPerKey ?? 0,
    ratePerKey: rateToWire(limits.ratePerKey),
  };
}

function limitsFromWire({ maximumRunning, rate, types, maximumRunningPerKey, ratePerKey }: taskpb.QueueLimits): QueueLimits {
  return {
    ...(maximumRunning > 0 && { maximumRunning }),
    ...(rate && { rate }),
    types: Object.fromEntries(
      types.map((one) => [one.type, { ...(one.maximumRunning > 0 && { maximumRunning: one.maximumRunning }), ...(one.rate && { rate: one.rate }) }]),
    ),
    ...(maximumRunningPerKey > 0 && { maximumRunningPerKey }),
    ...(ratePerKey && { ratePerKey }),
  };
}

function rateToWire(rate: RateLimit | undefined): taskpb.RateLimit | undefined {
  return rate && { maximumStarts: rate.maximumStarts, windowMs: rate.windowMs };
}

export function scheduleToWire({ requestId, queue, name, ...spec }: ScheduleInput): taskpb.CreateScheduleRequest {
  return {
    requestId: requestId ?? randomUUID(),
    queue,
    name,
    spec: {
      cron: spec.cron ?? '',
      intervalMs: spec.intervalMs ?? 0,
      timeZone: spec.timeZone ?? '',
      overlap: taskpb.OverlapRule[`OVERLAP_RULE_${spec.overlap ?? 'SKIP'}`],
      catchUp: taskpb.CatchUpRule[`CATCH_UP_RULE_${spec.catchUp ?? 'LATEST'}`],
      task: specToWire(spec.task),
      beginAt: timeToWire(spec.beginAt),
      endAt: timeToWire(spec.endAt),
    },
  };
}

export function scheduleFromWire(schedule: taskpb.Schedule | undefined): Schedule {
  if (schedule === undefined) throw new Error('the answer has no schedule');
  const { spec } = schedule;
  return {
    scheduleId: schedule.scheduleId,
    queue: schedule.queue,
    name: schedule.name,
    cron: spec?.cron ?? '',
    intervalMs: spec?.intervalMs ?? 0,
    timeZone: spec?.timeZone ?? '',
    type: spec?.task?.type ?? '',
    paused: schedule.paused,
    nextRuns: schedule.nextRuns.flatMap((run) => timeFromWire(run) ?? []),
    runCount: Number(schedule.runCount),
    skippedCount: Number(schedule.skippedCount),
    lastTaskId: schedule.lastTaskId,
    lastRunAt: timeFromWire(schedule.lastRunAt),
  };
}
