/**
 * What a queue decides. Nothing here changes what is recorded: a decision is an event, or a rejection with its reason. The checks stand in
 * the order in which they are made.
 */
import type { KeyLane, StartGate, TypeLane } from './lanes';
import { type AttemptOutcome, DUE, type QueueEvent, type TaskQueue } from './queue';
import { pauseAfterFailureMs } from './retry';
import type { FailureKind, NewTask, TaskPolicy, TimeLimit } from './task';
import { DELAYED, READY, RUNNING } from './task-columns';
import type { LeaseName } from './task-id';
import { stateAfter, type TaskChange, type TaskState, versionOf } from './task-state';

/** Tasks of a queue that have not ended, at most. */
export const MAXIMUM_QUEUE_TASKS = 4_000_000;
/** Types of the tasks of a queue that have not ended, at most: a worker that takes all types is given the first task of them all. */
export const MAXIMUM_QUEUE_TYPES = 1_000;
/** Slots that one step of a purge looks at. */
const PURGE_STEP_SLOTS = 100_000;

export type TaskRejection =
  | 'LEASE_LOST'
  | 'QUEUE_TASKS_FULL'
  | 'QUEUE_TYPES_FULL'
  | 'STATE_NOT_NEXT'
  | 'STATE_VERSION_MISMATCH'
  | 'TASK_DUPLICATE'
  | 'TASK_ENDED'
  | 'TASK_NOT_ENDED'
  | 'TASK_NOT_FOUND'
  | 'TASK_NOT_STARTABLE';

export interface Failure {
  readonly kind: FailureKind;
  readonly limit: TimeLimit | undefined;
}

export type EndingEvent = Extract<QueueEvent, { kind: 'attemptEnded' | 'ended' }>;

/** How a task, or an attempt of it, ends. */
export interface Ending {
  readonly event: EndingEvent;
  /** The state of the task after it. */
  readonly state: TaskState;
  /** Undefined: it did not fail. */
  readonly failure: Failure | undefined;
}

export interface Rejected {
  readonly rejection: TaskRejection;
}

export type DedupeRule = 'REFUSE' | 'RETURN_EXISTING' | 'REPLACE';

export type Submission =
  | { readonly kind: 'new' }
  /** The task that is there answers for it. */
  | { readonly kind: 'existing'; readonly number: number; readonly state: TaskState }
  /** The task that is there ends first. */
  | { readonly kind: 'replaces'; readonly ending: Ending };

// ---- submit ----

export function decideSubmission(queue: TaskQueue, { type, dedupeKey }: Pick<NewTask, 'type' | 'dedupeKey'>, rule: DedupeRule): Submission | Rejected {
  if (queue.tasks.size >= MAXIMUM_QUEUE_TASKS) return { rejection: 'QUEUE_TASKS_FULL' };
  if (!queue.types.has(type) && queue.types.size >= MAXIMUM_QUEUE_TYPES) return { rejection: 'QUEUE_TYPES_FULL' };
  const number = dedupeKey === '' ? 0 : queue.taskWithDedupeKey(dedupeKey);
  if (number === 0) return { kind: 'new' };
  const state = stateOf(queue, queue.tasks.slotOf(number));
  switch (rule) {
    case 'REFUSE':
      return { rejection: 'TASK_DUPLICATE' };
    case 'RETURN_EXISTING':
      return { kind: 'existing', number, state };
    case 'REPLACE':
      if (state !== 'SUBMITTED') return { rejection: 'TASK_DUPLICATE' };
      return { kind: 'replaces', ending: endingOf(queue, queue.tasks.slotOf(number), 'CANCEL', undefined) };
    default:
      return rule satisfies never;
  }
}

// ---- start ----

export type StartDecision =
  | { readonly kind: 'start'; readonly number: number; readonly attempt: number }
  /** @property againAtUs when a rate lets the next one start; Infinity: not before something changes. */
  | { readonly kind: 'nothing'; readonly againAtUs: number };

