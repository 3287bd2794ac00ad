/** Everything that can be done with tasks, queues and schedules. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { taskpb } from '@sluice/protocol/task';
import type { Caller, CallOptions, StreamOptions, UnaryMethod } from '../caller';
import type { PositionTracker } from '../position-tracker';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads, type WatchOptions } from '../reads';
import { SluiceError, statusName } from '../sluice-error';
import { timeFromWire, timeToWire } from '../time-wire';
import type { QueueLimits, QueueStats, Schedule, ScheduleInput, Task, TaskBody, TaskCounts, TaskFilter, TaskInput, TaskReceipt, TaskState } from './task';
import {
  bodyToWire,
  countsFromWire,
  limitsToWire,
  receiptFromWire,
  scheduleFromWire,
  scheduleToWire,
  stateToWire,
  statsFromWire,
  submissionToWire,
  taskFromWire,
} from './task-wire';
import { TaskWorker, type WorkerOptions } from './task-worker';

/** The result for one task of `createMany`. */
export type CreationOutcome = { readonly task: TaskReceipt; readonly error?: undefined } | { readonly task?: undefined; readonly error: SluiceError };

export interface TaskPage extends Page<Task> {
  readonly counts: TaskCounts;
}

/** Most that one call takes, well under the message limit for small payloads. */
const TASKS_PER_CALL = 5_000;
const BYTES_PER_CALL = 6 << 20;
/** Children that are waited for at once. */
const CHILDREN_AT_ONCE = 64;
/** For a page of the children: the read store may be far behind when many were submitted. */
const CHILDREN_PAGE_MS = 600_000;

/** @internal */
export interface TasksClientOptions {
  readonly caller: Caller;
  readonly commands: taskpb.TaskCommandServiceClient;
  readonly scheduleCommands: taskpb.ScheduleCommandServiceClient;
  readonly queries: taskpb.TaskQueryServiceClient;
  readonly scheduleQueries: taskpb.ScheduleQueryServiceClient;
  readonly workers: taskpb.TaskWorkerServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
}

export class TasksClient {
  readonly #options: TasksClientOptions;

  /** @internal Made by SluiceClient. */
  constructor(options: TasksClientOptions) {
    this.#options = options;
  }

  // Tasks.

