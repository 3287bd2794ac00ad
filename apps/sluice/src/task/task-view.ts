/** Tasks, queues and schedules as people see them. */
import type { QueueLimits, QueueStats, RateLimit, Schedule, Task, TaskBody, TaskFailure, TaskProgress, TaskReceipt } from '@sluice/client';
import { UsageError } from '../exit-code';
import { type Cell, clockText } from '../output';

export type Pairs = readonly (readonly [string, Cell])[];

export function receiptPairs({ taskId, state, version, repeated, existing }: TaskReceipt): Pairs {
  return [
    ['task', taskId],
    ['state', state],
    ['version', version],
    ['repeated', repeated ? 'yes, answered before' : undefined],
    ['existing', existing ? 'yes, by its dedupe key' : undefined],
  ];
}

export function taskPairs(task: Task): Pairs {
  return [
    ['task', task.taskId],
    ['type', task.type],
    ['state', task.state],
    ['version', task.version],
    ['progress', progressText(task.progress)],
    ['failure', failureText(task.failure)],
    ['result', task.result && bodyText(task.result.body, task.result.contentType)],
    ['payload', task.payload.length === 0 ? undefined : bodyText(task.payload, task.contentType)],
    ['priority', task.priority === 0 ? undefined : task.priority],
    ['key', task.key],
    ['labels', labelsText(task.labels)],
    ['parent', task.parentTaskId],
    ['retry of', task.retryOf],
    ['schedule', task.scheduleId],
    ['submitted', clockText(task.submittedAt)],
    ['not before', clockText(task.startAt)],
    ['started', clockText(task.startedAt)],
    ['ended', clockText(task.endedAt)],
    ['note', task.note],
    ...task.attempts.map(
      ({ number, workerId, startedAt, endedAt, failure }) =>
        [`attempt ${number}`, [clockText(startedAt), '…', clockText(endedAt), workerId, failureText(failure)].filter((part) => part !== '').join(' ')] as const,
    ),
  ];
}

export function statsPairs({ queue, paused, limits, counts, oldestSubmittedAt, typesNeverStarted }: QueueStats): Pairs {
  return [
    ['queue', queue],
    ['paused', paused ? 'yes' : undefined],
    ['limits', limits && limitsText(limits)],
    ['submitted', counts.submitted],
    ['running', counts.running],
    ['succeeded', counts.succeeded],
    ['failed', counts.failed],
    ['cancelled', counts.cancelled],
    ['oldest waiting', clockText(oldestSubmittedAt)],
    ['without a worker', typesNeverStarted.join(', ')],
  ];
}

function limitsText({ maximumRunning, rate, types = {}, maximumRunningPerKey, ratePerKey }: QueueLimits): string {
  const of = (name: string, maximum: number | undefined, starts: RateLimit | undefined): string[] => [
    ...(maximum === undefined ? [] : [`${maximum} running${name}`]),
    ...(starts === undefined ? [] : [`${starts.maximumStarts} starts in ${starts.windowMs} ms${name}`]),
  ];
  const ofTypes = Object.entries(types).flatMap(([type, limit]) => of(` of ${type}`, limit.maximumRunning, limit.rate));
  return [...of('', maximumRunning, rate), ...ofTypes, ...of(' per key', maximumRunningPerKey, ratePerKey)].join(', ');
}

export function schedulePairs(schedule: Schedule): Pairs {
  return [
    ['schedule', schedule.scheduleId],
    ['when', whenText(schedule)],
    ['type', schedule.type],
    ['paused', schedule.paused ? 'yes' : undefined],
    ['runs', schedule.runCount],
    ['left out', schedule.skippedCount],
    ['last run', clockText(schedule.lastRunAt)],
    ['last task', schedule.lastTaskId],
    ['next run', clockText(schedule.nextRuns[0])],
  ];
}

export function whenText({ cron, intervalMs, timeZone }: Schedule): string {
  return cron === '' ? `every ${intervalMs} ms` : `${cron}${timeZone === '' ? '' : ` (${timeZone})`}`;
}

export function failureText(failure: TaskFailure | undefined): string {
  if (failure === undefined) return '';
  return [failure.kind, failure.limit, failure.message].filter((part) => part !== undefined && part !== '').join(' ');
}

export function progressText(progress: TaskProgress | undefined): string {
  if (progress === undefined) return '';
  return `${progress.done}${progress.total === 0 ? '' : `/${progress.total}`} ${progress.text}`.trimEnd();
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

/** Text as it is, anything else by its size. */
function bodyText(body: Uint8Array, contentType: string): string {
  const isText = contentType.startsWith('text/') || contentType.includes('json');
  return isText ? Buffer.from(body).toString('utf8') : `${body.length} bytes ${contentType}`;
}

/** The label of a filter: one at most. */
export function oneLabel(labels: Readonly<Record<string, string>> = {}): { readonly name: string; readonly value: string } | undefined {
  const [label, ...others] = Object.entries(labels);
  if (others.length > 0) throw new UsageError('--label is given once');
  return label && { name: label[0], value: label[1] };
}

/** JSON where the text is JSON, else the text itself. */
export function payloadOf(text: string | undefined): TaskBody | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as TaskBody;
  } catch {
    return text;
  }
}