/** The task that is started next. @param types those that the worker takes; undefined: all. */
export function decideStart(queue: TaskQueue, types: readonly string[] | undefined, nowUs: number): StartDecision {
  if (queue.paused || queue.gate.isFull) return nothingBefore(Number.POSITIVE_INFINITY);
  const openAtUs = queue.gate.openAtUs(nowUs);
  if (openAtUs !== 0) return nothingBefore(openAtUs);
  let againAtUs = Number.POSITIVE_INFINITY;
  let best: TypeLane | undefined;
  const consider = (lane: TypeLane | undefined): void => {
    if (lane === undefined || lane.gate.isFull || firstReady(queue, lane, nowUs) === 0) return;
    const laneOpensAtUs = lane.gate.openAtUs(nowUs);
    if (laneOpensAtUs !== 0) againAtUs = Math.min(againAtUs, laneOpensAtUs);
    else if (best === undefined || isBefore(lane, best)) best = lane;
  };
  if (types === undefined) for (const lane of queue.types.values()) consider(lane);
  else for (const type of types) consider(queue.types.get(type));
  const chosen = best;
  if (chosen === undefined) return nothingBefore(againAtUs);
  const number = chosen.ready.topNumber;
  return { kind: 'start', number, attempt: (queue.tasks.attempts[queue.tasks.slotOf(number)] as number) + 1 };
}

function nothingBefore(againAtUs: number): StartDecision {
  return { kind: 'nothing', againAtUs };
}

function isBefore(left: TypeLane, right: TypeLane): boolean {
  const { topPriority } = right.ready;
  return left.ready.topPriority > topPriority || (left.ready.topPriority === topPriority && left.ready.topNumber < right.ready.topNumber);
}

/** Number of the first task of the type that may start as far as its key is concerned; 0: none. */
function firstReady(queue: TaskQueue, lane: TypeLane, nowUs: number): number {
  for (let number = queue.firstOf(lane.ready); number !== 0; number = queue.firstOf(lane.ready)) {
    const key = queue.tasks.keys[queue.tasks.slotOf(number)];
    if (key === undefined || mayStart(queue, key, number, nowUs)) return number;
    lane.ready.pop();
  }
  return 0;
}

/** A key that is full offers its first one again when it is not; one whose rate is used up when the rate allows it. */
function mayStart(queue: TaskQueue, key: KeyLane, number: number, nowUs: number): boolean {
  if (key.offered !== number) return false;
  if (key.gate.isFull) {
    key.offered = 0;
    return false;
  }
  const openAtUs = key.gate.openAtUs(nowUs);
  if (openAtUs === 0) return true;
  key.offered = 0;
  queue.due.push(openAtUs, number, DUE.KEY_OPENS);
  return false;
}

// ---- reports of workers ----

/** @property repeated the attempt ended so before: the worker says it again. */
export type ReportDecision = (Ending & { readonly repeated: false }) | { readonly repeated: true } | Rejected;

export function decideCompletion(queue: TaskQueue, lease: LeaseName): ReportDecision {
  const slot = leasedSlot(queue, lease);
  if (slot === -1) return leaseGone(queue, lease, 'SUCCEEDED');
  return { ...attemptEnding(queue, slot, 'COMPLETE', 0, undefined), repeated: false };
}

export function decideFailure(queue: TaskQueue, lease: LeaseName, permanent: boolean, nowUs: number): ReportDecision {
  const slot = leasedSlot(queue, lease);
  if (slot === -1) return leaseGone(queue, lease, 'FAILED');
  const failure: Failure = { kind: permanent ? 'PERMANENT' : 'HANDLER', limit: undefined };
  return { ...failedAttempt(queue, slot, failure, !permanent, nowUs), repeated: false };
}

/** Whether an attempt that its worker had for so long took too long. @param ranUs by the worker's clock; 0: it does not say. */
export function ranTooLong(queue: TaskQueue, lease: LeaseName, ranUs: number): boolean {
  const slot = leasedSlot(queue, lease);
  if (slot === -1 || ranUs === 0) return false;
  return ranUs >= limitEndUs(0, (queue.tasks.policies[slot] as TaskPolicy).limits.startToFinishMs);
}

