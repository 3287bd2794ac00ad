/** TaskQueryService and ScheduleQueryService: reads of tasks, queues and schedules, from the read store alone. */
import type { ReadCopy } from '@sluice/ports';
import { readCounts, readQueue, readTask, scheduleMessage, TASK_QUEUES, TASK_SCHEDULES } from '@sluice/projections/task';
import { taskpb } from '@sluice/protocol/task';
import { type CallContext, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { findMatching } from '../filtered-rows';
import { type Freshness, mergedToken } from '../freshness';
import { GatheredReads } from '../gathered-reads';
import { checkedPageSize, checkKey } from '../request-shape';
import { placeOfPage, tokenOfPlace } from '../row-page-token';
import type { SharedWatches } from '../shared-watches';
import { listTasks } from './task-listing';

export interface TaskQueryOptions {
  readonly freshness: Freshness;
  readonly tasks: SharedWatches<taskpb.Task>;
  readonly queues: SharedWatches<taskpb.QueueStats>;
}

const ENDED: ReadonlySet<taskpb.TaskState> = new Set([
  taskpb.TaskState.TASK_STATE_SUCCEEDED,
  taskpb.TaskState.TASK_STATE_FAILED,
  taskpb.TaskState.TASK_STATE_CANCELLED,
]);

export function taskQueryService({ freshness, tasks, queues }: TaskQueryOptions): ServiceRegistration {
  const gathered = new GatheredReads<ReadCopy, taskpb.Task | undefined>(readTask);
  const found = (task: taskpb.Task | undefined, taskId: string): taskpb.Task => {
    if (task === undefined) throw refusal('TASK_NOT_FOUND', `there is no task "${taskId}"`, { task_id: taskId });
    return task;
  };
  const implementation: taskpb.TaskQueryServiceServer = {
    getTask: unary<taskpb.GetTaskRequest, taskpb.GetTaskResponse>(async (request, call) => {
      const { taskId } = request;
      checkKey('task_id', taskId);
      return { task: found(await readTask(await freshness.copyFor(request, call), taskId), taskId), positionToken: mergedToken(request) };
    }),

    listTasks: unary<taskpb.ListTasksRequest, taskpb.ListTasksResponse>(async (request, call) => {
      const copy = await freshness.copyFor(request, call);
      const page = await listTasks(copy, request);
      return { ...page, counts: await readCounts(copy, request.queue, request.type), positionToken: mergedToken(request) };
    }),

    getQueueStats: unary<taskpb.GetQueueStatsRequest, taskpb.GetQueueStatsResponse>(async (request, call) => {
      checkKey('queue', request.queue);
      const copy = await freshness.copyFor(request, call);
      return { stats: (await readQueue(copy, request.queue))?.stats ?? emptyStats(request.queue), positionToken: mergedToken(request) };
    }),

    listQueues: unary<taskpb.ListQueuesRequest, taskpb.ListQueuesResponse>(async (request, call) => {
      const limit = checkedPageSize(request.pageSize);
      const scope = ['queues'];
      const query = { collection: TASK_QUEUES.name };
      const after = placeOfPage(TASK_QUEUES, query, scope, request.pageToken);
      const copy = await freshness.copyFor(request, call);
      const { rows, next } = await copy.find({ ...query, after, limit });
      const found = await Promise.all(rows.map((row) => readQueue(copy, row.queue as string)));
      return { queues: found.flatMap((queue) => queue?.stats ?? []), nextPageToken: tokenOfPlace(scope, next), positionToken: mergedToken(request) };
    }),

    watchTask: serverStream<taskpb.WatchTaskRequest, taskpb.WatchTaskResponse>(async function* (request, call) {
      const { taskId } = request;
      const positionToken = mergedToken(request);
      checkKey('task_id', taskId);
      // Ten thousand calls may begin to watch one task at once.
      const now = found(await gathered.now(await freshness.copyFor(request, call), taskId), taskId);
      yield { task: now, positionToken };
      if (ENDED.has(now.state)) return;
      for await (const { state } of tasks.watch(taskId, Number(now.sequence), call.signal)) {
        yield { task: state, positionToken };
        if (ENDED.has(state.state)) return;
      }
    }),

    watchQueue: serverStream<taskpb.WatchQueueRequest, taskpb.WatchQueueResponse>(async function* (request, call) {
      checkKey('queue', request.queue);
      const positionToken = mergedToken(request);
      const now = await readQueue(await freshness.copyFor(request, call), request.queue);
      yield { stats: now?.stats ?? emptyStats(request.queue), positionToken };
      for await (const { state } of queues.watch(request.queue, now?.sequence ?? 0, call.signal)) yield { stats: state, positionToken };
    }),
  };
  return { name: 'sluice.task.v1.TaskQueryService', definition: taskpb.TaskQueryServiceService, implementation: { ...implementation } };
}

export function scheduleQueryService(freshness: Freshness): ServiceRegistration {
  const implementation: taskpb.ScheduleQueryServiceServer = {
    getSchedule: unary<taskpb.GetScheduleRequest, taskpb.GetScheduleResponse>(async (request, call: CallContext) => {
      const { scheduleId } = request;
      const row = await (await freshness.copyFor(request, call)).get(TASK_SCHEDULES.name, scheduleId);
      if (row === undefined || row.deleted === true) throw refusal('SCHEDULE_NOT_FOUND', `there is no schedule "${scheduleId}"`, { schedule_id: scheduleId });
      return { schedule: scheduleMessage(row), positionToken: mergedToken(request) };
    }),

    listSchedules: unary<taskpb.ListSchedulesRequest, taskpb.ListSchedulesResponse>(async (request, call: CallContext) => {
      const { queue } = request;
      const limit = checkedPageSize(request.pageSize);
      const scope = ['schedules', queue];
      const query = { collection: TASK_SCHEDULES.name, index: 'by_queue', ...(queue === '' ? undefined : { equals: { queue } }) };
      const after = placeOfPage(TASK_SCHEDULES, query, scope, request.pageToken);
      const copy = await freshness.copyFor(request, call);
      const { rows, next } = await findMatching(copy, TASK_SCHEDULES, { ...query, after, limit }, []);
      const schedules = rows.filter((row) => row.deleted !== true).map(scheduleMessage);
      return { schedules, nextPageToken: tokenOfPlace(scope, next), positionToken: mergedToken(request) };
    }),
  };
  return { name: 'sluice.task.v1.ScheduleQueryService', definition: taskpb.ScheduleQueryServiceService, implementation: { ...implementation } };
}

function emptyStats(queue: string): taskpb.QueueStats {
  return taskpb.QueueStats.fromPartial({ queue, counts: {} });
}
