/** Shapes of requests: what is checked before a queue sees them, and what the domain sees of them. */
import {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIMITS,
  DEFAULT_POLICY,
  DEFAULT_RETRY,
  MAXIMUM_QUEUE_BYTES,
  type NewTask,
  NO_TYPE_LIMITS,
  type QueueLimits,
  type RateLimit,
  type RetryPolicy,
  scheduleNameOf,
  type TaskName,
  taskNameOf,
  type TaskPolicy,
  type TimeLimits,
} from '@sluice/domain/task';
import { type protobufpb, usFromTimestamp } from '@sluice/protocol';
import { PlainTask, type taskpb } from '@sluice/protocol/task';
import { checkText, invalidRequest } from '@sluice/service';
import {
  LATEST_START_US,
  MAXIMUM_ATTEMPTS,
  MAXIMUM_ID_BYTES,
  MAXIMUM_LABEL_BYTES,
  MAXIMUM_LABELS,
  MAXIMUM_MESSAGE_BYTES,
  MAXIMUM_PAYLOAD_BYTES,
  MAXIMUM_PRIORITY,
  MAXIMUM_RATE_STARTS,
  MAXIMUM_RATE_WINDOW_MS,
  MAXIMUM_TYPE_LIMITS,
  MINIMUM_HEARTBEAT_MS,
} from './limits';

const HIGHEST_DEDUPE_RULE = 3;
const MAXIMUM_CONTENT_TYPE_BYTES = 128;

export function checkRequestId(requestId: string, at = ''): void {
  checkText(requestId, `${at}request_id`, 1, MAXIMUM_ID_BYTES);
}

export function checkQueue(queue: string): void {
  checkText(queue, 'queue', 1, MAXIMUM_QUEUE_BYTES);
}

export function checkedTaskName(taskId: string, field = 'task_id'): TaskName {
  checkText(taskId, field, 1, MAXIMUM_ID_BYTES);
  const name = taskNameOf(taskId);
  if (name === undefined) throw invalidRequest(field, 'is not "<queue>/<number>"');
  return name;
}

export function checkedScheduleName(scheduleId: string): { readonly queue: string; readonly name: string } {
  checkText(scheduleId, 'schedule_id', 1, 2 * MAXIMUM_QUEUE_BYTES + 1);
  const name = scheduleNameOf(scheduleId);
  if (name === undefined) throw invalidRequest('schedule_id', 'is not "<queue>/<name>"');
  return name;
}

export function checkContentType(contentType: string, field: string): void {
  checkText(contentType, field, 0, MAXIMUM_CONTENT_TYPE_BYTES);
}

/** The specification of a task, checked. Throws INVALID_REQUEST naming the field. */
export function checkedSpec(spec: taskpb.TaskSpec | undefined, at: string): taskpb.TaskSpec {
  if (spec === undefined) throw invalidRequest(at, 'is missing');
  checkText(spec.type, `${at}.type`, 1, MAXIMUM_ID_BYTES);
  if (spec.payload.length > MAXIMUM_PAYLOAD_BYTES)
    throw invalidRequest(`${at}.payload`, `has ${spec.payload.length} bytes; ${MAXIMUM_PAYLOAD_BYTES} are the most`);
  checkContentType(spec.contentType, `${at}.content_type`);
  if (Math.abs(spec.priority) > MAXIMUM_PRIORITY) throw invalidRequest(`${at}.priority`, `is not in -${MAXIMUM_PRIORITY} to ${MAXIMUM_PRIORITY}`);
  checkText(spec.key, `${at}.key`, 0, MAXIMUM_ID_BYTES);
  if (spec.delayMs > 0 && spec.startAt !== undefined) throw invalidRequest(`${at}.delay_ms`, 'and start_at are both set');
  checkStart(spec.startAt, `${at}.start_at`);
  checkText(spec.dedupeKey, `${at}.dedupe_key`, 0, MAXIMUM_ID_BYTES);
  if (spec.dedupeRule < 0 || spec.dedupeRule > HIGHEST_DEDUPE_RULE) throw invalidRequest(`${at}.dedupe_rule`, 'is not a rule');
  if (spec.parentTaskId !== '') checkedTaskName(spec.parentTaskId, `${at}.parent_task_id`);
  checkLabels(spec.labels, `${at}.labels`);
  if (spec.limits !== undefined && spec.limits.heartbeatMs !== 0 && spec.limits.heartbeatMs < MINIMUM_HEARTBEAT_MS)
    throw invalidRequest(`${at}.limits.heartbeat_ms`, `is below ${MINIMUM_HEARTBEAT_MS}`);
  if (spec.retry !== undefined) checkRetry(spec.retry, `${at}.retry`);
  return spec;
}

export function checkTime(time: protobufpb.Timestamp | undefined, field: string): void {
  if (time === undefined) return;
  try {
    usFromTimestamp(time);
  } catch {
    throw invalidRequest(field, 'is not a time');
  }
}

/** A time at which something is to begin. */
export function checkStart(time: protobufpb.Timestamp | undefined, field: string): void {
  checkTime(time, field);
  if (time !== undefined && usFromTimestamp(time) > LATEST_START_US) throw invalidRequest(field, 'is after the year 2254');
}

function checkLabels(labels: Readonly<Record<string, string>>, at: string): void {
  let count = 0;
  for (const name in labels) {
    count += 1;
    checkText(name, at, 1, MAXIMUM_LABEL_BYTES);
    checkText(labels[name] as string, `${at}.${name}`, 0, MAXIMUM_LABEL_BYTES);
  }
  if (count > MAXIMUM_LABELS) throw invalidRequest(at, `has ${count} pairs; ${MAXIMUM_LABELS} are the most`);
}