/** The worker ended the attempt because its time was over by the worker's clock. */
export function decideTimeOver(queue: TaskQueue, lease: LeaseName, ranUs: number, nowUs: number): ReportDecision {
  const slot = leasedSlot(queue, lease);
  if (slot === -1) return leaseGone(queue, lease, 'FAILED');
  const { limits } = queue.tasks.policies[slot] as TaskPolicy;
  // Timers of workers fire up to a millisecond early.
  const isOfAttempt = limits.startToFinishMs > 0 && (limits.submitToFinishMs === 0 || ranUs + 1_000 >= limits.startToFinishMs * 1_000);
  if (isOfAttempt) return { ...attemptTooLong(queue, slot, nowUs), repeated: false };
  if (limits.submitToFinishMs === 0) return decideFailure(queue, lease, false, nowUs);
  return { ...taskTooLong(queue, slot), repeated: false };
}

/** The worker gives the attempt back untouched: it does not count as failed. */
export function decideReturn(queue: TaskQueue, lease: LeaseName, nowUs: number): ReportDecision {
  const slot = leasedSlot(queue, lease);
  if (slot === -1) return leaseGone(queue, lease, 'RETURNED');
  return { ...attemptEnding(queue, slot, 'RETURN', nowUs, undefined), repeated: false };
}

/** The answer to a report on a lease that is not in force. @param outcome how the report would have ended the attempt. */
function leaseGone(queue: TaskQueue, lease: LeaseName, outcome: AttemptOutcome): ReportDecision {
  return queue.endOf(lease) === outcome ? { repeated: true } : { rejection: 'LEASE_LOST' };
}

/** Slot of the task if the lease is in force; -1: it is not. */
export function leasedSlot(queue: TaskQueue, { number, attempt, sequence }: LeaseName): number {
  const { tasks } = queue;
  const slot = tasks.slotOf(number);
  if (slot === -1 || tasks.phases[slot] !== RUNNING) return -1;
  return tasks.attempts[slot] === attempt && tasks.startedSequences[slot] === sequence ? slot : -1;
}

// ---- callers ----

export function decideCancel(queue: TaskQueue, number: number, expectedVersion: number): Ending | Rejected {
  const slot = queue.tasks.slotOf(number);
  if (slot === -1)
    return { rejection: endedOrUnknown(queue, number, expectedVersion === 0 || expectedVersion === 3 ? 'TASK_ENDED' : 'STATE_VERSION_MISMATCH') };
  if (expectedVersion !== 0 && versionOf(stateOf(queue, slot)) !== expectedVersion) return { rejection: 'STATE_VERSION_MISMATCH' };
  return endingOf(queue, slot, 'CANCEL', undefined);
}

export type StateUpdate = { readonly kind: 'start'; readonly event: QueueEvent & { kind: 'started' } } | ({ readonly kind: 'end' } & Ending);

/**
 * Compare-and-set by a caller: only from the version that it expects, and only to the next level. A start obeys everything that holds back a
 * worker's start; the caller only chooses the task.
 */
export function decideStateUpdate(queue: TaskQueue, number: number, expectedVersion: number, state: TaskState, nowUs: number): StateUpdate | Rejected {
  const slot = queue.tasks.slotOf(number);
  if (slot === -1) return { rejection: endedOrUnknown(queue, number, 'STATE_VERSION_MISMATCH') };
  const current = stateOf(queue, slot);
  if (versionOf(current) !== expectedVersion) return { rejection: 'STATE_VERSION_MISMATCH' };
  if (versionOf(state) !== expectedVersion + 1) return { rejection: 'STATE_NOT_NEXT' };
  switch (state) {
    case 'SUBMITTED':
      return { rejection: 'STATE_NOT_NEXT' };
    case 'RUNNING':
      if (!mayStartNow(queue, slot, nowUs)) return { rejection: 'TASK_NOT_STARTABLE' };
      return { kind: 'start', event: { kind: 'started', number, attempt: 1, workerId: '', keepsLimits: false } };
    case 'SUCCEEDED':
      // Between two attempts nothing is being done that could have succeeded.
      if (queue.tasks.phases[slot] !== RUNNING) return { rejection: 'STATE_NOT_NEXT' };
      return { kind: 'end', ...endingOf(queue, slot, 'COMPLETE', undefined) };
    case 'FAILED':
      // Of a task that was never started there is nothing that could have failed: its expected version is 1, and FAILED is not next.
      return { kind: 'end', ...endingOf(queue, slot, 'FAIL', { kind: 'PERMANENT', limit: undefined }) };
    case 'CANCELLED':
      return { kind: 'end', ...endingOf(queue, slot, 'CANCEL', undefined) };
    default:
      return state satisfies never;
  }
}

