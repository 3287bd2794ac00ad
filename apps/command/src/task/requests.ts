/** What callers ask of queues, as a queue decides it. */
import { decideCancel, decideRetry, decideStateUpdate, decideSubmission, taskIdOf, type TaskName, type TaskState, versionOf } from '@sluice/domain/task';
import { requestDigest, timestampFromUs } from '@sluice/protocol';
import { taskEvents, taskpb } from '@sluice/protocol/task';
import { MAXIMUM_CRON_BYTES, MAXIMUM_MESSAGE_BYTES, MAXIMUM_NOTE_BYTES, MAXIMUM_PAYLOAD_BYTES, MAXIMUM_SCHEDULES, MAXIMUM_TIME_ZONE_BYTES } from './limits';
import { STATE_TO_PROTO, STATES } from './proto-names';
import { checkTimes, runsAfter } from './schedule-runs';
import { receiptOf } from './task-submission';
import { accepted, rejected, submissionDigest, SubmittedVerdict, type Decided, type TaskRequest } from './task-request';
import { hashTaskRequest } from './request-hash';
import {
  checkedLimits,
  checkedScheduleName,
  checkedSpec,
  checkedTaskName,
  checkQueue,
  checkContentType,
  checkRequestId,
  checkStart,
  checkTime,
  keptMessage,
  specBytes,
  startAtUsOf,
} from './task-shape';
import { checkText, invalidRequest } from '@sluice/service';

/** What a request that names only ids takes. */
const SMALL_BYTES = 512;

// ---- submissions ----

/** Checks shapes; throws INVALID_REQUEST naming the field. */
export function submissionOf(queue: string, requestId: string, task: taskpb.TaskSpec | undefined, at: string): TaskRequest {
  checkRequestId(requestId, at === 'task' ? '' : at.slice(0, -'task'.length));
  const spec = checkedSpec(task, at);
  const bytes = specBytes(spec) + 3 * requestId.length;
  return {
    requestId,
    queue,
    sizeBytes: bytes,
    recordBytes: bytes,
    hashId: (seeds, queueHash) => hashTaskRequest(seeds, queueHash, requestId),
    get bodyDigest() {
      return submissionDigest(queue, requestId, spec);
    },
    decide: (turn, state, entry) => {
      const admission = state.admit(turn, entry, spec);
      if (admission.kind === 'refused') return refused(admission.rejection);
      if (admission.kind === 'existing') {
        const { number, state: taskState } = admission;
        return { verdict: receiptOf(taskIdOf(queue, number), STATE_TO_PROTO[taskState], versionOf(taskState), true), recorded: 'verdict' };
      }
      const startAtUs = startAtUsOf(spec, turn.committedAtUs);
      const number = state.create(turn, entry, { requestId, spec, startAtUs: BigInt(startAtUs), retryOf: '', schedule: '', scheduledAtUs: 0n });
      return { verdict: new SubmittedVerdict(queue, number), recorded: 'submission' };
    },
  };
}

// ---- tasks ----

export function cancelOf(request: taskpb.CancelTaskRequest): TaskRequest {
  const name = taskRequest(request);
  checkText(request.note, 'note', 0, MAXIMUM_NOTE_BYTES);
  if (request.expectedVersion > 3) throw invalidRequest('expected_version', 'is not in 0 to 3');
  return {
    ...small(name, request, 'CancelTaskRequest', taskpb.CancelTaskRequest),
    decide: (turn, state, entry) => {
      const decision = decideCancel(entry.queue, name.number, request.expectedVersion);
      if ('rejection' in decision) return refused(decision.rejection);
      state.end(turn, entry, decision, { note: request.note });
      return { verdict: receipt(name, decision.state), recorded: 'verdict' };
    },
  };
}