function checkRetry({ maximumAttempts, jitterPercent }: taskpb.RetryPolicy, at: string): void {
  if (maximumAttempts > MAXIMUM_ATTEMPTS) throw invalidRequest(`${at}.maximum_attempts`, `is above ${MAXIMUM_ATTEMPTS}`);
  if (jitterPercent > 100) throw invalidRequest(`${at}.jitter_percent`, 'is above 100');
}

/** What the queue sees of it. Throws for one that is recorded without what it does. */
export function newTaskOf(created: taskpb.CreatedTask): NewTask {
  if (created instanceof PlainTask)
    return { type: created.type, priority: created.priority, key: created.key, startAtUs: 0, policy: DEFAULT_POLICY, dedupeKey: '' };
  const { spec, startAtUs } = created;
  if (spec === undefined) throw new Error('a task is recorded without what it does');
  return { type: spec.type, priority: spec.priority, key: spec.key, startAtUs: Number(startAtUs), policy: policyOf(spec), dedupeKey: spec.dedupeKey };
}

export function policyOf({ limits, retry }: Pick<taskpb.TaskSpec, 'limits' | 'retry'>): TaskPolicy {
  if (limits === undefined && retry === undefined) return DEFAULT_POLICY;
  return { limits: limits === undefined ? DEFAULT_LIMITS : limitsOf(limits), retry: retry === undefined ? DEFAULT_RETRY : retryOf(retry) };
}

function limitsOf(limits: taskpb.TimeLimits): TimeLimits {
  return { ...limits, heartbeatMs: limits.heartbeatMs || DEFAULT_HEARTBEAT_MS };
}

function retryOf({ maximumAttempts, firstPauseMs, growthPercent, maximumPauseMs, jitterPercent, retryTimeLimit }: taskpb.RetryPolicy): RetryPolicy {
  return {
    maximumAttempts: maximumAttempts || DEFAULT_RETRY.maximumAttempts,
    firstPauseMs: firstPauseMs || DEFAULT_RETRY.firstPauseMs,
    growthPercent: growthPercent || DEFAULT_RETRY.growthPercent,
    maximumPauseMs: maximumPauseMs || DEFAULT_RETRY.maximumPauseMs,
    jitterPercent,
    retryTimeLimit,
  };
}

/** Microseconds; 0: at once. */
export function startAtUsOf({ delayMs, startAt }: taskpb.TaskSpec, nowUs: number): number {
  if (delayMs > 0) return nowUs + delayMs * 1_000;
  const startAtUs = startAt === undefined ? 0 : Number(usFromTimestamp(startAt));
  return startAtUs <= nowUs ? 0 : startAtUs;
}

/** About what the specification takes of a commit. */
export function specBytes(spec: taskpb.TaskSpec): number {
  let bytes = 192 + spec.payload.length + 3 * (spec.contentType.length + spec.type.length + spec.key.length + spec.dedupeKey.length + spec.parentTaskId.length);
  for (const name in spec.labels) bytes += 8 + 3 * (name.length + (spec.labels[name] as string).length);
  return bytes;
}

export function checkedLimits(limits: taskpb.QueueLimits): taskpb.QueueLimits {
  if (limits.types.length > MAXIMUM_TYPE_LIMITS) throw invalidRequest('limits.types', `has ${limits.types.length} types; ${MAXIMUM_TYPE_LIMITS} are the most`);
  checkRate(limits.rate, 'limits.rate');
  checkRate(limits.ratePerKey, 'limits.rate_per_key');
  for (const [at, { type, rate }] of limits.types.entries()) {
    checkText(type, `limits.types[${at}].type`, 1, MAXIMUM_ID_BYTES);
    checkRate(rate, `limits.types[${at}].rate`);
  }
  if (new Set(limits.types.map(({ type }) => type)).size < limits.types.length) throw invalidRequest('limits.types', 'names a type twice');
  return limits;
}

function checkRate(rate: taskpb.RateLimit | undefined, field: string): void {
  if (rate === undefined) return;
  const { maximumStarts, windowMs } = rate;
  if (maximumStarts < 1 || maximumStarts > MAXIMUM_RATE_STARTS) throw invalidRequest(`${field}.maximum_starts`, `is not in 1 to ${MAXIMUM_RATE_STARTS}`);
  if (windowMs < 1 || windowMs > MAXIMUM_RATE_WINDOW_MS) throw invalidRequest(`${field}.window_ms`, `is not in 1 to ${MAXIMUM_RATE_WINDOW_MS}`);
}

export function queueLimitsOf(limits: taskpb.QueueLimits): QueueLimits {
  return {
    maximumRunning: limits.maximumRunning,
    rate: rateOf(limits.rate),
    types: new Map(limits.types.map(({ type, maximumRunning, rate }) => [type, { ...NO_TYPE_LIMITS, maximumRunning, rate: rateOf(rate) }])),
    maximumRunningPerKey: limits.maximumRunningPerKey || 1,
    ratePerKey: rateOf(limits.ratePerKey),
  };
}

function rateOf(rate: taskpb.RateLimit | undefined): RateLimit | undefined {
  return rate && { maximumStarts: rate.maximumStarts, windowMs: rate.windowMs };
}

export function isResult({ body, contentType }: taskpb.TaskResult): boolean {
  return body.length <= MAXIMUM_PAYLOAD_BYTES && Buffer.byteLength(contentType, 'utf8') <= MAXIMUM_CONTENT_TYPE_BYTES;
}

/** Cut to what is kept, at a character. */
export function keptMessage(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= MAXIMUM_MESSAGE_BYTES) return message;
  return bytes.subarray(0, MAXIMUM_MESSAGE_BYTES).toString('utf8').replace(/�+$/u, '');
}