  /** Submits a task; its id is there at once. */
  async create(queue: string, input: TaskInput, options?: CallOptions): Promise<TaskReceipt> {
    const { commands } = this.#options;
    return receiptFromWire((await this.#command(commands.createTask.bind(commands), { queue, ...submissionToWire(input) }, options)).task);
  }

  /** Submits any number of tasks to a queue; each has its own outcome, in the order asked for. */
  async createMany(queue: string, inputs: readonly TaskInput[], options?: CallOptions): Promise<CreationOutcome[]> {
    const { commands } = this.#options;
    const outcomes: CreationOutcome[] = [];
    for (const tasks of portionsOf(inputs.map(submissionToWire))) {
      const { results } = await this.#command(commands.createTasks.bind(commands), { queue, tasks }, options);
      for (const result of results) outcomes.push(outcomeOf(result));
    }
    return outcomes;
  }

  /** Ends a task that has not ended. @param change.expectedVersion refuses it unless the task has this state version. */
  async cancel(taskId: string, change: { readonly expectedVersion?: number; readonly note?: string; readonly requestId?: string } = {}): Promise<TaskReceipt> {
    const { commands } = this.#options;
    const { expectedVersion = 0, note = '', requestId = randomUUID() } = change;
    return receiptFromWire((await this.#command(commands.cancelTask.bind(commands), { requestId, taskId, expectedVersion, note })).task);
  }

  /** Submits what an ended task was again, as a new task. */
  async retry(taskId: string, requestId: string = randomUUID()): Promise<TaskReceipt> {
    const { commands } = this.#options;
    return receiptFromWire((await this.#command(commands.retryTask.bind(commands), { requestId, taskId })).task);
  }

  /** Brings a task to the next level, for work that is done outside of workers. */
  async updateState(
    taskId: string,
    expectedVersion: 1 | 2,
    state: TaskState,
    outcome: { readonly result?: TaskBody; readonly message?: string; readonly requestId?: string } = {},
  ): Promise<TaskReceipt> {
    const { commands } = this.#options;
    const { bytes, contentType } = bodyToWire(outcome.result, undefined);
    const request: taskpb.UpdateTaskStateRequest = {
      requestId: outcome.requestId ?? randomUUID(),
      taskId,
      expectedVersion,
      state: stateToWire(state),
      result: outcome.result === undefined ? undefined : { body: bytes, contentType },
      failure: outcome.message === undefined ? undefined : { kind: taskpb.FailureKind.FAILURE_KIND_PERMANENT, limit: 0, message: outcome.message },
    };
    return receiptFromWire((await this.#command(commands.updateTaskState.bind(commands), request)).task);
  }

  async get(taskId: string, options?: ReadOptions): Promise<Task> {
    const { queries, reads } = this.#options;
    const { task } = await reads.read(queries.getTask.bind(queries), { taskId, ...reads.covering(options) }, options);
    if (task === undefined) throw new Error('the answer has no task');
    return taskFromWire(task);
  }

  /** A page of tasks, with the counts of their queue, or of their type in it. */
  async listPage(filter: TaskFilter, options: PageOptions = {}): Promise<TaskPage> {
    const { queries, reads } = this.#options;
    const request: taskpb.ListTasksRequest = {
      queue: filter.queue ?? '',
      state: stateToWire(filter.state),
      type: filter.type ?? '',
      labelName: filter.label?.name ?? '',
      labelValue: filter.label?.value ?? '',
      submittedFrom: timeToWire(filter.submittedFrom),
      submittedBefore: timeToWire(filter.submittedBefore),
      newestFirst: filter.newestFirst ?? false,
      parentTaskId: filter.parentTaskId ?? '',
      pageSize: options.pageSize ?? 100,
      pageToken: options.pageToken ?? '',
      ...reads.covering(options),
    };
    const { tasks, nextPageToken, counts } = await reads.read(queries.listTasks.bind(queries), request, options);
    return { items: tasks.map(taskFromWire), nextPageToken, counts: countsFromWire(counts) };
  }

  list(filter: TaskFilter, options: PageOptions = {}): AsyncGenerator<Task, void, undefined> {
    return iteratePages((page) => this.listPage(filter, page), options);
  }

  /** The task as it is now, then again after changes, until it has ended. */
  async *watch(taskId: string, options?: WatchOptions): AsyncGenerator<Task, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { taskId, ...reads.covering(options) };
    for await (const { task } of caller.stream((metadata) => queries.watchTask(request, metadata), options)) {
      if (task !== undefined) yield taskFromWire(task);
    }
  }

  /** Waits until every child of the task has ended; they come with their results, in the order of their submission. */
  async children(parentTaskId: string, options?: StreamOptions): Promise<Task[]> {
    const failing = new AbortController();
    const signal = options?.signal === undefined ? failing.signal : AbortSignal.any([options.signal, failing.signal]);
    setMaxListeners(CHILDREN_AT_ONCE, signal);
    // Several take from one listing: the calls of its `next` are answered in their order.
    const children = this.list({ parentTaskId }, { deadlineMs: CHILDREN_PAGE_MS });
    const ended: Task[] = [];
    let taken = 0;
    const follow = async (): Promise<void> => {
      while (!failing.signal.aborted) {
        const next = await children.next();
        if (next.done === true) return;
        const at = taken;
        taken += 1;
        ended[at] = await this.#whenEnded(next.value, { ...options, signal });
      }
    };
    try {
      await Promise.all(Array.from({ length: CHILDREN_AT_ONCE }, follow));
    } catch (error) {
      failing.abort();
      throw error;
    }
    return ended;
  }

  async #whenEnded(task: Task, options: StreamOptions): Promise<Task> {
    let newest = task;
    for await (const seen of this.watch(task.taskId, options)) newest = seen;
    return newest;
  }

  /** A worker for the queues. */
  worker(options: WorkerOptions): TaskWorker {
    const { workers, caller } = this.#options;
    return new TaskWorker(() => workers.work(caller.metadata()), options);
  }

  // Queues.

  async queueStats(queue: string, options?: ReadOptions): Promise<QueueStats> {
    const { queries, reads } = this.#options;
    return statsFromWire((await reads.read(queries.getQueueStats.bind(queries), { queue, ...reads.covering(options) }, options)).stats);
  }

  queues(options: PageOptions = {}): AsyncGenerator<QueueStats, void, undefined> {
    const { queries, reads } = this.#options;
    return iteratePages(async ({ pageSize = 100, pageToken = '', ...read }) => {
      const request = { pageSize, pageToken, ...reads.covering(read) };
      const { queues, nextPageToken } = await reads.read(queries.listQueues.bind(queries), request, read);
      return { items: queues.map(statsFromWire), nextPageToken };
    }, options);
  }

  async *watchQueue(queue: string, options?: WatchOptions): AsyncGenerator<QueueStats, void, undefined> {
    const { caller, queries, reads } = this.#options;
    const request = { queue, ...reads.covering(options) };
    for await (const { stats } of caller.stream((metadata) => queries.watchQueue(request, metadata), options)) yield statsFromWire(stats);
  }

  async pauseQueue(queue: string, note = '', requestId: string = randomUUID()): Promise<void> {
    const { commands } = this.#options;
    await this.#command(commands.pauseQueue.bind(commands), { requestId, queue, note });
  }

  async resumeQueue(queue: string, requestId: string = randomUUID()): Promise<void> {
    const { commands } = this.#options;
    await this.#command(commands.resumeQueue.bind(commands), { requestId, queue });
  }

  /** Cancels what waits now. @returns how many tasks that are. */
  async purgeQueue(queue: string, note = '', requestId: string = randomUUID()): Promise<number> {
    const { commands } = this.#options;
    return Number((await this.#command(commands.purgeQueue.bind(commands), { requestId, queue, note })).waitingTasks);
  }

  /** Sets all limits of the queue anew. */
  async configureQueue(queue: string, limits: QueueLimits, requestId: string = randomUUID()): Promise<void> {
    const { commands } = this.#options;
    await this.#command(commands.configureQueue.bind(commands), { requestId, queue, limits: limitsToWire(limits) });
  }

  // Schedules.

  /** @returns its next runs. */
  async createSchedule(input: ScheduleInput): Promise<{ readonly scheduleId: string; readonly nextRuns: readonly Date[] }> {
    const { scheduleCommands } = this.#options;
    const { scheduleId, nextRuns } = await this.#command(scheduleCommands.createSchedule.bind(scheduleCommands), scheduleToWire(input));
    return { scheduleId, nextRuns: nextRuns.flatMap((run) => timeFromWire(run) ?? []) };
  }

  async deleteSchedule(scheduleId: string, requestId: string = randomUUID()): Promise<void> {
    const { scheduleCommands } = this.#options;
    await this.#command(scheduleCommands.deleteSchedule.bind(scheduleCommands), { requestId, scheduleId });
  }

  async pauseSchedule(scheduleId: string, requestId: string = randomUUID()): Promise<void> {
    const { scheduleCommands } = this.#options;
    await this.#command(scheduleCommands.pauseSchedule.bind(scheduleCommands), { requestId, scheduleId });
  }

  async resumeSchedule(scheduleId: string, requestId: string = randomUUID()): Promise<void> {
    const { scheduleCommands } = this.#options;
    await this.#command(scheduleCommands.resumeSchedule.bind(scheduleCommands), { requestId, scheduleId });
  }

  /** Submits its task now. @returns the task's id. */
  async runScheduleNow(scheduleId: string, requestId: string = randomUUID()): Promise<string> {
    const { scheduleCommands } = this.#options;
    return (await this.#command(scheduleCommands.runScheduleNow.bind(scheduleCommands), { requestId, scheduleId })).taskId;
  }

  async getSchedule(scheduleId: string, options?: ReadOptions): Promise<Schedule> {
    const { scheduleQueries, reads } = this.#options;
    const request = { scheduleId, ...reads.covering(options) };
    return scheduleFromWire((await reads.read(scheduleQueries.getSchedule.bind(scheduleQueries), request, options)).schedule);
  }

  schedules(queue = '', options: PageOptions = {}): AsyncGenerator<Schedule, void, undefined> {
    const { scheduleQueries, reads } = this.#options;
    return iteratePages(async ({ pageSize = 100, pageToken = '', ...read }) => {
      const request = { queue, pageSize, pageToken, ...reads.covering(read) };
      const { schedules, nextPageToken } = await reads.read(scheduleQueries.listSchedules.bind(scheduleQueries), request, read);
      return { items: schedules.map(scheduleFromWire), nextPageToken };
    }, options);
  }

  async #command<Request, Response extends { readonly positionToken: string }>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response> {
    const response = await this.#options.caller.unary(method, request, options);
    this.#options.positions.add(response.positionToken);
    return response;
  }
}

function outcomeOf({ task, error }: taskpb.CreateTasksResult): CreationOutcome {
  if (error === undefined) return { task: receiptFromWire(task) };
  const { code, reason, message } = error;
  return { error: new SluiceError({ code: statusName(code), reason, message }) };
}

/** Runs of submissions that a call takes. */
function* portionsOf(tasks: readonly taskpb.TaskSubmission[]): Generator<taskpb.TaskSubmission[]> {
  let portion: taskpb.TaskSubmission[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = 512 + (task.task?.payload.length ?? 0);
    if (portion.length === TASKS_PER_CALL || (portion.length > 0 && bytes + size > BYTES_PER_CALL)) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(task);
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}