export function stateUpdateOf(request: taskpb.UpdateTaskStateRequest): TaskRequest {
  const name = taskRequest(request);
  const wanted = STATES[request.state];
  if (wanted === undefined) throw invalidRequest('state', 'is not a state');
  if (request.expectedVersion < 1 || request.expectedVersion > 2) throw invalidRequest('expected_version', 'is 1 or 2');
  if ((request.result?.body.length ?? 0) > MAXIMUM_PAYLOAD_BYTES) throw invalidRequest('result.body', `has more than ${MAXIMUM_PAYLOAD_BYTES} bytes`);
  const { result, failure } = request;
  if (result !== undefined) checkContentType(result.contentType, 'result.content_type');
  return {
    ...small(name, request, 'UpdateTaskStateRequest', taskpb.UpdateTaskStateRequest, MAXIMUM_MESSAGE_BYTES + (result?.body.length ?? 0)),
    decide: (turn, state, entry) => {
      state.endOverdue(turn, entry, name.number, state.countedAsOfUs(turn));
      const decision = decideStateUpdate(entry.queue, name.number, request.expectedVersion, wanted, turn.committedAtUs);
      if ('rejection' in decision) return refused(decision.rejection);
      if (decision.kind === 'start') state.start(turn, entry, name.number, decision.event.attempt, decision.event);
      else state.end(turn, entry, decision, { result: wanted === 'SUCCEEDED' ? result : undefined, message: keptMessage(failure?.message ?? '') });
      return { verdict: receipt(name, wanted), recorded: 'verdict' };
    },
  };
}

/** @param spec what the ended task was, read from the log; undefined: it is not found there. */
export function retryOf(request: taskpb.RetryTaskRequest, spec: taskpb.TaskSpec | undefined): TaskRequest {
  const name = taskRequest(request);
  return {
    ...small(name, request, 'RetryTaskRequest', taskpb.RetryTaskRequest, spec === undefined ? 0 : specBytes(spec)),
    decide: (turn, state, entry) => {
      const rejection = decideRetry(entry.queue, name.number)?.rejection ?? (spec === undefined ? 'TASK_TOO_OLD' : undefined);
      if (rejection !== undefined) return refused(rejection);
      const task = { ...(spec as taskpb.TaskSpec), delayMs: 0, startAt: undefined };
      const decision = decideSubmission(entry.queue, task, 'REFUSE');
      if ('rejection' in decision) return refused(decision.rejection);
      // The request is named by its verdict, because its body is another one than the submission's.
      const number = state.create(turn, entry, { requestId: '', spec: task, startAtUs: 0n, retryOf: request.taskId, schedule: '', scheduledAtUs: 0n });
      return { verdict: receiptOf(taskIdOf(name.queue, number), taskpb.TaskState.TASK_STATE_SUBMITTED, 1), recorded: 'verdict' };
    },
  };
}

// ---- queues ----

export function pauseOf(request: taskpb.PauseQueueRequest): TaskRequest {
  checkText(request.note, 'note', 0, MAXIMUM_NOTE_BYTES);
  return pausing(request, 'PauseQueueRequest', taskpb.PauseQueueRequest, true, request.note);
}

export function resumeOf(request: taskpb.ResumeQueueRequest): TaskRequest {
  return pausing(request, 'ResumeQueueRequest', taskpb.ResumeQueueRequest, false, '');
}

function pausing<Request extends QueueRequest>(request: Request, message: string, codec: Codec<Request>, paused: boolean, note: string): TaskRequest {
  return {
    ...small(queueRequest(request), request, message, codec),
    decide: (turn, state, entry) => {
      if (entry.queue.paused !== paused) state.record(turn, entry, taskEvents.record('QueuePaused', { queue: request.queue, paused, note }));
      return { verdict: { kind: 'accepted', reply: Buffer.alloc(0) }, recorded: 'verdict' };
    },
  };
}

export function purgeOf(request: taskpb.PurgeQueueRequest): TaskRequest {
  checkText(request.note, 'note', 0, MAXIMUM_NOTE_BYTES);
  return {
    ...small(queueRequest(request), request, 'PurgeQueueRequest', taskpb.PurgeQueueRequest),
    decide: (turn, state, entry) => {
      const { queue } = entry;
      const waitingTasks = BigInt(queue.tasks.size - queue.gate.running);
      const upToNumber = BigInt(queue.nextNumber - 1);
      state.record(turn, entry, taskEvents.record('QueuePurged', { queue: queue.name, upToNumber, note: request.note }));
      return { verdict: accepted(taskpb.PurgeQueueResponse, { waitingTasks, repeated: false, positionToken: '' }), recorded: 'verdict' };
    },
  };
}

