/**
 * What the log says about tasks, read by code that shares nothing with the engine but the generated messages: every queue's tasks are followed event by event
 * through their states, and each event is compared with the rules of docs/tasks.md.
 */
import { taskpb } from '@sluice/protocol/task';
import type { DecodedLog } from '../world/decoded-log';

const { AttemptOutcome, FailureKind, TaskState, TimeLimit } = taskpb;
/** Limits of a task that says none. */
const DEFAULT_HEARTBEAT_MS = 10_000;
const DEFAULT_MAXIMUM_ATTEMPTS = 3;

export interface ReadAttempt {
  readonly number: number;
  /** Names the attempt together with the task: it is in the lease token. */
  readonly sequence: number;
  readonly startedAtUs: number;
  readonly workerId: string;
  outcome: taskpb.AttemptOutcome | undefined;
  result: string;
}

export interface ReadTask {
  readonly taskId: string;
  readonly requestId: string;
  readonly spec: taskpb.TaskSpec;
  readonly createdAtUs: number;
  readonly attempts: ReadAttempt[];
  state: taskpb.TaskState;
  /** Not started before it, microseconds. */
  startAtUs: number;
  failures: number;
}

export interface TaskReading {
  readonly tasks: ReadonlyMap<string, ReadTask>;
  /** Tasks by the queue and the request that submitted them. */
  readonly requests: ReadonlyMap<string, readonly string[]>;
  /** Tasks that have not ended. */
  readonly live: number;
  readonly contradictions: readonly string[];
}

interface Queue {
  readonly name: string;
  limits: taskpb.QueueLimits | undefined;
  nextNumber: number;
  paused: boolean;
  readonly running: Set<ReadTask>;
  /** Times of starts since the limits were set, microseconds. */
  starts: number[];
}

export function leaseKey(taskId: string, leaseToken: string): string {
  return `${taskId}#${leaseToken}`;
}

export function attemptKey(taskId: string, { number, sequence }: ReadAttempt): string {
  return leaseKey(taskId, `${taskId.slice(taskId.lastIndexOf('/') + 1)}.${number}.${sequence}`);
}

export function hasEnded({ state }: ReadTask): boolean {
  return state !== TaskState.TASK_STATE_SUBMITTED && state !== TaskState.TASK_STATE_RUNNING;
}

class Reader {
  readonly tasks = new Map<string, ReadTask>();
  readonly requests = new Map<string, string[]>();
  readonly contradictions: string[] = [];
  private readonly queues = new Map<string, Queue>();

  constructor(private readonly clocksDifferByUs: number) {}

  private queue(name: string): Queue {
    let queue = this.queues.get(name);
    if (queue === undefined) {
      queue = { name, limits: undefined, nextNumber: 1, paused: false, running: new Set(), starts: [] };
      this.queues.set(name, queue);
    }
    return queue;
  }

  private contradict(taskId: string, what: string): void {
    this.contradictions.push(`task ${taskId} ${what}`);
  }

  private task(queue: string, number: bigint, what: string): ReadTask | undefined {
    const task = this.tasks.get(`${queue}/${number}`);
    if (task === undefined) this.contradict(`${queue}/${number}`, `${what} and was never submitted`);
    else if (hasEnded(task)) this.contradict(task.taskId, `${what} and has ended as ${TaskState[task.state]}`);
    else return task;
    return undefined;
  }

  created({ queue: name, firstNumber, tasks }: taskpb.TasksCreated, atUs: number): void {
    const queue = this.queue(name);
    for (const [at, { requestId, spec, startAtUs }] of tasks.entries()) {
      const number = Number(firstNumber) + at;
      const taskId = `${name}/${number}`;
      if (number !== queue.nextNumber) this.contradict(taskId, `is submitted when ${queue.nextNumber} is next`);
      queue.nextNumber = number + 1;
      if (spec === undefined) {
        this.contradict(taskId, 'does not say what it is');
        continue;
      }
      const state = TaskState.TASK_STATE_SUBMITTED;
      this.tasks.set(taskId, { taskId, requestId, spec, createdAtUs: atUs, attempts: [], state, startAtUs: Number(startAtUs), failures: 0 });
      const key = requestKey(name, requestId);
      this.requests.set(key, [...(this.requests.get(key) ?? []), taskId]);
    }
  }