/** Whether pause, purge, start time, limits, rates and the order of the key let the task start. It may overtake tasks of other keys. */
function mayStartNow(queue: TaskQueue, slot: number, nowUs: number): boolean {
  const { tasks } = queue;
  const number = tasks.numbers[slot] as number;
  if (queue.paused || number <= queue.purgedUpTo) return false;
  if (!isOpen(queue.gate, nowUs) || !isOpen((tasks.types[slot] as TypeLane).gate, nowUs)) return false;
  // Its start time may be over since the queue looked last.
  if (tasks.phases[slot] === DELAYED && (tasks.startAtUs[slot] as number) <= nowUs) queue.makeReady(slot);
  if (tasks.phases[slot] !== READY) return false;
  const key = tasks.keys[slot];
  return key === undefined || (isOpen(key.gate, nowUs) && queue.firstOf(key.ready) === number);
}

function isOpen(gate: StartGate, nowUs: number): boolean {
  return !gate.isFull && gate.openAtUs(nowUs) === 0;
}

/** Whether the task has ended, so that it may be done again; undefined: it has. */
export function decideRetry(queue: TaskQueue, number: number): Rejected | undefined {
  if (queue.tasks.slotOf(number) !== -1) return { rejection: 'TASK_NOT_ENDED' };
  return number < queue.nextNumber ? undefined : { rejection: 'TASK_NOT_FOUND' };
}

function endedOrUnknown(queue: TaskQueue, number: number, ended: TaskRejection): TaskRejection {
  return number < queue.nextNumber ? ended : 'TASK_NOT_FOUND';
}

// ---- time ----

/** How much of what is due is still looked at in a turn. */
export interface DueSteps {
  left: number;
}

/**
 * The earliest of what is due that ends something; undefined: nothing is, or the steps are used up. What follows from the time alone is
 * done on the way: a million delays may be over at the same moment.
 *
 * @param asOfUs the owner's clock, which counts attempts. Times of commits are ahead of it while it is behind the owner before.
 */
export function decideDue(queue: TaskQueue, nowUs: number, steps: DueSteps, asOfUs = nowUs): Ending | undefined {
  const { due } = queue;
  while (due.topTimeUs <= asOfUs && steps.left > 0) {
    steps.left -= 1;
    const number = due.topNumber;
    const kind = due.topKind;
    const timeUs = due.topTimeUs;
    due.pop();
    const slot = queue.tasks.slotOf(number);
    const ending = slot === -1 ? undefined : dueEnding(queue, slot, { kind, timeUs, asOfUs, nowUs });
    if (ending !== undefined) return ending;
  }
  return undefined;
}

/**
 * How a time limit that is over by now ends the task, or its attempt; undefined: none is. What is due is done a moment after its time, and later still when
 * the owner has just changed: a start or a report that comes between must not get ahead of it.
 *
 * @param asOfUs when what comes between has come; it may have waited for its turn since.
 */