export function configurationOf(request: taskpb.ConfigureQueueRequest): TaskRequest {
  const limits = checkedLimits(request.limits ?? taskpb.QueueLimits.fromPartial({}));
  return {
    ...small(queueRequest(request), request, 'ConfigureQueueRequest', taskpb.ConfigureQueueRequest, limits.types.length * SMALL_BYTES),
    decide: (turn, state, entry) => {
      state.record(turn, entry, taskEvents.record('QueueConfigured', { queue: request.queue, limits }));
      return { verdict: { kind: 'accepted', reply: Buffer.alloc(0) }, recorded: 'verdict' };
    },
  };
}

// ---- schedules ----

export function scheduleOf(request: taskpb.CreateScheduleRequest): TaskRequest {
  const { queue, name, spec } = request;
  queueRequest(request);
  checkText(name, 'name', 1, 96);
  if (name.includes('/')) throw invalidRequest('name', 'has a slash');
  if (spec === undefined) throw invalidRequest('spec', 'is missing');
  const task = checkedSpec(spec.task, 'spec.task');
  if (task.startAt !== undefined) throw invalidRequest('spec.task.start_at', 'is set; the runs say when');
  checkText(spec.cron, 'spec.cron', 0, MAXIMUM_CRON_BYTES);
  checkText(spec.timeZone, 'spec.time_zone', 0, MAXIMUM_TIME_ZONE_BYTES);
  checkStart(spec.beginAt, 'spec.begin_at');
  checkTime(spec.endAt, 'spec.end_at');
  checkTimes(spec);
  return {
    ...small(request, request, 'CreateScheduleRequest', taskpb.CreateScheduleRequest, specBytes(task) + 1_024),
    decide: (turn, state, entry) => {
      if (entry.queue.schedules.has(name)) return refused('SCHEDULE_EXISTS');
      if (entry.queue.schedules.size >= MAXIMUM_SCHEDULES) return refused('TOO_MANY_SCHEDULES');
      const nextRunsUs = runsAfter(spec, turn.committedAtUs, turn.committedAtUs).map(BigInt);
      if (nextRunsUs.length === 0) return refused('SCHEDULE_NEVER_RUNS');
      state.record(turn, entry, taskEvents.record('ScheduleCreated', { queue, name, spec, nextRunsUs }));
      const reply = { scheduleId: `${queue}/${name}`, nextRuns: nextRunsUs.map(timestampFromUs), repeated: false, positionToken: '' };
      return { verdict: accepted(taskpb.CreateScheduleResponse, reply), recorded: 'verdict' };
    },
  };
}

type ScheduleChange = taskpb.DeleteScheduleRequest;

export function scheduleDeletionOf(request: ScheduleChange): TaskRequest {
  const { queue, name } = scheduleRequest(request);
  return {
    ...small({ queue }, request, 'DeleteScheduleRequest', taskpb.DeleteScheduleRequest),
    decide: (turn, state, entry) => {
      if (!entry.queue.schedules.has(name)) return refused('SCHEDULE_NOT_FOUND');
      state.record(turn, entry, taskEvents.record('ScheduleDeleted', { queue, name }));
      return { verdict: { kind: 'accepted', reply: Buffer.alloc(0) }, recorded: 'verdict' };
    },
  };
}