  started({ queue: name, workerId, starts }: taskpb.AttemptsStarted, atUs: number, sequence: number): void {
    const queue = this.queue(name);
    for (const { number, attempt } of starts) {
      const task = this.task(name, number, `is started (attempt ${attempt})`);
      if (task === undefined) continue;
      if (queue.running.has(task)) this.contradict(task.taskId, `is started (attempt ${attempt}) while attempt ${task.attempts.at(-1)?.number} runs`);
      if (attempt !== task.attempts.length + 1) this.contradict(task.taskId, `has attempt ${attempt} after ${task.attempts.length} attempts`);
      if (atUs < task.startAtUs) this.contradict(task.taskId, `is started ${task.startAtUs - atUs} µs early`);
      const startLimitMs = task.spec.limits?.submitToStartMs ?? 0;
      if (startLimitMs > 0 && task.attempts.length === 0 && atUs >= task.createdAtUs + startLimitMs * 1_000)
        this.contradict(task.taskId, `is started ${atUs - task.createdAtUs} µs after its submission; its limit is ${startLimitMs} ms`);
      task.attempts.push({ number: attempt, sequence, startedAtUs: atUs, workerId, outcome: undefined, result: '' });
      task.state = TaskState.TASK_STATE_RUNNING;
      queue.running.add(task);
      queue.starts.push(atUs);
      this.checkLimits(queue, task, atUs);
    }
  }

  private checkLimits(queue: Queue, started: ReadTask, atUs: number): void {
    const { limits, running } = queue;
    const { key, type } = started.spec;
    const ofKey = key === '' ? 0 : [...running].filter(({ spec }) => spec.key === key).length;
    const mostOfKey = limits?.maximumRunningPerKey || 1;
    if (ofKey > mostOfKey) this.contradict(started.taskId, `is started as number ${ofKey} of its key "${key}"; ${mostOfKey} may run`);
    if (queue.paused) this.contradict(started.taskId, 'is started while its queue is paused');
    if (limits === undefined) return;
    if (limits.maximumRunning > 0 && running.size > limits.maximumRunning)
      this.contradict(started.taskId, `is started as number ${running.size} of its queue; ${limits.maximumRunning} may run`);
    const ofType = limits.types.find((one) => one.type === type);
    const runningOfType = [...running].filter(({ spec }) => spec.type === type).length;
    if (ofType !== undefined && ofType.maximumRunning > 0 && runningOfType > ofType.maximumRunning)
      this.contradict(started.taskId, `is started as number ${runningOfType} of its type; ${ofType.maximumRunning} may run`);
    if (limits.rate === undefined) return;
    const { maximumStarts, windowMs } = limits.rate;
    const inWindow = queue.starts.filter((start) => start > atUs - windowMs * 1_000).length;
    if (inWindow > maximumStarts) this.contradict(started.taskId, `is start ${inWindow} within ${windowMs} ms; ${maximumStarts} are allowed`);
  }

  attemptsEnded({ queue: name, ends }: taskpb.AttemptsEnded, atUs: number): void {
    for (const end of ends) {
      const task = this.task(name, end.number, `has an end of attempt ${end.attempt}`);
      const attempt = task?.attempts.at(-1);
      if (task === undefined) continue;
      if (attempt === undefined || attempt.outcome !== undefined || attempt.number !== end.attempt) {
        this.contradict(task.taskId, `has an end of attempt ${end.attempt}, which does not run`);
        continue;
      }
      attempt.outcome = end.outcome;
      attempt.result = end.result?.body.toString('utf8') ?? '';
      this.queue(name).running.delete(task);
      this.checkEnd(task, attempt, end, atUs);
      if (end.outcome === AttemptOutcome.ATTEMPT_OUTCOME_FAILED) task.failures += 1;
      if (end.retryAtUs === 0n) task.state = STATE_AFTER[end.outcome] ?? TaskState.TASK_STATE_UNSPECIFIED;
      else task.startAtUs = Number(end.retryAtUs);
    }
  }