export function decideOverdue(queue: TaskQueue, number: number, asOfUs: number, nowUs: number): Ending | undefined {
  const { tasks } = queue;
  const slot = tasks.slotOf(number);
  if (slot === -1) return undefined;
  const { submitToStartMs, submitToFinishMs } = (tasks.policies[slot] as TaskPolicy).limits;
  const createdAtUs = tasks.createdAtUs[slot] as number;
  const toStartUs = tasks.attempts[slot] === 0 ? limitEndUs(createdAtUs, submitToStartMs) : Number.POSITIVE_INFINITY;
  const ofAttemptUs = tasks.phases[slot] === RUNNING ? queue.attemptEndUs(slot) : Number.POSITIVE_INFINITY;
  const firstUs = Math.min(toStartUs, ofAttemptUs, limitEndUs(createdAtUs, submitToFinishMs));
  if (firstUs > asOfUs) return undefined;
  const kind = firstUs === toStartUs ? DUE.SUBMIT_TO_START : firstUs === ofAttemptUs ? DUE.START_TO_FINISH : DUE.SUBMIT_TO_FINISH;
  return dueEnding(queue, slot, { kind, timeUs: firstUs, asOfUs, nowUs });
}

/** @param limitMs 0: there is none. */
function limitEndUs(fromUs: number, limitMs: number): number {
  return limitMs > 0 ? fromUs + limitMs * 1_000 : Number.POSITIVE_INFINITY;
}

interface Due {
  readonly kind: number;
  readonly timeUs: number;
  readonly asOfUs: number;
  /** When the end is recorded: pauses are counted from there. */
  readonly nowUs: number;
}

function dueEnding(queue: TaskQueue, slot: number, { kind, timeUs, asOfUs, nowUs }: Due): Ending | undefined {
  const { tasks } = queue;
  const isRunning = tasks.phases[slot] === RUNNING;
  switch (kind) {
    case DUE.READY:
      if (tasks.phases[slot] === DELAYED && (tasks.startAtUs[slot] as number) <= nowUs) queue.makeReady(slot);
      return undefined;
    case DUE.KEY_OPENS:
      if (tasks.keys[slot] !== undefined) queue.offerFirst(tasks.keys[slot]);
      return undefined;
    case DUE.SUBMIT_TO_START:
      return tasks.attempts[slot] === 0 ? endingOf(queue, slot, 'TIME_LIMIT', { kind: 'TIME_LIMIT', limit: 'SUBMIT_TO_START' }) : undefined;
    case DUE.SUBMIT_TO_FINISH:
      return taskTooLong(queue, slot);
    case DUE.START_TO_FINISH:
      return isRunning ? overdueAttempt(queue, slot, { timeUs, asOfUs, nowUs }) : undefined;
    case DUE.HEARTBEAT:
      return isRunning && tasks.workers[slot] !== '' ? lostWorker(queue, slot, asOfUs, nowUs) : undefined;
    default:
      throw new Error(`unknown kind of what is due: ${kind}`);
  }
}

function overdueAttempt(queue: TaskQueue, slot: number, { timeUs, asOfUs, nowUs }: Omit<Due, 'kind'>): Ending | undefined {
  const { tasks } = queue;
  const { startToFinishMs } = (tasks.policies[slot] as TaskPolicy).limits;
  // An entry of an attempt before this one comes too early.
  if (limitEndUs(tasks.countedFromUs[slot] as number, startToFinishMs) > timeUs) return undefined;
  const endUs = queue.attemptEndUs(slot);
  if (endUs <= asOfUs) return attemptTooLong(queue, slot, nowUs);
  // The owner has changed since.
  queue.due.push(endUs, tasks.numbers[slot] as number, DUE.START_TO_FINISH);
  return undefined;
}

function lostWorker(queue: TaskQueue, slot: number, asOfUs: number, nowUs: number): Ending | undefined {
  const { tasks, due } = queue;
  const heardAtUs = Math.max(tasks.heardAtUs[slot] as number, queue.heardFloorUs);
  const lostAtUs = heardAtUs + (tasks.policies[slot] as TaskPolicy).limits.heartbeatMs * 1_000;
  if (lostAtUs <= asOfUs) return failedAttempt(queue, slot, { kind: 'WORKER_LOST', limit: 'HEARTBEAT' }, true, nowUs);
  due.push(lostAtUs, tasks.numbers[slot] as number, DUE.HEARTBEAT);
  return undefined;
}