export function schedulePauseOf(request: ScheduleChange, paused: boolean): TaskRequest {
  const { queue, name } = scheduleRequest(request);
  const codec: Codec<ScheduleChange> = paused ? taskpb.PauseScheduleRequest : taskpb.ResumeScheduleRequest;
  return {
    ...small({ queue }, request, paused ? 'PauseScheduleRequest' : 'ResumeScheduleRequest', codec),
    decide: (turn, state, entry) => {
      const spec = entry.scheduleSpecs.get(name);
      const schedule = entry.queue.schedules.get(name);
      if (spec === undefined || schedule === undefined) return refused('SCHEDULE_NOT_FOUND');
      const nextRunsUs = runsAfter(spec, turn.committedAtUs, schedule.nextRunsUs[0] ?? turn.committedAtUs).map(BigInt);
      if (schedule.paused !== paused) state.record(turn, entry, taskEvents.record('SchedulePaused', { queue, name, paused, nextRunsUs }));
      return { verdict: { kind: 'accepted', reply: Buffer.alloc(0) }, recorded: 'verdict' };
    },
  };
}

export function runNowOf(request: taskpb.RunScheduleNowRequest): TaskRequest {
  const { queue, name } = scheduleRequest(request);
  return {
    ...small({ queue }, request, 'RunScheduleNowRequest', taskpb.RunScheduleNowRequest, 2 * MAXIMUM_PAYLOAD_BYTES),
    decide: (turn, state, entry) => {
      const spec = entry.scheduleSpecs.get(name);
      const schedule = entry.queue.schedules.get(name);
      if (spec === undefined || schedule === undefined) return refused('SCHEDULE_NOT_FOUND');
      const run = state.submitRun(turn, entry, name, spec, turn.committedAtUs);
      if (run.kind === 'refused') return refused(run.rejection);
      const { buffered, nextRunsUs } = schedule;
      // Where another task stands for it the schedule has not run.
      if (run.kind === 'submitted') state.recordRuns(turn, entry, { name, dueUs: 0n, numbers: [run.number], skipped: 0, buffered, nextUs: nextRunsUs });
      return {
        verdict: accepted(taskpb.RunScheduleNowResponse, { taskId: taskIdOf(queue, run.number), repeated: false, positionToken: '' }),
        recorded: 'verdict',
      };
    },
  };
}

// ---- parts ----

interface QueueRequest {
  readonly requestId: string;
  readonly queue: string;
}

interface Codec<Request> {
  encode(request: Request): { finish(): Uint8Array };
}

function queueRequest<Request extends QueueRequest>(request: Request): Request {
  checkRequestId(request.requestId);
  checkQueue(request.queue);
  return request;
}

function taskRequest(request: { readonly requestId: string; readonly taskId: string }): TaskName {
  checkRequestId(request.requestId);
  return checkedTaskName(request.taskId);
}

function scheduleRequest(request: { readonly requestId: string; readonly scheduleId: string }): { readonly queue: string; readonly name: string } {
  checkRequestId(request.requestId);
  return checkedScheduleName(request.scheduleId);
}

function small<Request extends { readonly requestId: string }>(
  { queue }: { readonly queue: string },
  request: Request,
  message: string,
  codec: Codec<Request>,
  recordBytes = 0,
): Omit<TaskRequest, 'decide'> {
  return {
    requestId: request.requestId,
    queue,
    sizeBytes: SMALL_BYTES,
    recordBytes: recordBytes + 2 * SMALL_BYTES,
    hashId: (seeds, queueHash) => hashTaskRequest(seeds, queueHash, request.requestId),
    bodyDigest: requestDigest(`sluice.task.v1.${message}`, codec, request),
  };
}

function receipt(name: TaskName, state: TaskState): ReturnType<typeof receiptOf> {
  return receiptOf(taskIdOf(name.queue, name.number), STATE_TO_PROTO[state], versionOf(state));
}

/** What is not found may be there later; the rest depends on the queue's state, and is answered so for ever. */
export function refused(reason: string): Decided {
  return { verdict: rejected(reason), recorded: reason.endsWith('_NOT_FOUND') || isOfNow(reason) ? 'no' : 'verdict' };
}

/** There may be room, or the task's turn, when the same request comes again. */
function isOfNow(reason: string): boolean {
  return reason === 'QUEUE_TASKS_FULL' || reason === 'QUEUE_TYPES_FULL' || reason === 'TASK_NOT_STARTABLE';
}