  /** Whether the attempt may end so, at this time. */
  private checkEnd(task: ReadTask, attempt: ReadAttempt, { outcome, failure, retryAtUs, countedUs }: taskpb.AttemptEnd, atUs: number): void {
    const { limits, retry } = task.spec;
    const ranUs = atUs - attempt.startedAtUs;
    const counted = Number(countedUs) || ranUs;
    // Times of commits stand still while the owner's clock is behind the one before; a microsecond is the least that is counted.
    if (counted > ranUs + this.clocksDifferByUs + 1) this.contradict(task.taskId, `ran ${counted} µs of the ${ranUs} µs between its start and its end`);
    // A report in time may wait for its turn; it came no earlier than this.
    const reportedUs = outcome === AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED ? attempt.startedAtUs + counted : atUs;
    const passed: readonly [limit: taskpb.TimeLimit, sinceUs: number, limitMs: number][] = [
      [TimeLimit.TIME_LIMIT_START_TO_FINISH, counted, limits?.startToFinishMs ?? 0],
      [TimeLimit.TIME_LIMIT_SUBMIT_TO_FINISH, reportedUs - task.createdAtUs, limits?.submitToFinishMs ?? 0],
      [TimeLimit.TIME_LIMIT_HEARTBEAT, ranUs, limits?.heartbeatMs || DEFAULT_HEARTBEAT_MS],
    ];
    for (const [limit, sinceUs, limitMs] of passed) {
      if (failure?.limit === limit && sinceUs < limitMs * 1_000)
        this.contradict(task.taskId, `is cut off by ${TimeLimit[limit]} after ${sinceUs} µs; the limit is ${limitMs} ms`);
      const isLate = limit !== TimeLimit.TIME_LIMIT_HEARTBEAT && limitMs > 0 && sinceUs >= limitMs * 1_000;
      if (isLate && outcome === AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED)
        this.contradict(task.taskId, `succeeds after ${sinceUs} µs; ${TimeLimit[limit]} is ${limitMs} ms`);
    }
    const most = retry?.maximumAttempts || DEFAULT_MAXIMUM_ATTEMPTS;
    if (outcome === AttemptOutcome.ATTEMPT_OUTCOME_FAILED && retryAtUs !== 0n && task.failures + 1 >= most)
      this.contradict(task.taskId, `is to be tried again after ${task.failures + 1} of ${most} attempts failed`);
    if (outcome === AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED && retryAtUs !== 0n) this.contradict(task.taskId, 'is to be tried again after it succeeded');
    if (failure?.kind === FailureKind.FAILURE_KIND_PERMANENT && retryAtUs !== 0n)
      this.contradict(task.taskId, 'is to be tried again after a permanent failure');
  }

  ended({ queue: name, ends }: taskpb.TasksEnded, atUs: number): void {
    for (const { number, state, failure } of ends) {
      const task = this.task(name, number, 'ends');
      if (task === undefined) continue;
      if (this.queue(name).running.has(task)) this.contradict(task.taskId, `ends as ${TaskState[state]} beside its attempt`);
      const limitMs = task.spec.limits?.submitToStartMs ?? 0;
      if (failure?.limit === TimeLimit.TIME_LIMIT_SUBMIT_TO_START && atUs < task.createdAtUs + limitMs * 1_000)
        this.contradict(task.taskId, `was not started in time after ${atUs - task.createdAtUs} µs; the limit is ${limitMs} ms`);
      task.state = state;
    }
  }

  configured({ queue: name, limits }: taskpb.QueueConfigured): void {
    const queue = this.queue(name);
    queue.limits = limits;
    queue.starts = [];
  }

  paused({ queue: name, paused }: taskpb.QueuePaused): void {
    this.queue(name).paused = paused;
  }
}

const STATE_AFTER: Readonly<Record<number, taskpb.TaskState>> = {
  [AttemptOutcome.ATTEMPT_OUTCOME_SUCCEEDED]: TaskState.TASK_STATE_SUCCEEDED,
  [AttemptOutcome.ATTEMPT_OUTCOME_FAILED]: TaskState.TASK_STATE_FAILED,
  [AttemptOutcome.ATTEMPT_OUTCOME_CANCELLED]: TaskState.TASK_STATE_CANCELLED,
};

export function requestKey(queue: string, requestId: string): string {
  return `${queue} ${requestId}`;
}

/** @returns a function that reads what the log says by now. */
export function taskReader(log: DecodedLog, clocksDifferByUs: number): () => TaskReading {
  const reader = new Reader(clocksDifferByUs);
  const readOn = log.follow(({ sequence, committedAtUs, events }) => {
    for (const { type, payload } of events) {
      if (type === 'task.TasksCreated') reader.created(taskpb.TasksCreated.decode(payload), committedAtUs);
      else if (type === 'task.AttemptsStarted') reader.started(taskpb.AttemptsStarted.decode(payload), committedAtUs, sequence);
      else if (type === 'task.AttemptsEnded') reader.attemptsEnded(taskpb.AttemptsEnded.decode(payload), committedAtUs);
      else if (type === 'task.TasksEnded') reader.ended(taskpb.TasksEnded.decode(payload), committedAtUs);
      else if (type === 'task.QueueConfigured') reader.configured(taskpb.QueueConfigured.decode(payload));
      else if (type === 'task.QueuePaused') reader.paused(taskpb.QueuePaused.decode(payload));
    }
  });
  return () => {
    readOn();
    const { tasks, requests, contradictions } = reader;
    return { tasks, requests, contradictions, live: [...tasks.values()].filter((task) => !hasEnded(task)).length };
  };
}
