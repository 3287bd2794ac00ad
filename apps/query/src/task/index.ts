/** Tasks, as the query service plugs them in. */
import { projection, readQueue, readTask, readTaskSequences } from '@sluice/projections/task';
import { taskpb } from '@sluice/protocol/task';
import type { QueryCapability } from '../query-capability';
import { readSingly, SharedWatches } from '../shared-watches';
import { scheduleQueryService, taskQueryService } from './task-query-service';

export const queryCapability: QueryCapability = {
  name: 'task',
  projection,
  definitions: [taskpb.TaskQueryServiceService, taskpb.ScheduleQueryServiceService],
  start({ feed, freshness, clock, logger }) {
    const trouble = (error: unknown): void => logger.warn({ error }, 'watched tasks cannot be read; trying again');
    const readOne = async (copy: Parameters<typeof readTask>[0], taskId: string) => {
      const task = await readTask(copy, taskId);
      return task && { state: task, sequence: Number(task.sequence) };
    };
    const readStats = async (copy: Parameters<typeof readQueue>[0], queue: string) => {
      const found = await readQueue(copy, queue);
      return found && { state: found.stats, sequence: found.sequence };
    };
    const tasks = new SharedWatches(feed, clock, readSingly(readOne, readTaskSequences), trouble);
    const queues = new SharedWatches(feed, clock, readSingly(readStats), trouble);
    return {
      registrations: [taskQueryService({ freshness, tasks, queues }), scheduleQueryService(freshness)],
      stop: async () => {
        await Promise.all([tasks.stop(), queues.stop()]);
      },
    };
  },
};