/** The next tasks that a purge ends, and where the search goes on. @returns undefined: the purge is over. */
export function decidePurgeStep(queue: TaskQueue, maximumEndings: number): readonly Ending[] | undefined {
  const { tasks } = queue;
  if (queue.purgeSlot === -1) return undefined;
  const to = Math.min(queue.purgeSlot + PURGE_STEP_SLOTS, tasks.used);
  const endings: Ending[] = [];
  let slot = queue.purgeSlot;
  for (; slot < to && endings.length < maximumEndings; slot += 1) {
    const waits = tasks.phases[slot] === READY || tasks.phases[slot] === DELAYED;
    if (waits && (tasks.numbers[slot] as number) <= queue.purgedUpTo) endings.push(endingOf(queue, slot, 'CANCEL', undefined));
  }
  queue.purgeSlot = slot >= tasks.used ? -1 : slot;
  return endings;
}

// ---- endings ----

function stateOf({ tasks }: TaskQueue, slot: number): TaskState {
  return tasks.attempts[slot] === 0 ? 'SUBMITTED' : 'RUNNING';
}

/** The task ends, whether an attempt is under way or not. */
function endingOf(queue: TaskQueue, slot: number, change: 'COMPLETE' | 'FAIL' | 'TIME_LIMIT' | 'CANCEL', failure: Failure | undefined): Ending {
  if (queue.tasks.phases[slot] === RUNNING) return attemptEnding(queue, slot, change, 0, failure);
  return { event: { kind: 'ended', number: queue.tasks.numbers[slot] as number }, state: changed(stateOf(queue, slot), change), failure };
}

/** The attempt took longer than one attempt may. */
function attemptTooLong(queue: TaskQueue, slot: number, nowUs: number): Ending {
  const { retry } = queue.tasks.policies[slot] as TaskPolicy;
  return failedAttempt(queue, slot, { kind: 'TIME_LIMIT', limit: 'START_TO_FINISH' }, retry.retryTimeLimit, nowUs);
}

/** The task took longer than all its attempts may. */
function taskTooLong(queue: TaskQueue, slot: number): Ending {
  return endingOf(queue, slot, 'TIME_LIMIT', { kind: 'TIME_LIMIT', limit: 'SUBMIT_TO_FINISH' });
}

function failedAttempt(queue: TaskQueue, slot: number, failure: Failure, retryable: boolean, nowUs: number): Ending {
  const { retry } = queue.tasks.policies[slot] as TaskPolicy;
  const failures = (queue.tasks.failures[slot] as number) + 1;
  if (!retryable || failures >= retry.maximumAttempts) return attemptEnding(queue, slot, failure.kind === 'TIME_LIMIT' ? 'TIME_LIMIT' : 'FAIL', 0, failure);
  const pauseUs = pauseAfterFailureMs(retry, queue.tasks.numbers[slot] as number, failures) * 1_000;
  return attemptEnding(queue, slot, 'RETRY', nowUs + pauseUs, failure);
}

const OUTCOMES: Readonly<Record<Exclude<TaskChange, 'START'>, AttemptOutcome>> = {
  COMPLETE: 'SUCCEEDED',
  FAIL: 'FAILED',
  TIME_LIMIT: 'FAILED',
  RETRY: 'FAILED',
  CANCEL: 'CANCELLED',
  RETURN: 'RETURNED',
};

function attemptEnding(queue: TaskQueue, slot: number, change: Exclude<TaskChange, 'START'>, retryAtUs: number, failure: Failure | undefined): Ending {
  const { tasks } = queue;
  const number = tasks.numbers[slot] as number;
  const attempt = tasks.attempts[slot] as number;
  return { event: { kind: 'attemptEnded', number, attempt, outcome: OUTCOMES[change], retryAtUs }, state: changed(stateOf(queue, slot), change), failure };
}

function changed(state: TaskState, change: TaskChange): TaskState {
  const next = stateAfter(state, change);
  if (next === undefined) throw new Error(`${change} is not possible for a task that is ${state}`);
  return next;
}
